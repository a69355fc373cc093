import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import { rowGroupRowsMax } from '../limits.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import type { DataFilesToWrite } from './data-file-writer.ts';
import { printFieldIds } from './parquet-columns.ts';
import type { PartitionColumn } from './partition-columns.ts';
import { type ReturnedFile, readReturnedFile } from './returned-statistics.ts';
import { splitFile } from './split-file.ts';
import { targetFileBytes } from './target-file-size.ts';

const codecs: ReadonlyMap<string, string> = new Map([
  ['zstd', 'zstd'],
  ['snappy', 'snappy'],
  ['gzip', 'gzip'],
  ['lz4', 'lz4_raw'],
  ['uncompressed', 'uncompressed'],
]);

/** Copies rows, a SELECT of the table's columns, to Parquet files in a local directory: one a partition, or as many as `rowsPerFile` says. */
export async function copyOut(
  work: DataFilesToWrite,
  rows: string,
  schema: Schema,
  partitions: readonly PartitionColumn[],
  directory: string,
): Promise<readonly ReturnedFile[]> {
  const order = work.orderBy === undefined ? '' : ` ORDER BY ${work.orderBy}`;
  const options = copyOptions(work.metadata, schema);
  const targetBytes = targetFileBytes(work.metadata);
  if (partitions.length > 0) {
    const names = partitions.map(({ name }) => name);
    const hidden = partitions.map(({ name, directorySql }) => `${directorySql} AS ${name}`);
    const files = await copy(work.connection, `SELECT *, ${hidden.join(', ')} FROM (${rows})${order}`, directory, [
      ...options,
      `PARTITION_BY (${names.join(', ')})`,
      "FILENAME_PATTERN '{uuid}'",
    ]);
    return await splitAll(work.connection, files, targetBytes, options);
  }
  if (work.rowsPerFile === undefined) {
    const files = await copy(work.connection, `SELECT * FROM (${rows})${order}`, `${directory}/0.parquet`, options);
    return await splitAll(work.connection, files, targetBytes, options);
  }
  return await copyInPieces(work.connection, `SELECT * FROM (${rows})${order}`, directory, options, work.rowsPerFile);
}

async function splitAll(
  connection: DuckDBConnection,
  files: readonly ReturnedFile[],
  targetBytes: bigint,
  options: readonly string[],
): Promise<readonly ReturnedFile[]> {
  const split: ReturnedFile[] = [];
  for (const file of files) split.push(...(await splitFile(connection, file, targetBytes, options)));
  return split;
}

/**
 * Files of a fixed number of rows, in order. DuckDB's own ROW_GROUPS_PER_FILE was seen (1.5.5) to swap row groups, and to write files
 * that cannot be read, when more than one thread works; so the rows are kept once and copied out piece by piece.
 */
async function copyInPieces(
  connection: DuckDBConnection,
  rows: string,
  directory: string,
  options: readonly string[],
  rowsPerFile: number,
): Promise<readonly ReturnedFile[]> {
  const table = quoteIdentifier(`pieces_${randomUUID()}`);
  const position = quoteIdentifier('__icecore_row');
  await connection.run(`CREATE TEMP TABLE ${table} AS SELECT row_number() OVER () - 1 AS ${position}, * FROM (${rows})`);
  try {
    const count = Number((await connection.runAndReadAll(`SELECT count(*) FROM ${table}`)).getRows()[0]?.[0]);
    const files: ReturnedFile[] = [];
    for (let from = 0; from < count; from += rowsPerFile) {
      const piece = `SELECT * EXCLUDE ${position} FROM ${table} WHERE ${position} >= ${from} AND ${position} < ${from + rowsPerFile} ORDER BY ${position}`;
      files.push(...(await copy(connection, piece, `${directory}/${files.length}.parquet`, options)));
    }
    return files;
  } finally {
    await connection.run(`DROP TABLE ${table}`);
  }
}

function copyOptions(metadata: TableMetadata, schema: Schema): readonly string[] {
  const codec = metadata.properties['write.parquet.compression-codec'] ?? 'zstd';
  const known = codecs.get(codec.toLowerCase());
  if (known === undefined) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The table property write.parquet.compression-codec is "${codec}"; Icecore writes ${[...codecs.keys()].join(', ')}.`,
    );
  }
  return [
    'FORMAT parquet',
    `COMPRESSION ${known}`,
    `FIELD_IDS ${printFieldIds(schema.fields)}`,
    `ROW_GROUP_SIZE ${rowGroupRowsMax}`,
    'RETURN_STATS',
  ];
}

async function copy(
  connection: DuckDBConnection,
  rows: string,
  path: string,
  options: readonly string[],
): Promise<readonly ReturnedFile[]> {
  const result = await connection.runAndReadAll(`COPY (${rows}) TO ${quoteText(path)} (${options.join(', ')})`);
  return result.getRowObjectsJson().map(readReturnedFile);
}
