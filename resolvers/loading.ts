import { IcecoreError } from '../src/errors.ts';
import type { FeatureSet } from '../src/features/feature-set.ts';
import type { Feature, FeatureTable } from '../src/features/feature-table.ts';
import { featuresOf, featureTableOf } from '../src/features/feature-table-of.ts';
import { snapshotById } from '../src/iceberg/metadata.ts';
import type { Model, ModelVersion } from '../src/models/model.ts';
import type { Run } from '../src/runs/run.ts';
import type { Table, TableSnapshotRef } from '../src/tables/table.ts';
import type { TrainingSet } from '../src/training/training-set.ts';
import type { ApiContext } from './context.ts';
import { parseVersionKey } from './version-key.ts';
import type { SnapshotView } from './views.ts';

/** Things by their keys, many at once, in the keys' order; null where there is none or the caller may not see it. */
export type Load<Loaded> = (keys: readonly string[], context: ApiContext) => Promise<readonly (Loaded | null)[]>;

export function snapshotKey({ tableUuid, snapshotId }: Pick<TableSnapshotRef, 'tableUuid' | 'snapshotId'>): string {
  return `${tableUuid}/${snapshotId}`;
}

export function featureKey({ tableUuid, fieldId }: Pick<Feature, 'tableUuid' | 'fieldId'>): string {
  return `${tableUuid}/${fieldId}`;
}

/** By uuid. */
export const loadTables: Load<Table> = (uuids, { icecore }) => icecore.tables.findManyByUuid(uuids);

/** By `snapshotKey`: each table is read once, however many of its snapshots are asked for. */
export const loadSnapshots: Load<SnapshotView> = async (keys, context) => {
  const pairs = keys.map(splitKey);
  const tables = await tablesByUuid(
    pairs.map(([uuid]) => uuid),
    context,
  );
  return pairs.map(([uuid, id]) => {
    const table = tables.get(uuid);
    const snapshot = table === undefined ? undefined : snapshotById(table.metadata, BigInt(id));
    return table === undefined || snapshot === undefined ? null : { table, snapshot };
  });
};

/** By the table's uuid. */
export const loadFeatureTables: Load<FeatureTable> = async (uuids, context) => {
  const tables = await tablesByUuid(uuids, context);
  return uuids.map((uuid) => {
    const table = tables.get(uuid);
    return table === undefined ? null : featureTableOf(table);
  });
};

/** By `featureKey`. */
export const loadFeatures: Load<Feature> = async (keys, context) => {
  const pairs = keys.map(splitKey);
  const tables = await tablesByUuid(
    pairs.map(([uuid]) => uuid),
    context,
  );
  return pairs.map(([uuid, fieldId]) => {
    const table = tables.get(uuid);
    return table === undefined ? null : (featuresOf(table).find((feature) => String(feature.fieldId) === fieldId) ?? null);
  });
};

/** By `versionKey`, as the two below: reads of the local index. */
export const loadFeatureSets: Load<FeatureSet> = (keys, { icecore }) =>
  Promise.all(keys.map(parseVersionKey).map(({ name, version }) => icecore.featureSets.featureSet(name, version)));

export const loadTrainingSets: Load<TrainingSet> = (keys, { icecore }) =>
  Promise.all(keys.map(parseVersionKey).map(({ name, version }) => icecore.training.trainingSet(name, version)));

export const loadModelVersions: Load<ModelVersion> = (keys, { icecore }) =>
  Promise.all(keys.map(parseVersionKey).map(({ name, version }) => icecore.models.read.version(name, version)));

/** By name. */
export const loadModels: Load<Model> = (names, { icecore }) => Promise.all(names.map((name) => icecore.models.read.model(name)));

/** By id. */
export const loadRuns: Load<Run> = (ids, { icecore }) => icecore.runs.getMany(ids);

/** A key for a field that cannot be null. Throws NOT_FOUND where the caller may not see what it stands for. */
export async function shownKey(key: string, load: Load<object>, what: string, context: ApiContext): Promise<string> {
  if (context.icecore.access.permissions.unrestricted) return key;
  const [found] = await load([key], context);
  if (found != null) return key;
  throw new IcecoreError('NOT_FOUND', `${what} is gone, or may not be read by this caller.`);
}

/** The runs that wrote snapshots, by `snapshotKey`. */
export const loadProducers: Load<Run> = async (keys, { icecore }) => {
  const snapshots = keys.map(splitKey).map(([tableUuid, snapshotId]) => ({ tableUuid, snapshotId: BigInt(snapshotId) }));
  const ids = await icecore.lineage.producers(snapshots);
  const runs = await icecore.runs.getMany(ids.filter((id) => id !== null));
  const byId = new Map(runs.flatMap((run) => (run === null ? [] : [[run.id, run]])));
  return ids.map((id) => (id === null ? null : (byId.get(id) ?? null)));
};

async function tablesByUuid(uuids: readonly string[], context: ApiContext): Promise<ReadonlyMap<string, Table>> {
  const distinct = [...new Set(uuids)];
  const tables = await loadTables(distinct, context);
  return new Map(tables.flatMap((table) => (table === null ? [] : [[table.uuid, table]])));
}

function splitKey(key: string): readonly [string, string] {
  const slash = key.lastIndexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}
