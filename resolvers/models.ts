import { IcecoreError } from '../src/errors.ts';
import { parseIdentifier, printIdentifier } from '../src/iceberg/identifier.ts';
import type {
  DecisionKind,
  Model,
  ModelAlias,
  ModelAliasChange,
  ModelDecision,
  ModelEndpoint,
  ModelMetric,
  ModelVersion,
} from '../src/models/model.ts';
import type { ModelVersionSelector } from '../src/models/model-reader.ts';
import type { Run } from '../src/runs/run.ts';
import type { Prediction } from '../src/scoring/prediction.ts';
import { ofReadable } from '../src/tables/readable.ts';
import { resolveAsOf } from '../src/tables/resolve-as-of.ts';
import type { TableSnapshotRef } from '../src/tables/table.ts';
import { asOfOf, type TableRefInput } from './as-of.ts';
import { type Connection, connectionFrom, orderedKey, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { snapshotKey } from './loading.ts';
import { mutate } from './mutation.ts';
import { predictionsOf } from './predictions.ts';
import { runKey, runPlaceOf } from './run-place.ts';
import { versionKey } from './version-key.ts';

export function modelVersions(model: Model, args: PageArgs, { icecore }: ApiContext): Promise<Connection<ModelVersion>> {
  return connectionFrom(
    args,
    ({ version }) => String(version),
    ({ first, after }) => icecore.models.read.versions(model.name, { first, after: after === null ? null : Number(after) }),
  );
}

export async function modelVersion(
  model: Model,
  args: { readonly number?: Given<number>; readonly alias?: Given<string>; readonly at?: Given<bigint> },
  { icecore }: ApiContext,
): Promise<ModelVersion | null> {
  if ((args.number == null) === (args.alias == null)) {
    throw new IcecoreError('BAD_USER_INPUT', 'A version is asked for by its number or by an alias: give one of the two.');
  }
  return icecore.models.read.select(model.name, { number: args.number ?? null, alias: args.alias ?? null }, args.at ?? null);
}

export function modelAliases(model: Model, _args: object, { icecore }: ApiContext): Promise<readonly ModelAlias[]> {
  return icecore.models.read.aliases(model.name);
}

/** The key of the version that it stands at. */
export function modelAliasModelVersion({ model, version }: ModelAlias): string | null {
  return version === null ? null : versionKey({ name: model, version });
}

export async function modelAliasHistory(
  alias: ModelAlias,
  args: PageArgs,
  { icecore }: ApiContext,
): Promise<Connection<ModelAliasChange>> {
  const page = await connectionFrom<{ readonly change: ModelAliasChange; readonly place: number }>(
    args,
    ({ place }) => orderedKey(place),
    async ({ first, after }) => {
      const read = after === null ? 0 : Number(after);
      const changes = await icecore.models.read.aliasHistory(alias.model, alias.name, { first, after: read });
      return changes.map((change, index) => ({ change, place: read + index + 1 }));
    },
  );
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: node.change })) };
}

export function modelVersionTrainingSet({ trainingSet }: ModelVersion): string | null {
  return trainingSet === null ? null : versionKey(trainingSet);
}

export function modelVersionFeatureSet({ featureSet }: ModelVersion): string | null {
  return featureSet === null ? null : versionKey(featureSet);
}

export function modelVersionTrainingSnapshot({ trainingTable }: ModelVersion): string {
  return snapshotKey(trainingTable);
}

/** Null where there is none, or the caller may not read it. */
export async function modelMetricDataset(
  { dataset }: ModelMetric,
  _args: object,
  { icecore }: ApiContext,
): Promise<TableSnapshotRef | null> {
  const [readable] = await ofReadable(icecore.tables, dataset === null ? [] : [dataset], (table) => [table]);
  return readable ?? null;
}

export function modelVersionDecisions(
  { model, version }: ModelVersion,
  _args: object,
  { icecore }: ApiContext,
): Promise<readonly ModelDecision[]> {
  return icecore.models.read.decisions(model, version);
}

