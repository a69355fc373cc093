import type { Actor } from '../access/caller.ts';
import { IcecoreError } from '../errors.ts';
import type { ModelVersion } from '../models/model.ts';
import type { ModelReader } from '../models/model-reader.ts';
import { versionDigest } from '../models/version-digest.ts';
import type { Run } from '../runs/run.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { featuresDigest } from './features-digest.ts';
import type { Prediction } from './prediction.ts';
import { type PredictionRow, readPredictions } from './read-predictions.ts';
import { rederivedRows } from './rederived-rows.ts';
import { recordedRequest } from './score-batch-input.ts';
import { scoringRunState } from './scoring-run-state.ts';
import type { ScoringEngine } from './scoring-source.ts';

/** From a prediction back to what it rests on, derived again and compared (contract, `PredictionExplanation`). */
export interface Explanation {
  /** The inputs of the model by name, in the contract's JSON forms; null where they could not be read again. */
  readonly features: Readonly<Record<string, unknown>> | null;
  readonly sources: readonly TableSnapshotRef[];
  readonly model: string;
  readonly version: number;
  readonly approvedBy: Actor | null;
  readonly trainingSet: { readonly name: string; readonly version: number } | null;
  /** True where everything that was derived again is what is recorded. */
  readonly rederived: boolean;
  readonly differences: readonly string[];
}

export interface ExplanationContext extends ScoringEngine {
  readonly read: ModelReader;
  readonly run: (id: string) => Promise<Run | null>;
}

/** Never throws for what is gone or differs: that is what it says. */
export async function explainPrediction(
  context: ExplanationContext,
  prediction: Prediction,
  signal?: AbortSignal,
): Promise<Explanation> {
  const differences: string[] = [];
  const version = await context.read.version(prediction.model, prediction.version);
  const run = await context.run(prediction.runId);
  if (version === null) differences.push(`Version ${prediction.version} of model "${prediction.model}" is not recorded.`);
  if (run === null || run.operation !== 'scoreBatch') differences.push(`The scoring run ${prediction.runId} is not recorded.`);
  let features: Explanation['features'] = null;
  if (version !== null && run !== null && run.operation === 'scoreBatch') {
    differences.push(...modelDifferences(prediction, version, run), ...(await rowDifferences(context, prediction, run)));
    const derived = await deriveFeatures(context, prediction, version, run, signal);
    features = derived.features;
    differences.push(...derived.differences);
  }
  const approval =
    version === null
      ? undefined
      : (await context.read.decisions(version.model, version.version)).findLast(
          ({ kind, atMicros }) => kind === 'APPROVE' && atMicros <= prediction.scoredAtMicros,
        );
  if (version !== null && approval === undefined) differences.push('No approval from before it was scored is recorded.');
  return {
    features,
    sources: run?.inputs ?? [],
    model: prediction.model,
    version: prediction.version,
    approvedBy: approval?.by ?? null,
    trainingSet: version?.trainingSet ?? null,
    rederived: differences.length === 0,
    differences,
  };
}

function modelDifferences(prediction: Prediction, version: ModelVersion, run: Run): readonly string[] {
  const differences: string[] = [];
  const state = scoringRunState(run);
  if (versionDigest(version) !== prediction.modelDigest) {
    differences.push(
      `The model's content has the digest ${versionDigest(version)}, and ${prediction.modelDigest} was approved and scored with.`,
    );
  }
  if (state.model !== prediction.model || state.version !== prediction.version) {
    differences.push(`Its run scored with version ${state.version} of "${state.model}".`);
  }
  return differences;
}

/** What differs from the row that the run wrote, where that snapshot is still there. */
async function rowDifferences({ tables }: ExplanationContext, prediction: Prediction, run: Run): Promise<readonly string[]> {
  const output = run.outputs.find(({ tableUuid }) => tableUuid === prediction.tableUuid);
  if (output === undefined) return [`Its run wrote nothing into ${prediction.tableName}.`];
  const table = await tables.findByUuid(output.tableUuid);
  if (table === null || !table.metadata.snapshots.some(({ snapshotId }) => snapshotId === output.snapshotId)) return [];
  const [written] = await readPredictions(tables, {
    table,
    asOf: { snapshotId: output.snapshotId },
    filter: { predictionId: prediction.predictionId, runId: run.id },
    rowsMax: 1,
  });
  if (written === undefined) return ['Its run did not write it.'];
  // The table may have another name by now, and is the same.
  return (Object.keys(written) as (keyof PredictionRow)[])
    .filter((member) => member !== 'tableName')
    .filter((member) => JSON.stringify(written[member], plain) !== JSON.stringify(prediction[member], plain))
    .map(
      (member) =>
        `Its ${member} is ${JSON.stringify(prediction[member], plain)}, and its run wrote ${JSON.stringify(written[member], plain)}.`,
    );
}

function plain(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}

async function deriveFeatures(
  context: ExplanationContext,
  prediction: Prediction,
  version: ModelVersion,
  run: Run,
  signal: AbortSignal | undefined,
): Promise<Pick<Explanation, 'features' | 'differences'>> {
  const { inputs } = version.signature;
  try {
    const { source } = recordedRequest(run.input);
    const rows = await rederivedRows(context, { version, source, state: scoringRunState(run), prediction, signal });
    const digest = featuresDigest(inputs);
    const match = rows.find((row) => digest(row) === prediction.featuresSha256);
    const found = match ?? rows[0];
    const features =
      found === undefined ? null : Object.fromEntries(inputs.map(({ name }, index) => [name, found[index] ?? null]));
    if (match !== undefined) return { features, differences: [] };
    if (found === undefined) return { features, differences: ['The source has no row with its keys and moment.'] };
    return {
      features,
      differences: [`The features derived again have the digest ${digest(found)}, and ${prediction.featuresSha256} is recorded.`],
    };
  } catch (error) {
    signal?.throwIfAborted();
    if (!IcecoreError.is(error) || error.code === 'INTERNAL') throw error;
    // What a run read was named by who started it, and not by who asks now.
    const why = context.tables.access.mayReadAll() ? error.message : 'a table is gone, or may not be read by this caller.';
    return { features: null, differences: [`The features could not be derived again: ${why}`] };
  }
}
