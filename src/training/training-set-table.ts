import { type ActorCell, actorCell, actorOf, actorType } from '../access/actor-row.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import { type SnapshotCell, snapshotCell, snapshotOf, snapshotType } from '../ledger/snapshot-cell.ts';
import type { PointInTimeOptions, Split, TrainingSet } from './training-set.ts';

type OptionsCell = {
  readonly boundary: string;
  readonly knowledge: string;
  readonly on_tie: string;
  readonly nulls: string;
  readonly match_status: boolean;
};
type SplitCell = {
  readonly kind: string;
  readonly windows: readonly { readonly name: string; readonly from_micros: bigint | null; readonly to_micros: bigint | null }[];
  readonly columns: readonly string[];
  readonly seed: bigint | null;
  readonly shares: readonly { readonly name: string; readonly share: number }[];
};

export type TrainingSetRow = {
  readonly name: string;
  readonly version: number;
  readonly data_table_uuid: string;
  readonly data_table: string;
  readonly data_snapshot_id: bigint;
  readonly spine: SnapshotCell;
  readonly spine_event_time: string;
  readonly labels: readonly string[];
  readonly sources: readonly SnapshotCell[];
  readonly feature_snapshots: readonly SnapshotCell[];
  readonly feature_set: string;
  readonly feature_set_version: number;
  readonly options: OptionsCell;
  readonly split: SplitCell | null;
  readonly row_count: bigint;
  readonly digest: string;
  readonly rule_version: string;
  readonly redacted: boolean;
  readonly created_at: bigint;
  readonly created_by: ActorCell;
  readonly run_id: string;
};

const options = 'struct<boundary: string, knowledge: string, on_tie: string, nulls: string, match_status: boolean>';
const windows = 'list<struct<name: string, from_micros: long, to_micros: long>>';
const shares = 'list<struct<name: string, share: double>>';
const split = `struct<kind: string, windows: ${windows}, columns: list<string>, seed: long, shares: ${shares}>`;

export const trainingSetTable: LedgerTable<TrainingSetRow> = {
  name: 'icecore.training_sets',
  columns: [
    { name: 'name', type: 'string', required: true, doc: 'The training set’s name.' },
    { name: 'version', type: 'int', required: true, doc: 'From 1; never used twice.' },
    { name: 'data_table_uuid', type: 'string', required: true, doc: 'The table of its rows.' },
    { name: 'data_table', type: 'string', required: true, doc: 'That table’s name when it was made.' },
    { name: 'data_snapshot_id', type: 'long', required: true, doc: 'The snapshot of its rows; pinned.' },
    { name: 'spine', type: snapshotType, required: true, doc: 'The numbered spine; pinned.' },
    { name: 'spine_event_time', type: 'string', required: true, doc: 'The spine’s column that says the moment of each row.' },
    { name: 'labels', type: 'list<string>', required: true, doc: 'Columns of the spine that are labels.' },
    { name: 'sources', type: `list<${snapshotType}>`, required: true, doc: 'Every snapshot that it was computed from; pinned.' },
    {
      name: 'feature_snapshots',
      type: `list<${snapshotType}>`,
      required: true,
      doc: 'Those of them that the feature tables were read at.',
    },
    { name: 'feature_set', type: 'string', required: true, doc: 'The feature set.' },
    { name: 'feature_set_version', type: 'int', required: true, doc: 'Its version.' },
    { name: 'options', type: options, required: true, doc: 'The options of the point-in-time join.' },
    { name: 'split', type: split, required: false, doc: 'How it was split.' },
    { name: 'row_count', type: 'long', required: true, doc: 'Its rows.' },
    { name: 'digest', type: 'string', required: true, doc: 'Of its rows in their order, icecore-rows/1.' },
    { name: 'rule_version', type: 'string', required: true, doc: 'The version of the point-in-time rule.' },
    { name: 'redacted', type: 'boolean', required: true, doc: 'True where rows that it rests on were erased.' },
    { name: 'created_at', type: 'timestamptz', required: true, doc: 'When.' },
    { name: 'created_by', type: actorType, required: true, doc: 'Who.' },
    { name: 'run_id', type: 'string', required: true, doc: 'The run that made it.' },
  ],
  key: ['name', 'version'],
  mode: 'upsert',
  indexes: [
    ['name', 'version'],
    ['feature_set', 'feature_set_version'],
    ['data_table_uuid', 'data_snapshot_id'],
  ],
  subject: ({ name }) => trainingSetSubject(name),
};

