import type { FeatureSet } from '../src/features/feature-set.ts';
import type { ModelVersion } from '../src/models/model.ts';
import type { Run } from '../src/runs/run.ts';
import { ofReadable } from '../src/tables/readable.ts';
import type { TableSnapshotRef } from '../src/tables/table.ts';
import type { Split, TrainingSet } from '../src/training/training-set.ts';
import type { TableRefInput } from './as-of.ts';
import { type Connection, connectionFrom, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import { modelPlaceOf, modelVersionKey } from './features.ts';
import type { Given } from './input.ts';
import { mutate } from './mutation.ts';
import { type PointInTimeOptionsInput, pointInTimeOptions, type SpineInput, spineOf, tableAsOf } from './point-in-time.ts';
import { versionKey } from './version-key.ts';

/** Its key; where the caller may not read all of its tables, the set with those of its features that they may. */
export async function trainingSetFeatureSet(
  { featureSet: { name, version } }: TrainingSet,
  _args: object,
  { icecore }: ApiContext,
): Promise<FeatureSet | string> {
  const { access, featureSets, tables } = icecore;
  if (access.permissions.unrestricted) return versionKey({ name, version });
  const set = await access.asServer(() => featureSets.require(name, version));
  return {
    ...set,
    features: await ofReadable(tables, set.features, ({ tableUuid, table }) => [{ tableUuid, tableName: table }]),
  };
}

/** Those that the caller may read. */
export function trainingSetSources(
  { sources }: TrainingSet,
  _args: object,
  { icecore }: ApiContext,
): Promise<readonly TableSnapshotRef[]> {
  return ofReadable(icecore.tables, sources, (source) => [source]);
}

export function trainingSetModelVersions(
  set: TrainingSet,
  args: PageArgs,
  { icecore }: ApiContext,
): Promise<Connection<ModelVersion>> {
  return connectionFrom(args, modelVersionKey, ({ first, after }) =>
    icecore.models.read.trainedOn(set, { first, after: modelPlaceOf(after) }),
  );
}

export function trainingSet(
  args: { readonly name: string; readonly version?: Given<number> },
  { icecore }: ApiContext,
): Promise<TrainingSet | null> {
  return icecore.training.trainingSet(args.name, args.version ?? null);
}

export function trainingSets(args: PageArgs, { icecore }: ApiContext): Promise<Connection<TrainingSet>> {
  return connectionFrom(
    args,
    ({ name }) => name,
    (page) => icecore.training.trainingSets(page),
  );
}

interface SplitInput {
  readonly byHash?: Given<{
    readonly columns: readonly string[];
    readonly seed?: Given<bigint>;
    readonly shares: readonly { readonly name: string; readonly share: number }[];
  }>;
  readonly byTime?: Given<readonly { readonly name: string; readonly from?: Given<bigint>; readonly to?: Given<bigint> }[]>;
}

interface CreateTrainingSetInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly spine: SpineInput;
  readonly featureSet: string;
  readonly featureSetVersion: number;
  readonly pins?: Given<readonly TableRefInput[]>;
  readonly options?: Given<PointInTimeOptionsInput>;
  readonly split?: Given<SplitInput>;
}

export function createTrainingSet(input: CreateTrainingSetInput, context: ApiContext): Promise<{ readonly run: Run }> {
  return mutate(context, 'createTrainingSet', input, async (call) => ({
    run: await context.icecore.training.createTrainingSet(call, {
      name: input.name,
      spine: spineOf(input.spine),
      featureSet: input.featureSet,
      featureSetVersion: input.featureSetVersion,
      pins: input.pins?.map(tableAsOf) ?? [],
      options: pointInTimeOptions(input.options),
      split: splitOf(input.split),
    }),
  }));
}

function splitOf(input: Given<SplitInput>): Split | null {
  if (input?.byTime != null) {
    const windows = input.byTime.map(({ name, from, to }) => ({ name, fromMicros: from ?? null, toMicros: to ?? null }));
    return { kind: 'TIME', windows };
  }
  if (input?.byHash != null) return { kind: 'HASH', ...input.byHash, seed: input.byHash.seed ?? 0n };
  return null;
}

export function reproduceTrainingSet(
  input: { readonly idempotencyKey?: Given<string>; readonly name: string; readonly version: number },
  context: ApiContext,
): Promise<{ readonly run: Run }> {
  return mutate(context, 'reproduceTrainingSet', input, async (call) => ({
    run: await context.icecore.training.reproduceTrainingSet(call, { name: input.name, version: input.version }),
  }));
}
