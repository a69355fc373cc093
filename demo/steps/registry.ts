import { type Api, ApiError } from '../api.ts';
import type { Terminal } from '../terminal.ts';
import type { TrainedModel } from './train.ts';
import { features, spineInputs } from './training-set.ts';

const registerModel = 'mutation ($input: RegisterModelInput!) { registerModel(input: $input) { model { name } } }';
const registerVersion = `mutation ($input: RegisterModelVersionInput!) { registerModelVersion(input: $input) {
  modelVersion { id version digest status trainingSnapshotId } } }`;
const submit = 'mutation ($input: SubmitModelVersionInput!) { submitModelVersion(input: $input) { modelVersion { status } } }';
const review =
  'mutation ($input: ReviewModelVersionInput!) { reviewModelVersion(input: $input) { modelVersion { status approvedBy { id } } } }';
const setAlias =
  'mutation ($input: SetModelAliasInput!) { setModelAlias(input: $input) { alias { name modelVersion { version } } } }';

export const modelName = 'flight-late';
const modelVersion = { model: modelName, selector: { number: 1 } };

/** Registered, submitted by its author, whose own approval is refused; approved by another, and made champion. Gives the version's id. */
export async function registerAndApprove(
  scientist: Api,
  approver: Api,
  terminal: Terminal,
  trained: TrainedModel,
  endpoint: string,
): Promise<string> {
  terminal.begin('registering the model');
  await scientist.ask(registerModel, {
    input: {
      idempotencyKey: 'register-model',
      name: modelName,
      description: 'Will a flight leave more than 15 minutes late?',
      owner: 'ada',
      riskTier: 'limited',
      protectedAliases: ['champion'],
    },
  });
  const long = new Set(['flights_1h', 'flights_3h', 'flights_24h', 'route_flights', ...spineInputs]);
  const registered = await scientist.ask<{ registerModelVersion: { modelVersion: { id: string; digest: string } } }>(
    registerVersion,
    {
      input: {
        idempotencyKey: 'register-version',
        model: modelName,
        trainedOn: { trainingSet: { name: 'late_departures', version: 1 } },
        metrics: [
          { name: 'auc', value: trained.auc, split: 'test' },
          { name: 'auc_best_single_feature', value: trained.bestFeature.auc, split: 'test' },
        ],
        signature: {
          inputs: [...features, ...spineInputs].map((name) => ({
            name,
            type: long.has(name) ? 'long' : 'double',
            required: spineInputs.includes(name),
          })),
          outputs: [{ name: 'probability_late', type: 'double', required: true }],
        },
        artifactUri: `file://${trained.artifact}`,
        artifactSha256: trained.sha256,
        endpoint: { url: endpoint, protocol: 'OPEN_INFERENCE_V2', model: modelName, version: '1' },
      },
    },
  );
  const { id, digest } = registered.registerModelVersion.modelVersion;
  await scientist.ask(submit, {
    input: { idempotencyKey: 'submit', modelVersion, comment: 'Beats the best single feature on later days.' },
  });
  terminal.done(`${modelName} version 1 registered with its training set, metrics, signature and digest; submitted by ada`);

  const decision = {
    modelVersion,
    expectedDigest: digest,
    decision: 'APPROVE',
    meaning: 'I reviewed the metrics and the training data and approve its use.',
  };
  terminal.begin('ada approves her own model');
  try {
    await scientist.ask(review, { input: decision });
  } catch (error) {
    if (!(error instanceof ApiError) || error.code !== 'FORBIDDEN') throw error;
    terminal.done(`refused: ${error.message}`);
  }
  terminal.begin('grace approves');
  await approver.ask(review, { input: { idempotencyKey: 'approve', ...decision } });
  await approver.ask(setAlias, {
    input: { idempotencyKey: 'champion', model: modelName, alias: 'champion', version: 1, reason: 'First model in use.' },
  });
  terminal.done('approved by grace, and champion');
  return id;
}