/** What guards and audit entries call a training set. */
export function trainingSetSubject(name: string): string {
  return `training-set/${name}`;
}

export function trainingSetRow(set: TrainingSet): TrainingSetRow {
  return {
    name: set.name,
    version: set.version,
    data_table_uuid: set.data.tableUuid,
    data_table: set.data.tableName,
    data_snapshot_id: set.data.snapshotId,
    spine: snapshotCell(set.spine),
    spine_event_time: set.spineEventTime,
    labels: set.labels,
    sources: set.sources.map(snapshotCell),
    feature_snapshots: set.featureSnapshots.map(snapshotCell),
    feature_set: set.featureSet.name,
    feature_set_version: set.featureSet.version,
    options: {
      boundary: set.options.boundary,
      knowledge: set.options.knowledge,
      on_tie: set.options.onTie,
      nulls: set.options.nulls,
      match_status: set.options.matchStatus,
    },
    split: set.split === null ? null : splitCell(set.split),
    row_count: set.rowCount,
    digest: set.digest,
    rule_version: set.ruleVersion,
    redacted: set.redacted,
    created_at: set.createdAtMicros,
    created_by: actorCell(set.createdBy),
    run_id: set.runId,
  };
}

export function trainingSetOf(row: TrainingSetRow): TrainingSet {
  return {
    name: row.name,
    version: row.version,
    data: { tableUuid: row.data_table_uuid, tableName: row.data_table, snapshotId: row.data_snapshot_id },
    spine: snapshotOf(row.spine),
    spineEventTime: row.spine_event_time,
    labels: row.labels,
    sources: row.sources.map(snapshotOf),
    featureSnapshots: row.feature_snapshots.map(snapshotOf),
    featureSet: { name: row.feature_set, version: row.feature_set_version },
    options: optionsOf(row.options),
    split: row.split === null ? null : splitOf(row.split),
    rowCount: row.row_count,
    digest: row.digest,
    redacted: row.redacted,
    ruleVersion: row.rule_version,
    createdAtMicros: row.created_at,
    createdBy: actorOf(row.created_by),
    runId: row.run_id,
  };
}

function optionsOf(cell: OptionsCell): PointInTimeOptions {
  return {
    boundary: cell.boundary as PointInTimeOptions['boundary'],
    knowledge: cell.knowledge as PointInTimeOptions['knowledge'],
    onTie: cell.on_tie as PointInTimeOptions['onTie'],
    nulls: cell.nulls as PointInTimeOptions['nulls'],
    matchStatus: cell.match_status,
  };
}

function splitCell(given: Split): SplitCell {
  if (given.kind === 'HASH') return { kind: 'HASH', windows: [], columns: given.columns, seed: given.seed, shares: given.shares };
  const cells = given.windows.map(({ name, fromMicros, toMicros }) => ({ name, from_micros: fromMicros, to_micros: toMicros }));
  return { kind: 'TIME', windows: cells, columns: [], seed: null, shares: [] };
}

function splitOf(cell: SplitCell): Split {
  if (cell.kind === 'HASH') return { kind: 'HASH', columns: cell.columns, seed: cell.seed ?? 0n, shares: cell.shares };
  const read = cell.windows.map(({ name, from_micros, to_micros }) => ({ name, fromMicros: from_micros, toMicros: to_micros }));
  return { kind: 'TIME', windows: read };
}
