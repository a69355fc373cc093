import { IcecoreError } from '../src/errors.ts';
import type { FeatureRef, FeatureSet, KeyMapping } from '../src/features/feature-set.ts';
import type { Feature, FeatureTable, FeatureVectors } from '../src/features/feature-table.ts';
import { currentSchema } from '../src/iceberg/metadata.ts';
import { fieldById } from '../src/iceberg/schema.ts';
import { pageRowsMax } from '../src/limits.ts';
import type { ModelVersion } from '../src/models/model.ts';
import type { Run } from '../src/runs/run.ts';
import type { TableRefInput } from './as-of.ts';
import { type Connection, connectionFrom, connectionOfAll, orderedKey, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { featureKey } from './loading.ts';
import { mutate } from './mutation.ts';
import { type PointInTimeOptionsInput, pointInTimeOptions, tableAsOf } from './point-in-time.ts';
import { columnDefinition, columnView } from './tables.ts';
import { parseVersionKey, type VersionedName, versionKey } from './version-key.ts';
import type { ColumnView } from './views.ts';

export async function featureTableFeatures(
  table: FeatureTable,
  args: PageArgs,
  { icecore }: ApiContext,
): Promise<Connection<Feature>> {
  const features = (await icecore.features.featuresOf(table.tableUuid)).map((feature, index) => ({
    feature,
    key: orderedKey(index),
  }));
  const page = connectionOfAll(features, args, ({ key }) => key);
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: node.feature })) };
}

export async function featureTableFeature(
  table: FeatureTable,
  { name }: { readonly name: string },
  { icecore }: ApiContext,
): Promise<Feature | null> {
  return (await icecore.features.featuresOf(table.tableUuid)).find((feature) => feature.name === name) ?? null;
}

export async function featureColumn(feature: Feature, _args: object, { icecore }: ApiContext): Promise<ColumnView> {
  const table = await icecore.tables.findByUuid(feature.tableUuid);
  const field = table === null ? undefined : fieldById(currentSchema(table.metadata), feature.fieldId);
  if (table === null || field === undefined) {
    throw new IcecoreError('NOT_FOUND', `The column ${feature.name} of ${feature.tableName} is gone since.`);
  }
  return columnView(table, field);
}

export function featureFeatureSets(feature: Feature, args: PageArgs, { icecore }: ApiContext): Promise<Connection<FeatureSet>> {
  return connectionFrom(args, versionKey, ({ first, after }) =>
    icecore.featureSets.withFeature(feature.tableUuid, feature.fieldId, { first, after: placeOf(after) }),
  );
}

/** Those whose feature set holds the feature, by model and number. */
export function featureModelVersions(
  { tableUuid, fieldId }: Feature,
  args: PageArgs,
  { icecore }: ApiContext,
): Promise<Connection<ModelVersion>> {
  return connectionFrom(args, modelVersionKey, async ({ first, after }) => {
    const sets: FeatureSet[] = [];
    for (let last: FeatureSet | null = null; ; last = sets.at(-1) ?? null) {
      const more = await icecore.featureSets.withFeature(tableUuid, fieldId, { first: pageRowsMax, after: last });
      sets.push(...more);
      if (more.length < pageRowsMax) break;
    }
    return icecore.models.read.ofFeatureSets(sets, { first, after: modelPlaceOf(after) });
  });
}

export function modelVersionKey({ model, version }: Pick<ModelVersion, 'model' | 'version'>): string {
  return versionKey({ name: model, version });
}

/** The name and version that a page ended with. */
export function placeOf(after: string | null): VersionedName | null {
  return after === null ? null : parseVersionKey(after);
}

export function modelPlaceOf(after: string | null): { readonly model: string; readonly version: number } | null {
  const place = placeOf(after);
  return place === null ? null : { model: place.name, version: place.version };
}

/** The key of the feature as it is now. */
export function featureRefCurrent(ref: FeatureRef): string {
  return featureKey(ref);
}

export function featureTable({ name }: { readonly name: string }, { icecore }: ApiContext): Promise<FeatureTable | null> {
  return icecore.features.featureTable(name);
}

export function featureTables(args: PageArgs, { icecore }: ApiContext): Promise<Connection<FeatureTable>> {
  return connectionFrom(
    args,
    ({ name }) => name,
    (page) => icecore.features.featureTables(page),
  );
}

export function featureSet(
  args: { readonly name: string; readonly version?: Given<number> },
  { icecore }: ApiContext,
): Promise<FeatureSet | null> {
  return icecore.featureSets.featureSet(args.name, args.version ?? null);
}

