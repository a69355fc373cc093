import type { Schema } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { requireField, type Schema as TableSchema } from '../iceberg/schema.ts';
import type { NestedField } from '../iceberg/type.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { rowColumn } from '../tables/read-parquet.ts';
import type { ScanRelation } from '../tables/scan-relation.ts';
import type { SnapshotPlan } from '../tables/snapshot-files.ts';
import type { Table } from '../tables/table.ts';
import type { FeedOrder, FeedShare } from './feed-input.ts';
import { filePlaceColumn, orderKeySql, withFilePlace } from './feed-order-sql.ts';

export const positionColumn = '__icecore_position';

/** What one feed reads, settled before its first batch. */
export interface FeedWork {
  readonly table: Table;
  readonly schema: TableSchema;
  readonly plan: SnapshotPlan;
  readonly condition: string | null;
  readonly columns: readonly NestedField[];
  readonly arrow: Schema;
  readonly order: FeedOrder;
  readonly share: FeedShare;
  readonly start: bigint;
  readonly rowsTotal: bigint;
  readonly cursorAt: (position: bigint) => string;
  readonly signal: AbortSignal | undefined;
}

/** The rank's rows in their order. */
export function rowsSql(work: FeedWork, scan: ScanRelation, condition: string): string {
  const names = work.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const filter = work.condition === null ? '' : ` WHERE ${work.condition}`;
  const key = orderKeySql(work.order);
  const rows =
    key === null
      ? `SELECT ${names} FROM ${scan.sql} AS r${filter}`
      : `SELECT ${names} FROM ${withFilePlace(scan.sql, [...scan.tasksByPath.keys()])} AS r${filter} ORDER BY ${key}, ${filePlaceColumn}, ${rowColumn}`;
  return `SELECT ${names} FROM (SELECT *, row_number() OVER () - 1 AS ${positionColumn} FROM (${rows})) WHERE ${condition}`;
}

/** The columns asked for, in that order; all where none are named. Throws BAD_USER_INPUT. */
export function columnsOf(schema: TableSchema, names: readonly string[] | null | undefined): readonly NestedField[] {
  if (names == null) return schema.fields;
  if (names.length === 0)
    throw new IcecoreError('BAD_USER_INPUT', 'The training feed is asked for no column. Name one, or leave `columns` out.');
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new IcecoreError('BAD_USER_INPUT', `The column ${name} is asked for twice.`);
  }
  return names.map((name) => requireField(schema, name));
}
