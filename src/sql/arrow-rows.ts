import { type DuckDBConnection, DuckDBDataChunk } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type RecordBatch, RecordBatchReader } from 'apache-arrow';
import { fromArrowFields } from '../arrow/from-arrow-type.ts';
import { ipcMessages } from '../arrow/message-stream.ts';
import { runOf } from '../arrow/row-selection.ts';
import { type VectorWriter, vectorWriter } from '../arrow/vector-writer.ts';
import { registerZstd } from '../arrow/zstd-codec.ts';
import { IcecoreError } from '../errors.ts';
import type { NestedField } from '../iceberg/type.ts';
import { duckDbError } from './duckdb-error.ts';
import { createTemporaryTable } from './json-rows.ts';

/** The rows of one of DuckDB's vectors. */
const chunkRows = 2048;

export interface ArrowLoadOptions {
  /** Rows and bytes of the whole stream; beyond them it is refused. */
  readonly rowsMax: number;
  readonly bytesMax: number;
  readonly signal?: AbortSignal;
}

export interface ArrowLoad {
  /** The stream's columns as Iceberg's, all optional, ids from 1. */
  readonly fields: readonly NestedField[];
  readonly rowCount: number;
}

/**
 * Makes a temporary table with the columns of an Arrow IPC stream and fills it with its rows, batch by batch as they come. The
 * table's types are those that hold the stream's values without loss; a cast to another table's columns is the caller's. Throws
 * BAD_USER_INPUT where the bytes are no such stream, are damaged or cut, or of a type that no table holds; OVERLOADED beyond the
 * limits.
 */
export async function loadArrowStream(
  connection: DuckDBConnection,
  tableName: string,
  source: AsyncIterable<Uint8Array>,
  options: ArrowLoadOptions,
): Promise<ArrowLoad> {
  registerZstd();
  const messages = ipcMessages(source, options);
  try {
    const reader = await RecordBatchReader.from(messages);
    await reader.open({ autoDestroy: false });
    const fields = fromArrowFields(reader.schema.fields);
    checkNames(fields);
    await createTemporaryTable(connection, tableName, { schemaId: 0, fields, identifierFieldIds: [] });
    const writers = reader.schema.fields.map(vectorWriter);
    const appender = await connection.createAppender(tableName, 'main', 'temp');
    let rowCount = 0;
    try {
      const types = fields.map((_field, index) => appender.columnType(index));
      for await (const batch of reader as AsyncIterable<RecordBatch>) {
        options.signal?.throwIfAborted();
        rowCount += batch.numRows;
        if (rowCount > options.rowsMax) {
          throw new IcecoreError(
            'OVERLOADED',
            `The stream holds more than the ${options.rowsMax} rows allowed. Send it in parts.`,
          );
        }
        for (let from = 0; from < batch.numRows; from += chunkRows) {
          const count = Math.min(chunkRows, batch.numRows - from);
          const chunk = DuckDBDataChunk.create(types, count);
          fillChunk(chunk, batch, writers, from, count);
          appender.appendDataChunk(chunk);
        }
        appender.flushSync();
      }
    } finally {
      appender.closeSync();
    }
    return { fields, rowCount };
  } catch (error) {
    options.signal?.throwIfAborted();
    throw arrowError(error);
  } finally {
    await messages.return(undefined);
  }
}

function fillChunk(
  chunk: DuckDBDataChunk,
  batch: RecordBatch,
  writers: readonly VectorWriter[],
  from: number,
  count: number,
): void {
  for (const [index, write] of writers.entries()) {
    const data = batch.data.children[index];
    if (data === undefined) throw new IcecoreError('BAD_USER_INPUT', 'A record batch has fewer columns than its schema.');
    write(duckdb.data_chunk_get_vector(chunk.chunk, index), data, runOf(from, count));
  }
}

function checkNames(fields: readonly NestedField[]): void {
  const seen = new Set<string>();
  for (const { name } of fields) {
    // The engine folds case.
    const folded = name.toLowerCase();
    if (name === '' || seen.has(folded)) {
      throw new IcecoreError('BAD_USER_INPUT', `The Arrow column "${name}" ${name === '' ? 'has no name' : 'occurs twice'}.`);
    }
    seen.add(folded);
  }
}

/** What arrow-js throws at bytes that make no sense: plain errors, of several kinds. */
function arrowError(error: unknown): unknown {
  const known = duckDbError(error, 'The upload');
  if (!(error instanceof Error) || known !== error || error instanceof IcecoreError) return known;
  return new IcecoreError('BAD_USER_INPUT', `The Arrow stream cannot be read: ${error.message}`, { cause: error });
}
