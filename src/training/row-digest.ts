import { createHash, hash } from 'node:crypto';
import type { DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { refuseCutShort } from '../sql/cut-short.ts';
import { RowBytes } from './row-bytes.ts';
import { type CellWriter, cellWriter } from './row-cell.ts';
import { type DigestColumn, rowSchemaText } from './row-schema.ts';

const rowHashBytes = 32;

/**
 * The digest of rows in their order, `icecore-rows/1` (semantics, section 1; docs/row-digest.md). It depends on the columns'
 * names and types, the number of rows, every cell, and the order; not on files, chunks, field ids or nullability.
 * Streams: memory is one row and one chunk.
 */
export class RowDigest {
  readonly #rowCount: bigint;
  readonly #writers: readonly CellWriter[];
  readonly #hash = createHash('sha256');
  readonly #row = new RowBytes();
  #rowsSeen = 0n;

  /** `rowCount` is part of what is hashed before the first row, so it has to be known. */
  constructor(columns: readonly DigestColumn[], rowCount: bigint) {
    this.#rowCount = rowCount;
    this.#writers = columns.map(({ type }) => cellWriter(type));
    const schema = Buffer.from(rowSchemaText(columns), 'utf8');
    const head = new RowBytes();
    head.utf8('icecore-rows/1');
    head.uint32(schema.length);
    head.raw(schema);
    head.int64(rowCount);
    this.#hash.update(head.written());
  }

  /** Takes in the next rows; a chunk's columns are those of the digest, in order. Throws INTERNAL where they are not. */
  update(chunk: DuckDBDataChunk): void {
    const rowCount = chunk.rowCount;
    if (rowCount === 0) return;
    if (chunk.columnCount !== this.#writers.length) {
      throw new IcecoreError('INTERNAL', `A row digest of ${this.#writers.length} columns was given ${chunk.columnCount}.`);
    }
    const cells = this.#writers.map((write, index) => ({ write, vector: chunk.getColumnVector(index) }));
    const row = this.#row;
    const hashes = Buffer.allocUnsafe(rowCount * rowHashBytes);
    for (let index = 0; index < rowCount; index++) {
      row.clear();
      for (const { write, vector } of cells) write(row, vector.getItem(index));
      hash('sha256', row.written(), 'buffer').copy(hashes, index * rowHashBytes);
    }
    this.#hash.update(hashes);
    this.#rowsSeen += BigInt(rowCount);
  }

  /** 64 hexadecimal digits, lower case. Ends the digest. Throws INTERNAL where other than `rowCount` rows were taken in. */
  digest(): string {
    if (this.#rowsSeen !== this.#rowCount) {
      throw new IcecoreError('INTERNAL', `A row digest of ${this.#rowCount} rows was given ${this.#rowsSeen}.`);
    }
    return this.#hash.digest('hex');
  }
}

/**
 * The digest of a relation's rows (what stands behind FROM: a quoted table name or a SELECT in parentheses) in the order of a
 * SQL expression, which must order them wholly. Columns are read by name. Throws what RowDigest throws, and on abort.
 */
export async function digestRelation(
  connection: DuckDBConnection,
  relation: string,
  columns: readonly DigestColumn[],
  orderBy: string,
  signal?: AbortSignal,
): Promise<string> {
  const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${relation}`);
  const digest = new RowDigest(columns, BigInt(String(counted.getRows()[0]?.[0])));
  const names = columns.map(({ name }) => `"${name.replaceAll('"', '""')}"`).join(', ');
  const result = await connection.stream(`SELECT ${names} FROM ${relation} ORDER BY ${orderBy}`);
  for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
    signal?.throwIfAborted();
    digest.update(chunk);
  }
  refuseCutShort(result, `Reading the rows of ${relation}`, signal);
  return digest.digest();
}
