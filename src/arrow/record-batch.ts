import type { DuckDBDataChunk, DuckDBType } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type Data, makeData, RecordBatch, type Schema, Struct } from 'apache-arrow';
import { type ColumnBuilder, columnBuilder } from './column-builder.ts';

/**
 * Gathers DuckDB's chunks into Arrow record batches of exactly the size asked for, whatever the chunks' sizes are. Batches have
 * memory of their own, so that they may wait in a socket.
 */
export class RecordBatchBuilder {
  readonly #schema: Schema;
  readonly #batchRows: number;
  readonly #columns: readonly ColumnBuilder[];
  #rows = 0;

  /** `types` are the columns' types in the chunks, `schema` what `arrowSchema` gives for their Iceberg types. */
  constructor(schema: Schema, types: readonly DuckDBType[], batchRows: number) {
    this.#schema = schema;
    this.#batchRows = batchRows;
    this.#columns = schema.fields.map((field, index) => columnBuilder(types[index] as DuckDBType, field.type));
  }

  /** Rows that wait for their batch to be full. */
  get rows(): number {
    return this.#rows;
  }

  /** Copies a chunk, and gives the batches that are full now. The chunk is not needed any more once the last was taken. */
  *append(chunk: DuckDBDataChunk): Generator<RecordBatch> {
    const rowCount = chunk.rowCount;
    for (let from = 0; from < rowCount; ) {
      const count = Math.min(rowCount - from, this.#batchRows - this.#rows);
      for (const [index, column] of this.#columns.entries()) {
        column.append(duckdb.data_chunk_get_vector(chunk.chunk, index), from, count);
      }
      this.#rows += count;
      from += count;
      if (this.#rows === this.#batchRows) yield this.take();
    }
  }

  /** The rows so far as a batch, which may be empty. */
  take(): RecordBatch {
    const children: Data[] = this.#columns.map((column) => column.take());
    const data = makeData({ type: new Struct(this.#schema.fields), length: this.#rows, nullCount: 0, children });
    this.#rows = 0;
    return new RecordBatch(this.#schema, data);
  }
}