export function modelVersionRuns(version: ModelVersion, args: PageArgs, { icecore }: ApiContext): Promise<Connection<Run>> {
  return connectionFrom(args, runKey, ({ first, after }) => icecore.scoring.runsOf(version, { first, after: runPlaceOf(after) }));
}

export function modelVersionPredictions(
  { model, version }: ModelVersion,
  args: PageArgs & { readonly asOfFrom?: Given<bigint>; readonly asOfTo?: Given<bigint> },
  context: ApiContext,
): Promise<Connection<Prediction>> {
  return predictionsOf(
    { model, version, asOfFromMicros: args.asOfFrom ?? null, asOfToMicros: args.asOfTo ?? null },
    args,
    context,
  );
}

export function model({ name }: { readonly name: string }, { icecore }: ApiContext): Promise<Model | null> {
  return icecore.models.read.model(name);
}

export function models(
  args: PageArgs & { readonly owner?: Given<string>; readonly riskTier?: Given<string> },
  { icecore }: ApiContext,
): Promise<Connection<Model>> {
  const filter = { owner: args.owner ?? null, riskTier: args.riskTier ?? null };
  return connectionFrom(
    args,
    ({ name }) => name,
    (page) => icecore.models.read.models(filter, page),
  );
}

interface ModelInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly description?: Given<string>;
  readonly owner?: Given<string>;
  readonly riskTier?: Given<string>;
  readonly protectedAliases?: Given<readonly string[]>;
}

export function registerModel(input: ModelInput, context: ApiContext): Promise<{ readonly model: Model }> {
  return mutate(context, 'registerModel', input, async (call) => ({
    model: await context.icecore.models.register(call, describedModel(input)),
  }));
}

export function updateModel(input: ModelInput, context: ApiContext): Promise<{ readonly model: Model }> {
  return mutate(context, 'updateModel', input, async (call) => ({
    model: await context.icecore.models.update(call, describedModel(input)),
  }));
}

/** Members left out stay left out: an update keeps what they were. */
function describedModel({ name, description, owner, riskTier, protectedAliases }: ModelInput) {
  return {
    name,
    ...(description === undefined ? {} : { description }),
    ...(owner === undefined ? {} : { owner }),
    ...(riskTier === undefined ? {} : { riskTier }),
    ...(protectedAliases === undefined ? {} : { protectedAliases }),
  };
}

interface ModelFieldInput {
  readonly name: string;
  readonly type: string;
  readonly required?: Given<boolean>;
}

interface RegisterModelVersionInput {
  readonly idempotencyKey?: Given<string>;
  readonly model: string;
  readonly trainedOn: {
    readonly trainingSet?: Given<{ readonly name: string; readonly version: number }>;
    readonly table?: Given<TableRefInput>;
  };
  readonly metrics?: Given<
    readonly {
      readonly name: string;
      readonly value: number;
      readonly split?: Given<string>;
      readonly dataset?: Given<TableRefInput>;
    }[]
  >;
  readonly signature: { readonly inputs: readonly ModelFieldInput[]; readonly outputs: readonly ModelFieldInput[] };
  readonly artifactUri?: Given<string>;
  readonly artifactSha256: string;
  readonly endpoint?: Given<Omit<ModelEndpoint, 'version'> & { readonly version?: Given<string> }>;
  readonly authors?: Given<readonly string[]>;
}

export function registerModelVersion(
  input: RegisterModelVersionInput,
  context: ApiContext,
): Promise<{ readonly modelVersion: ModelVersion }> {
  return mutate(context, 'registerModelVersion', input, async (call) => ({
    modelVersion: await context.icecore.models.registerVersion(call, {
      model: input.model,
      trainedOn: await trainedOn(input.trainedOn, context),
      metrics: await Promise.all((input.metrics ?? []).map((metric) => metricOf(metric, context))),
      signature: { inputs: input.signature.inputs.map(modelField), outputs: input.signature.outputs.map(modelField) },
      artifactUri: input.artifactUri ?? null,
      artifactSha256: input.artifactSha256,
      endpoint: input.endpoint == null ? null : { ...input.endpoint, version: input.endpoint.version ?? null },
      authors: input.authors ?? [],
    }),
  }));
}

