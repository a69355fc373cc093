import { IcecoreError } from '../errors.ts';
import type { FeatureSet, FrozenFeatureTable } from '../features/feature-set.ts';
import type { PinnedFeatureRows } from '../features/point-in-time/feature-joins.ts';
import { parseIdentifier, printIdentifier } from '../iceberg/identifier.ts';
import { snapshotById, snapshotSchema } from '../iceberg/metadata.ts';
import { fieldById, type Schema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { mayReadName } from '../tables/readable.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import { type ScanRelation, scanRelation } from '../tables/scan-relation.ts';
import type { AsOf, Table, TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

/** A table at a point, as a caller names it. */
export interface TableAsOf {
  readonly name: string;
  readonly asOf?: AsOf | undefined;
}

/** A feature table of a set at the snapshot that it is read at; none where it has no rows yet. */
export interface FeaturePin {
  readonly frozen: FrozenFeatureTable;
  readonly at: { readonly table: Table; readonly snapshot: Snapshot } | null;
}

/**
 * The snapshots that a set's feature tables are read at: those asked for, else the current ones, all of one moment. Throws NOT_FOUND for
 * a table or snapshot that is gone, BAD_USER_INPUT for a pin of a table that the set does not use.
 */
export async function resolveFeaturePins(
  tables: Tables,
  set: FeatureSet,
  pins: readonly TableAsOf[],
): Promise<readonly FeaturePin[]> {
  const asked = new Map<string, AsOf | undefined>();
  for (const pin of pins) {
    const { uuid } = await tables.load(parseIdentifier(pin.name));
    if (!set.tables.some((table) => table.tableUuid === uuid)) {
      const names = set.tables.map((table) => table.table).join(', ');
      throw bad(`${pin.name} is pinned, and the feature set ${set.name} takes nothing from it. It uses ${names}.`);
    }
    if (asked.has(uuid)) throw bad(`${pin.name} is pinned twice. Name one snapshot for it.`);
    asked.set(uuid, pin.asOf);
  }
  const resolved: FeaturePin[] = [];
  for (const frozen of set.tables) {
    const table = await requireTable(tables, frozen);
    const snapshot = resolveAsOf(table, asked.get(frozen.tableUuid));
    resolved.push({ frozen, at: snapshot === null ? null : { table, snapshot } });
  }
  return resolved;
}

async function requireTable(tables: Tables, frozen: FrozenFeatureTable): Promise<Table> {
  const table = await tables.findByUuid(frozen.tableUuid);
  if (table !== null) return table;
  if (!mayReadName(tables, frozen.table)) throw unseen();
  throw new IcecoreError(
    'NOT_FOUND',
    `The feature table ${frozen.table} was dropped. Make a new version of the feature set without it.`,
    {
      context: { table: frozen.table },
    },
  );
}

function bad(message: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', message);
}

/** The pins of a training set once more. Throws NOT_FOUND where one is gone. */
export async function recordedFeaturePins(
  tables: Tables,
  set: FeatureSet,
  snapshots: readonly TableSnapshotRef[],
): Promise<readonly FeaturePin[]> {
  const pins: FeaturePin[] = [];
  for (const frozen of set.tables) {
    const ref = snapshots.find((candidate) => candidate.tableUuid === frozen.tableUuid);
    if (ref === undefined) pins.push({ frozen, at: null });
    else pins.push({ frozen, at: await requireSnapshot(tables, ref) });
  }
  return pins;
}

/** A recorded snapshot with its table. Throws NOT_FOUND where either is gone. */
export async function requireSnapshot(
  tables: Tables,
  ref: TableSnapshotRef,
): Promise<{ readonly table: Table; readonly snapshot: Snapshot }> {
  const table = await tables.findByUuid(ref.tableUuid);
  const snapshot = table === null ? undefined : snapshotById(table.metadata, ref.snapshotId);
  if (table !== null && snapshot !== undefined) return { table, snapshot };
  if (!mayReadName(tables, ref.tableName)) throw unseen();
  const what = table === null ? 'the table was dropped' : 'the snapshot was removed';
  throw new IcecoreError('NOT_FOUND', `Snapshot ${ref.snapshotId} of ${ref.tableName} is gone: ${what}.`, {
    context: { table: ref.tableName, snapshotId: ref.snapshotId.toString() },
  });
}

/** Of what the caller did not name themselves, and may not read: whether it is there is not theirs to know. */
function unseen(): IcecoreError {
  return new IcecoreError('NOT_FOUND', 'A table that it rests on is gone, or may not be read by this caller.');
}

/** What is recorded of pins: the snapshots, each once. */
export function pinnedSnapshots(pins: readonly FeaturePin[]): readonly TableSnapshotRef[] {
  return pins.flatMap(({ at }) => (at === null ? [] : [snapshotRef(at.table, at.snapshot)]));
}

export function snapshotRef(table: Pick<Table, 'identifier' | 'uuid'>, snapshot: Pick<Snapshot, 'snapshotId'>): TableSnapshotRef {
  return { tableUuid: table.uuid, tableName: printIdentifier(table.identifier), snapshotId: snapshot.snapshotId };
}

/** The columns of pinned feature tables, for plans that read no row. */
export function columnsOfPins(set: FeatureSet, pins: readonly FeaturePin[]): (tableUuid: string) => PinnedFeatureRows {
  return (tableUuid) => {
    const { frozen, at } = requirePin(pins, tableUuid);
    return at === null ? noRows(set, frozen) : scanned(frozen, '', snapshotSchema(at.table.metadata, at.snapshot));
  };
}

function requirePin(pins: readonly FeaturePin[], tableUuid: string): FeaturePin {
  const pin = pins.find(({ frozen }) => frozen.tableUuid === tableUuid);
  if (pin === undefined) throw new IcecoreError('INTERNAL', `The table ${tableUuid} of a feature set was not pinned.`);
  return pin;
}

/** Rows of feature tables, open until they are released. */
export interface OpenPins {
  rowsOf(tableUuid: string): PinnedFeatureRows;
  release(): void;
}

/** Opens the files of the pinned snapshots. */
export async function openPins(
  tables: Tables,
  set: FeatureSet,
  pins: readonly FeaturePin[],
  signal?: AbortSignal,
): Promise<OpenPins> {
  const scans = new Map<string, ScanRelation>();
  const release = () => {
    for (const scan of scans.values()) scan.release();
  };
  try {
    for (const { frozen, at } of pins) {
      if (at === null) continue;
      scans.set(frozen.tableUuid, await scanRelation(tables, { ...at, ...(signal === undefined ? {} : { signal }) }));
    }
  } catch (error) {
    release();
    throw error;
  }
  return {
    rowsOf(tableUuid) {
      const pin = requirePin(pins, tableUuid);
      const scan = scans.get(tableUuid);
      return scan === undefined ? noRows(set, pin.frozen) : scanned(pin.frozen, scan.sql, scan.schema);
    },
    release,
  };
}

function scanned(frozen: FrozenFeatureTable, relation: string, schema: Schema): PinnedFeatureRows {
  return {
    relation,
    column(fieldId) {
      const field = fieldById(schema, fieldId);
      if (field !== undefined) return { column: field.name, type: field.type };
      throw new IcecoreError(
        'FAILED_PRECONDITION',
        `${frozen.table} has no field ${fieldId} at the snapshot that is to be read: the column came later, or was dropped. Pin a snapshot that has it.`,
        { context: { table: frozen.table, fieldId } },
      );
    },
  };
}

/** A table that had no snapshot: no rows, of the types that were frozen. */
function noRows(set: FeatureSet, frozen: FrozenFeatureTable): PinnedFeatureRows {
  const { entityKeys, eventTime, knownTime, sequence } = frozen;
  const structural = [
    ...entityKeys,
    eventTime,
    ...(knownTime === null ? [] : [knownTime]),
    ...(sequence === null ? [] : [sequence]),
  ];
  const features = set.features.filter((ref) => ref.tableUuid === frozen.tableUuid);
  const types = new Map([...structural, ...features].map(({ fieldId, type }) => [fieldId, parseTypeText(type, () => 0)]));
  const columns = [...types].map(([id, type]) => `CAST(NULL AS ${duckDbTypeText(type)}) AS c${id}`);
  return {
    relation: `(SELECT ${columns.join(', ')} WHERE false)`,
    column: (fieldId) => ({ column: `c${fieldId}`, type: types.get(fieldId) ?? 'unknown' }),
  };
}
