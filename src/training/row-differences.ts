import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { spinePosition } from '../features/point-in-time/plan.ts';
import { valueIdentitySql } from '../features/point-in-time/value-identity.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import { differingRowsShownMax } from '../limits.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import type { TrainingRows } from './build-training-set.ts';
import { requireSnapshot } from './feature-pins.ts';

/** In words, which columns of which rows differ from the rows that were kept. */
export async function rowDifferences(
  tables: Tables,
  connection: DuckDBConnection,
  rows: TrainingRows,
  kept: TableSnapshotRef,
): Promise<readonly string[]> {
  try {
    const scan = await scanRelation(tables, await requireSnapshot(tables, kept));
    try {
      const keptColumns = scan.schema.fields.map(({ name, type }) => ({ column: name, type }));
      const schema = columnDifferences(rows.columns, keptColumns);
      return [...schema, ...(schema.length > 0 ? [] : await cellDifferences(connection, rows, scan.sql))];
    } finally {
      scan.release();
    }
  } catch (error) {
    if (!IcecoreError.is(error, 'NOT_FOUND')) throw error;
    return [`The rows that were kept cannot be compared: ${error.message}`];
  }
}

type Columns = TrainingRows['columns'];

function columnDifferences(now: Columns, kept: Columns): readonly string[] {
  const text = (columns: Columns) => columns.map(({ column, type }) => `${column} ${printTypeText(type)}`).join(', ');
  return text(now) === text(kept) ? [] : [`The columns are ${text(now)}, and were ${text(kept)}.`];
}

async function cellDifferences(connection: DuckDBConnection, rows: TrainingRows, kept: string): Promise<readonly string[]> {
  const joined = `${rows.relation} n FULL JOIN ${kept} k ON n.${spinePosition} = k.${spinePosition}`;
  const differences: string[] = [];
  for (const { column, type } of rows.columns) {
    const name = quoteIdentifier(column);
    const differs = `${valueIdentitySql(`n.${name}`, type)} IS DISTINCT FROM ${valueIdentitySql(`k.${name}`, type)}`;
    const position = `coalesce(n.${spinePosition}, k.${spinePosition})`;
    const reader = await connection.runAndReadAll(
      `SELECT count(*), array_to_string(list(${position} ORDER BY ${position})[1:${differingRowsShownMax}], ', ') FROM ${joined} WHERE ${differs}`,
    );
    const [count, first] = reader.getRows()[0] ?? [];
    if (count === undefined || count === null || String(count) === '0') continue;
    differences.push(`${column} differs in ${String(count)} rows, the first at ${spinePosition} ${String(first)}.`);
  }
  return differences.length > 0
    ? differences
    : ['The cells are equal to the rows that were kept, and those are not what was digested.'];
}
