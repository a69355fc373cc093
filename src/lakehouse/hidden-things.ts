import type { FeatureSets } from '../features/feature-sets.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { ModelReader } from '../models/model-reader.ts';
import type { Runs } from '../runs/runs.ts';
import { areReadable, mayReadName } from '../tables/readable.ts';
import type { Tables } from '../tables/tables.ts';
import type { Training } from '../training/training.ts';

export interface Shown {
  readonly tables: Tables;
  readonly featureSets: FeatureSets;
  readonly training: Training;
  readonly models: ModelReader;
  readonly runs: Runs;
}

/** Which of these things do not show to the caller at hand, in their order: each by the tables that it is about (docs/access.md). */
export async function hiddenThings(shown: Shown, refs: readonly LineageRef[]): Promise<readonly boolean[]> {
  const { access } = shown.tables;
  if (access.permissions.unrestricted) return refs.map(() => false);
  const tables = await readableTables(shown, refs);
  const runIds = [...new Set(refs.flatMap(({ kind, uuid }) => (kind === 'RUN' ? [uuid] : [])))];
  const runs = new Set((await shown.runs.getMany(runIds)).flatMap((run) => run?.id ?? []));
  const named = new Map<string, boolean>();
  const hidden: boolean[] = [];
  for (const ref of refs) {
    if (ref.kind === 'RUN') hidden.push(!runs.has(ref.uuid));
    else if (isOfTable(ref)) hidden.push(tables.get(keyOf(ref)) !== true);
    else {
      const key = keyOf(ref);
      const shows = named.get(key) ?? (await isNamedShown(shown, ref));
      named.set(key, shows);
      hidden.push(!shows);
    }
  }
  return hidden;
}

/** By uuid or by name and version; what comes from outside has no table to judge it by. */
async function isNamedShown({ featureSets, models, tables, training }: Shown, ref: LineageRef): Promise<boolean> {
  const { kind, uuid: name } = ref;
  const version = ref.version === null ? null : Number(ref.version);
  if (version !== null && !Number.isSafeInteger(version)) return false;
  switch (kind) {
    case 'FEATURE_SET':
      return (await featureSets.featureSet(name, version)) !== null;
    case 'TRAINING_SET':
      return (await training.trainingSet(name, version)) !== null;
    case 'MODEL_VERSION':
      return (version === null ? await models.model(name) : await models.version(name, version)) !== null;
    default:
      return tables.access.mayReadAll();
  }
}

/** Tables, their features and their predictions: by the table's name now, and by the one in the name that was recorded. */
async function readableTables({ tables }: Shown, refs: readonly LineageRef[]): Promise<ReadonlyMap<string, boolean>> {
  const { access, catalog } = tables;
  const ofTables = [...new Map(refs.filter(isOfTable).map((ref) => [keyOf(ref), ref])).values()];
  const uuids = [...new Set(ofTables.map(tableUuidOf))];
  const there = uuids.length === 0 ? [] : await access.asServer(() => catalog.loadManyByUuid(uuids));
  const pointers = new Map(there.flatMap((pointer) => (pointer === null ? [] : [[pointer.uuid, pointer]])));
  const recorded = ofTables.filter(({ kind, name, uuid }) => kind === 'TABLE' && name !== uuid && name !== '');
  const readable = await areReadable(
    tables,
    recorded.map(({ uuid, name }) => ({ tableUuid: uuid, tableName: name })),
  );
  const byRecord = new Map(recorded.map((ref, index) => [ref, readable[index] === true]));
  return new Map(
    ofTables.map((ref) => {
      const pointer = pointers.get(tableUuidOf(ref));
      // A feature's name begins with its table's, and so does whatever covers it.
      const isNameReadable = ref.kind !== 'FEATURE' || ref.name === ref.uuid || mayReadName(tables, ref.name);
      const isThereReadable = pointer === undefined ? access.mayReadAll() : access.mayRead(pointer.identifier);
      return [keyOf(ref), byRecord.get(ref) ?? (isNameReadable && isThereReadable)];
    }),
  );
}

function isOfTable({ kind }: LineageRef): boolean {
  return kind === 'TABLE' || kind === 'FEATURE' || kind === 'PREDICTION';
}

function tableUuidOf({ kind, uuid }: LineageRef): string {
  return kind === 'TABLE' ? uuid : (uuid.split('/')[0] ?? '');
}

function keyOf({ kind, uuid, version, name }: LineageRef): string {
  return JSON.stringify([kind, uuid, isOfTable({ kind, uuid, version, name }) ? name : version]);
}