function modelField({ name, type, required }: ModelFieldInput) {
  return { name, type, required: required ?? true };
}

async function trainedOn(input: RegisterModelVersionInput['trainedOn'], context: ApiContext) {
  if (input.trainingSet != null) return { trainingSet: input.trainingSet };
  return { table: await resolved(input.table ?? { name: '' }, context) };
}

async function metricOf(
  metric: NonNullable<RegisterModelVersionInput['metrics']>[number],
  context: ApiContext,
): Promise<ModelMetric> {
  const { name, value, split, dataset } = metric;
  return { name, value, split: split ?? null, dataset: dataset == null ? null : await resolved(dataset, context) };
}

/** A table at the snapshot that it is at now, or was then. Throws NOT_FOUND, and FAILED_PRECONDITION where it has none. */
async function resolved({ name, asOf }: TableRefInput, { icecore }: ApiContext): Promise<TableSnapshotRef> {
  const table = await icecore.tables.load(parseIdentifier(name));
  const snapshot = resolveAsOf(table, asOfOf(asOf));
  if (snapshot === null)
    throw new IcecoreError('FAILED_PRECONDITION', `Table ${name} had no snapshot at that point: there is no data to name.`);
  return { tableUuid: table.uuid, tableName: printIdentifier(table.identifier), snapshotId: snapshot.snapshotId };
}

interface ModelVersionRef {
  readonly model: string;
  readonly selector: { readonly number?: Given<number>; readonly alias?: Given<string> };
}

function selectorOf({ number, alias }: ModelVersionRef['selector']): ModelVersionSelector {
  return { number: number ?? null, alias: alias ?? null };
}

export function submitModelVersion(
  input: { readonly idempotencyKey?: Given<string>; readonly modelVersion: ModelVersionRef; readonly comment?: Given<string> },
  context: ApiContext,
): Promise<{ readonly modelVersion: ModelVersion }> {
  const { model: name, selector } = input.modelVersion;
  return mutate(context, 'submitModelVersion', input, async (call) => ({
    modelVersion: await context.icecore.models.submit(call, name, selectorOf(selector), input.comment ?? null),
  }));
}

interface ReviewModelVersionInput {
  readonly idempotencyKey?: Given<string>;
  readonly modelVersion: ModelVersionRef;
  readonly expectedDigest: string;
  readonly decision: DecisionKind;
  readonly meaning: string;
  readonly comment?: Given<string>;
}

export function reviewModelVersion(
  input: ReviewModelVersionInput,
  context: ApiContext,
): Promise<{ readonly modelVersion: ModelVersion }> {
  const { expectedDigest, decision, meaning, comment } = input;
  const { model: name, selector } = input.modelVersion;
  const review = { expectedDigest, decision, meaning, comment: comment ?? null };
  return mutate(context, 'reviewModelVersion', input, async (call) => ({
    modelVersion: await context.icecore.models.review(call, name, selectorOf(selector), review),
  }));
}

interface SetModelAliasInput {
  readonly idempotencyKey?: Given<string>;
  readonly model: string;
  readonly alias: string;
  readonly version?: Given<number>;
  readonly expectedVersion?: Given<number>;
  readonly reason?: Given<string>;
}

export function setModelAlias(input: SetModelAliasInput, context: ApiContext): Promise<{ readonly alias: ModelAlias | null }> {
  const { model: name, alias, version, expectedVersion, reason } = input;
  const move = { model: name, alias, version: version ?? null, reason: reason ?? null };
  return mutate(context, 'setModelAlias', input, async (call) => ({
    alias: await context.icecore.models.setAlias(call, expectedVersion === undefined ? move : { ...move, expectedVersion }),
  }));
}

export async function* modelVersionChanged(
  args: { readonly model?: Given<string> },
  { icecore, signal }: ApiContext,
): AsyncGenerator<ModelVersion> {
  yield* icecore.modelFeed.versions(args.model ?? null, signal);
}
