import type { DuckDBValue } from '@duckdb/node-api';
import { parseTypeText } from '../iceberg/type-text.ts';
import { scoringRowGroupRows } from '../limits.ts';
import type { ModelField } from '../models/model.ts';
import { cellJson, type JsonValue } from '../sql/cell-json.ts';
import type { ConnectionPool } from '../sql/connection-pool.ts';
import { quoteText } from '../sql/quote.ts';
import { inputColumn, rowColumn } from './stage-input.ts';

/** Consecutive staged rows: `columns[i]` holds the values of the model's input i in the contract's JSON forms. */
export interface BatchRows {
  readonly index: number;
  readonly firstRow: number;
  readonly rowCount: number;
  readonly columns: readonly (readonly JsonValue[])[];
}

/**
 * The batches of a staged file but those to be left out, in order. Reads some batches ahead at a time, on a connection that it has
 * for that moment alone: a slow model must not hold one.
 */
export async function* batchRows(
  duckdb: ConnectionPool,
  file: { readonly path: string; readonly rowCount: number },
  inputs: readonly ModelField[],
  batchSize: number,
  leftOut: ReadonlySet<number>,
  signal: AbortSignal,
): AsyncGenerator<BatchRows> {
  const batchesAtOnce = Math.max(1, Math.floor(scoringRowGroupRows / batchSize));
  const batchCount = Math.ceil(file.rowCount / batchSize);
  for (let first = 0; first < batchCount; first += batchesAtOnce) {
    const batches = Array.from({ length: Math.min(batchesAtOnce, batchCount - first) }, (_, offset) => first + offset);
    if (batches.every((index) => leftOut.has(index))) continue;
    const firstRow = first * batchSize;
    const columns = await readColumns(duckdb, file.path, inputs, firstRow, firstRow + batches.length * batchSize, signal);
    for (const [offset, index] of batches.entries()) {
      if (leftOut.has(index)) continue;
      const from = offset * batchSize;
      const rowCount = Math.min(batchSize, file.rowCount - index * batchSize);
      yield {
        index,
        firstRow: index * batchSize,
        rowCount,
        columns: columns.map((column) => column.slice(from, from + rowCount)),
      };
    }
  }
}

async function readColumns(
  duckdb: ConnectionPool,
  path: string,
  inputs: readonly ModelField[],
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<readonly (readonly JsonValue[])[]> {
  const columns = await duckdb.use(async (connection) => {
    const names = inputs.map((_, index) => inputColumn(index)).join(', ');
    const rows = `read_parquet(${quoteText(path)}, hive_partitioning = false)`;
    const reader = await connection.runAndReadAll(
      `SELECT ${names} FROM ${rows} WHERE ${rowColumn} >= ${from} AND ${rowColumn} < ${to} ORDER BY ${rowColumn}`,
    );
    return reader.getColumns();
  }, signal);
  return inputs.map(({ type }, index) => {
    const wanted = parseTypeText(type, () => 0);
    return (columns[index] ?? []).map((value: DuckDBValue) => cellJson(value, wanted));
  });
}