export function featureSets(args: PageArgs, { icecore }: ApiContext): Promise<Connection<FeatureSet>> {
  return connectionFrom(
    args,
    ({ name }) => name,
    (page) => icecore.featureSets.featureSets(page),
  );
}

interface FeatureVectorsArgs {
  readonly featureSet: string;
  readonly version?: Given<number>;
  readonly entities: readonly unknown[];
  readonly at?: Given<bigint>;
  readonly pins?: Given<readonly TableRefInput[]>;
  readonly options?: Given<PointInTimeOptionsInput>;
}

export function featureVectors(args: FeatureVectorsArgs, { icecore, signal }: ApiContext): Promise<FeatureVectors> {
  const input = {
    featureSet: args.featureSet,
    version: args.version ?? null,
    entities: args.entities,
    atMicros: args.at ?? null,
    pins: args.pins?.map(tableAsOf) ?? null,
    options: pointInTimeOptions(args.options),
  };
  return icecore.training.featureVectors(input, signal);
}

interface CreateFeatureTableInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly columns?: Given<readonly Parameters<typeof columnDefinition>[0][]>;
  readonly partitionBy?: Given<readonly { readonly column: string; readonly transform: string }[]>;
  readonly entityKeys: readonly string[];
  readonly eventTime: string;
  readonly knownTime?: Given<string>;
  readonly sequence?: Given<string>;
  readonly timeToLive?: Given<bigint>;
  readonly description?: Given<string>;
  readonly owner?: Given<string>;
  readonly tags?: unknown;
  readonly definition?: Given<string>;
}

export function createFeatureTable(
  input: CreateFeatureTableInput,
  context: ApiContext,
): Promise<{ readonly featureTable: FeatureTable }> {
  return mutate(context, 'createFeatureTable', input, async (call) => ({
    featureTable: await context.icecore.features.createFeatureTable(call, {
      name: input.name,
      columns: input.columns?.map(columnDefinition) ?? null,
      partitionBy: input.partitionBy ?? null,
      entityKeys: input.entityKeys,
      eventTime: input.eventTime,
      knownTime: input.knownTime ?? null,
      sequence: input.sequence ?? null,
      timeToLiveMicros: input.timeToLive ?? null,
      description: input.description ?? null,
      owner: input.owner ?? null,
      tags: input.tags,
      definition: input.definition ?? null,
    }),
  }));
}

interface UpdateFeatureTableInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly timeToLive?: Given<bigint>;
  readonly description?: Given<string>;
  readonly owner?: Given<string>;
  readonly tags?: unknown;
  readonly featureDescriptions?: unknown;
  readonly definition?: Given<string>;
}

export function updateFeatureTable(
  input: UpdateFeatureTableInput,
  context: ApiContext,
): Promise<{ readonly featureTable: FeatureTable }> {
  const { idempotencyKey: _, timeToLive, ...rest } = input;
  return mutate(context, 'updateFeatureTable', input, async (call) => ({
    featureTable: await context.icecore.features.updateFeatureTable(call, { ...rest, timeToLiveMicros: timeToLive }),
  }));
}

interface MaterializeFeaturesInput {
  readonly idempotencyKey?: Given<string>;
  readonly featureTable: string;
  readonly from?: Given<bigint>;
  readonly to?: Given<bigint>;
}

export function materializeFeatures(input: MaterializeFeaturesInput, context: ApiContext): Promise<{ readonly run: Run }> {
  return mutate(context, 'materializeFeatures', input, async (call) => {
    const window = { featureTable: input.featureTable, fromMicros: input.from ?? null, toMicros: input.to ?? null };
    return { run: await context.icecore.materializations.materializeFeatures(call, window) };
  });
}

interface CreateFeatureSetInput {
  readonly idempotencyKey?: Given<string>;
  readonly name: string;
  readonly features: readonly {
    readonly table: string;
    readonly feature: string;
    readonly alias?: Given<string>;
    readonly keyMap?: Given<readonly KeyMapping[]>;
  }[];
}

export function createFeatureSet(
  input: CreateFeatureSetInput,
  context: ApiContext,
): Promise<{ readonly featureSet: FeatureSet }> {
  return mutate(context, 'createFeatureSet', input, async (call) => ({
    featureSet: await context.icecore.featureSets.createFeatureSet(call, {
      name: input.name,
      features: input.features.map(({ table, feature, alias, keyMap }) => ({
        table,
        feature,
        alias: alias ?? null,
        keyMap: keyMap ?? null,
      })),
    }),
  }));
}
