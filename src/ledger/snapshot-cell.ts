import type { TableSnapshotRef } from '../tables/table.ts';

/** The Iceberg type of a column that holds a table at a snapshot. */
export const snapshotType = 'struct<table_uuid: string, table_name: string, snapshot_id: long>';

/** A table at a snapshot as the cell of such a column. */
export type SnapshotCell = { readonly table_uuid: string; readonly table_name: string; readonly snapshot_id: bigint };

export function snapshotCell({ tableUuid, tableName, snapshotId }: TableSnapshotRef): SnapshotCell {
  return { table_uuid: tableUuid, table_name: tableName, snapshot_id: snapshotId };
}

export function snapshotOf({ table_uuid, table_name, snapshot_id }: SnapshotCell): TableSnapshotRef {
  return { tableUuid: table_uuid, tableName: table_name, snapshotId: snapshot_id };
}
