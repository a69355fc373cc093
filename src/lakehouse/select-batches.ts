import type { RecordBatch } from 'apache-arrow';
import { arrowSchema } from '../arrow/arrow-type.ts';
import { RecordBatchBuilder } from '../arrow/record-batch.ts';
import { jobStatementMsMax, sqlBatchRows } from '../limits.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { type BoundSelect, streamSelect } from '../sql/query.ts';

/** A piece of a SELECT's result; the last one is marked, and is empty where there are no rows at all. */
export interface SelectBatch {
  readonly recordBatch: RecordBatch;
  readonly last: boolean;
}

/** The rows of a SELECT as Arrow, one batch ahead of the reader, so that the last is known. Throws as `withSelect` does. */
export async function* selectBatches(
  db: DuckDb,
  bound: BoundSelect,
  signal: AbortSignal,
): AsyncGenerator<SelectBatch, void, undefined> {
  let builder: RecordBatchBuilder | null = null;
  let waiting: RecordBatch | null = null;
  for await (const { columns, types, chunk } of streamSelect(db, bound, { timeoutMs: jobStatementMsMax, signal })) {
    builder ??= new RecordBatchBuilder(arrowSchema(columns), types, sqlBatchRows);
    for (const recordBatch of builder.append(chunk)) {
      if (waiting !== null) yield { recordBatch: waiting, last: false };
      waiting = recordBatch;
    }
  }
  if (builder === null) return;
  if (waiting === null || builder.rows > 0) {
    if (waiting !== null) yield { recordBatch: waiting, last: false };
    waiting = builder.take();
  }
  yield { recordBatch: waiting, last: true };
}
