import type { DuckDBConnection } from '@duckdb/node-api';
import type { Schema } from '../iceberg/schema.ts';
import { rowGroupRowsMax } from '../limits.ts';
import { quoteText } from '../sql/quote.ts';
import { leafColumns } from './parquet-columns.ts';
import type { ReturnedColumn, ReturnedFile } from './returned-statistics.ts';

/** What the engine does not give back of a file that it wrote, and another look at it does. */
export interface FileDetails {
  /** Where its row groups begin, in bytes. */
  readonly splitOffsets: readonly bigint[];
  /** By leaf, for those that hold NaN: how many, and the greatest of the other values, as text; null where there is no other. */
  readonly nans: ReadonlyMap<string, { readonly count: bigint; readonly max: string | null }>;
}

/** The magic bytes of Parquet come before the first row group. */
const firstRowGroupOffset = 4n;

/** Looks into a file only where it has to: one that has several row groups, or a NaN. */
export async function fileDetails(connection: DuckDBConnection, file: ReturnedFile, schema: Schema): Promise<FileDetails> {
  const splitOffsets =
    file.rowCount <= BigInt(rowGroupRowsMax) ? [firstRowGroupOffset] : await rowGroupOffsets(connection, file.path);
  return { splitOffsets, nans: await countNans(connection, file, schema) };
}

async function rowGroupOffsets(connection: DuckDBConnection, path: string): Promise<readonly bigint[]> {
  const reader = await connection.runAndReadAll(
    `SELECT min(coalesce(nullif(dictionary_page_offset, 0), data_page_offset))::BIGINT FROM parquet_metadata(${quoteText(path)}) GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return reader.getRows().map(([offset]) => BigInt(String(offset)));
}

async function countNans(connection: DuckDBConnection, file: ReturnedFile, schema: Schema) {
  const found = new Map<string, { readonly count: bigint; readonly max: string | null }>();
  const leaves = leafColumns(schema.fields).filter((leaf) => !leaf.repeated && hasNan(file.columns.get(leaf.path)));
  if (leaves.length === 0) return found;
  const columns = leaves.flatMap(({ path }) => [
    `count(*) FILTER (isnan(${path}))`,
    `CAST(max(${path}) FILTER (NOT isnan(${path})) AS VARCHAR)`,
  ]);
  const reader = await connection.runAndReadAll(
    `SELECT ${columns.join(', ')} FROM read_parquet(${quoteText(file.path)}, hive_partitioning = false)`,
  );
  const values = reader.getRows()[0] ?? [];
  for (const [index, leaf] of leaves.entries()) {
    const max = values[2 * index + 1];
    found.set(leaf.path, {
      count: BigInt(String(values[2 * index])),
      max: max === null || max === undefined ? null : String(max),
    });
  }
  return found;
}

function hasNan(column: ReturnedColumn | undefined): boolean {
  return column?.hasNan === true;
}
