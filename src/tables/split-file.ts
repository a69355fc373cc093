import type { DuckDBConnection } from '@duckdb/node-api';
import { rowGroupRowsMax } from '../limits.ts';
import { quoteText } from '../sql/quote.ts';
import { type ReturnedFile, readReturnedFile } from './returned-statistics.ts';

/** A file may be so much over the target: what is left over would make a small one. */
const tolerance = 1.25;

/**
 * A file that came out larger than the table wants its files, as several of about that size, in the order of its rows; itself where it is not.
 * Cut at row groups, so that each piece is read without the others. `options` are those of its COPY.
 */
export async function splitFile(
  connection: DuckDBConnection,
  file: ReturnedFile,
  targetBytes: bigint,
  options: readonly string[],
): Promise<readonly ReturnedFile[]> {
  if (Number(file.sizeBytes) <= Number(targetBytes) * tolerance) return [file];
  const rows = Number(file.rowCount);
  const wanted = Math.ceil(Number(file.sizeBytes) / Number(targetBytes));
  const groups = Math.max(1, Math.round(rows / wanted / rowGroupRowsMax));
  const rowsPerPiece = groups * rowGroupRowsMax;
  if (rowsPerPiece >= rows) return [file];
  const pieces: ReturnedFile[] = [];
  for (let from = 0; from < rows; from += rowsPerPiece) {
    const path = file.path.replace(/\.parquet$/, `-${pieces.length}.parquet`);
    const piece = `SELECT * FROM read_parquet(${quoteText(file.path)}, hive_partitioning = false) WHERE file_row_number >= ${from} AND file_row_number < ${from + rowsPerPiece}`;
    const copied = await connection.runAndReadAll(`COPY (${piece}) TO ${quoteText(path)} (${options.join(', ')})`);
    const [returned] = copied.getRowObjectsJson().map(readReturnedFile);
    if (returned !== undefined) pieces.push({ ...returned, partitionKeys: file.partitionKeys });
  }
  return pieces;
}
