import { columnNames } from '../iceberg/schema.ts';
import type { ColumnLineage } from '../lineage/lineage-record.ts';
import type { ParsedSelect } from '../sql/select.ts';
import { schemaAsOf } from '../tables/resolve-as-of.ts';
import { type SelectSource, snapshotsOf } from '../tables/select-sources.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { columnOrigins } from './select-lineage.ts';

/** A snapshot that was read, and the columns that are known to come from it. */
export interface SourceColumns {
  readonly source: TableSnapshotRef;
  readonly columns: readonly ColumnLineage[];
}

/** The snapshots behind a SELECT, each once, with the columns that came from each. */
export function sourceColumns(select: ParsedSelect, sources: readonly SelectSource[]): readonly SourceColumns[] {
  const names = sources.map(({ table, asOf, snapshot }) => columnNames(schemaAsOf(table, asOf, snapshot)));
  const origins = columnOrigins(select, names);
  return snapshotsOf(sources).map((source) => {
    const isOf = (read: SelectSource | undefined) =>
      read?.table.uuid === source.tableUuid && read.snapshot?.snapshotId === source.snapshotId;
    const here = origins.filter(({ reference }) => isOf(sources[reference]));
    const columns = here.map(({ from, to, isPlain }) => ({ from, to, transformation: isPlain ? null : 'computed' }));
    return { source, columns };
  });
}
