import type { LedgerTable } from '../ledger/ledger-table.ts';
import type { ColumnLineage, LineageKind, LineageRef } from './lineage-record.ts';

/** A row of `icecore.lineage_edges`: a step that was recorded in the commit of what it wrote. */
export type LineageEdgeRow = {
  readonly id: string;
  readonly from_kind: string;
  readonly from_uuid: string;
  readonly from_version: string | null;
  readonly from_name: string;
  readonly to_kind: string;
  readonly to_uuid: string;
  readonly to_version: string | null;
  readonly to_name: string;
  readonly run_id: string | null;
  readonly recorded_at: bigint;
  readonly recorded_by: string;
  readonly columns: readonly { readonly from: string; readonly to: string; readonly transformation: string | null }[];
};

/** One step: `from` was read, `to` was written. */
export interface LineageEdge {
  readonly id: string;
  readonly from: LineageRef;
  readonly to: LineageRef;
  readonly runId: string | null;
  readonly recordedAtMicros: bigint;
  readonly columns: readonly ColumnLineage[];
}

export const lineageEdgeTable: LedgerTable<LineageEdgeRow> = {
  name: 'icecore.lineage_edges',
  mode: 'append',
  key: ['id'],
  indexes: [['from_kind', 'from_uuid', 'from_version'], ['to_kind', 'to_uuid', 'to_version'], ['run_id']],
  // Nothing guards on edges: one subject, since the catalog keeps a line for each.
  subject: () => 'lineage_edges',
  columns: [
    { name: 'id', type: 'string', required: true, doc: 'UUID of the edge' },
    { name: 'from_kind', type: 'string', required: true, doc: 'Kind of what was read' },
    { name: 'from_uuid', type: 'string', required: true, doc: 'Table uuid, or the name or id of what is no table' },
    { name: 'from_version', type: 'string', required: false, doc: 'Snapshot id, or version' },
    { name: 'from_name', type: 'string', required: true, doc: 'Its name when it was recorded' },
    { name: 'to_kind', type: 'string', required: true, doc: 'Kind of what was written' },
    { name: 'to_uuid', type: 'string', required: true, doc: 'Table uuid, or the name or id of what is no table' },
    { name: 'to_version', type: 'string', required: false, doc: 'Snapshot id, or version' },
    { name: 'to_name', type: 'string', required: true, doc: 'Its name when it was recorded' },
    { name: 'run_id', type: 'string', required: false, doc: 'The run that did it, where one did' },
    { name: 'recorded_at', type: 'timestamptz', required: true, doc: 'When it was recorded' },
    { name: 'recorded_by', type: 'string', required: true, doc: 'Actor id' },
    {
      name: 'columns',
      type: 'list<struct<from: string, to: string, transformation: string>>',
      required: true,
      doc: 'Column by column, where known',
    },
  ],
};

export function edgeOf(row: LineageEdgeRow): LineageEdge {
  return {
    id: row.id,
    from: { kind: row.from_kind as LineageKind, uuid: row.from_uuid, version: row.from_version, name: row.from_name },
    to: { kind: row.to_kind as LineageKind, uuid: row.to_uuid, version: row.to_version, name: row.to_name },
    runId: row.run_id,
    recordedAtMicros: row.recorded_at,
    columns: row.columns,
  };
}
