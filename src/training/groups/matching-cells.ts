import { type Data, RecordBatchReader, type Schema } from 'apache-arrow';
import { BatchEncoder } from '../../arrow/batch-encoder.ts';
import { IcecoreError } from '../../errors.ts';
import type { LiveRows } from '../order/live-rows.ts';

/** The cells of a row group's column that are live and match, in memory of their own. `schema` has that column alone. */
export function matchingCells(schema: Schema, column: Data, live: LiveRows): Data {
  const encoder = new BatchEncoder(schema, 'NONE');
  const rows = live.rows(0, live.count);
  const message = encoder.encode(
    [[column]],
    [{ block: 0, rows, from: 0, count: rows.length, at: 0, stride: 1 }],
    rows.length,
    new Map(),
  );
  const batch = RecordBatchReader.from([encoder.schemaMessage(), message, encoder.endMessage()]).next();
  const cells = batch.value?.data.children[0];
  if (cells === undefined) throw new IcecoreError('INTERNAL', 'A column lost its cells while they were gathered.');
  return cells;
}
