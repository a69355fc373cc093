import { type ActorCell, actorCell, actorOf, actorType } from '../access/actor-row.ts';
import type { LedgerTable } from '../ledger/ledger-table.ts';
import type { FeatureRef, FeatureSet, FrozenFeatureTable } from './feature-set.ts';

type KeyCell = { readonly key: string; readonly spine_column: string };
type FeatureCell = {
  readonly table_uuid: string;
  readonly table: string;
  readonly field_id: number;
  readonly feature: string;
  readonly alias: string;
  readonly type: string;
  readonly key_map: readonly KeyCell[];
};
type ColumnCell = { readonly field_id: number; readonly name: string; readonly type: string };
type FrozenTableCell = {
  readonly table_uuid: string;
  readonly table: string;
  readonly entity_keys: readonly ColumnCell[];
  readonly event_time: ColumnCell;
  readonly known_time: ColumnCell | null;
  readonly sequence: ColumnCell | null;
  readonly time_to_live_micros: bigint | null;
};

export type FeatureSetRow = {
  readonly name: string;
  readonly version: number;
  readonly hash: string;
  readonly features: readonly FeatureCell[];
  readonly tables: readonly FrozenTableCell[];
  /** The same uuids once more, where the index can find them. */
  readonly table_uuids: readonly string[];
  readonly created_at: bigint;
  readonly created_by: ActorCell;
};

const key = 'struct<key: string, spine_column: string>';
const column = 'struct<field_id: int, name: string, type: string>';
const feature = `struct<table_uuid: string, table: string, field_id: int, feature: string, alias: string, type: string, key_map: list<${key}>>`;
const frozen = `struct<table_uuid: string, table: string, entity_keys: list<${column}>, event_time: ${column}, known_time: ${column}, sequence: ${column}, time_to_live_micros: long>`;

export const featureSetTable: LedgerTable<FeatureSetRow> = {
  name: 'icecore.feature_sets',
  columns: [
    { name: 'name', type: 'string', required: true, doc: 'The set’s name.' },
    { name: 'version', type: 'int', required: true, doc: 'From 1; never used twice.' },
    { name: 'hash', type: 'string', required: true, doc: 'SHA-256 over the canonical JSON of what the version froze.' },
    { name: 'features', type: `list<${feature}>`, required: true, doc: 'The features in order, by table uuid and field id.' },
    { name: 'tables', type: `list<${frozen}>`, required: true, doc: 'What was frozen of each feature table.' },
    { name: 'table_uuids', type: 'list<string>', required: true, doc: 'The feature tables.' },
    { name: 'created_at', type: 'timestamptz', required: true, doc: 'When.' },
    { name: 'created_by', type: actorType, required: true, doc: 'Who.' },
  ],
  key: ['name', 'version'],
  mode: 'append',
  indexes: [['name', 'version']],
  subject: ({ name }) => featureSetSubject(name),
};

/** What guards and audit entries call a feature set. */
export function featureSetSubject(name: string): string {
  return `feature-set/${name}`;
}

export function featureSetRow(set: FeatureSet): FeatureSetRow {
  return {
    name: set.name,
    version: set.version,
    hash: set.hash,
    features: set.features.map((ref) => ({
      table_uuid: ref.tableUuid,
      table: ref.table,
      field_id: ref.fieldId,
      feature: ref.feature,
      alias: ref.alias,
      type: ref.type,
      key_map: ref.keyMap.map((mapping) => ({ key: mapping.key, spine_column: mapping.spineColumn })),
    })),
    tables: set.tables.map((table) => ({
      table_uuid: table.tableUuid,
      table: table.table,
      entity_keys: table.entityKeys.map(columnCell),
      event_time: columnCell(table.eventTime),
      known_time: table.knownTime === null ? null : columnCell(table.knownTime),
      sequence: table.sequence === null ? null : columnCell(table.sequence),
      time_to_live_micros: table.timeToLiveMicros,
    })),
    table_uuids: set.tables.map((table) => table.tableUuid),
    created_at: set.createdAtMicros,
    created_by: actorCell(set.createdBy),
  };
}

export function featureSetOf(row: FeatureSetRow): FeatureSet {
  return {
    name: row.name,
    version: row.version,
    features: row.features.map(featureOf),
    tables: row.tables.map(frozenTableOf),
    hash: row.hash,
    createdAtMicros: row.created_at,
    createdBy: actorOf(row.created_by),
  };
}

function featureOf(cell: FeatureCell): FeatureRef {
  return {
    tableUuid: cell.table_uuid,
    table: cell.table,
    fieldId: cell.field_id,
    feature: cell.feature,
    alias: cell.alias,
    type: cell.type,
    keyMap: cell.key_map.map((mapping) => ({ key: mapping.key, spineColumn: mapping.spine_column })),
  };
}

function frozenTableOf(cell: FrozenTableCell): FrozenFeatureTable {
  return {
    tableUuid: cell.table_uuid,
    table: cell.table,
    entityKeys: cell.entity_keys.map(frozenColumnOf),
    eventTime: frozenColumnOf(cell.event_time),
    knownTime: cell.known_time === null ? null : frozenColumnOf(cell.known_time),
    sequence: cell.sequence === null ? null : frozenColumnOf(cell.sequence),
    timeToLiveMicros: cell.time_to_live_micros,
  };
}

type FrozenColumn = FrozenFeatureTable['eventTime'];

function columnCell({ fieldId, name, type }: FrozenColumn): ColumnCell {
  return { field_id: fieldId, name, type };
}

function frozenColumnOf({ field_id, name, type }: ColumnCell): FrozenColumn {
  return { fieldId: field_id, name, type };
}
