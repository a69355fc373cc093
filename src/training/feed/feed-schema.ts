import type { Schema } from 'apache-arrow';
import { arrowSchema } from '../../arrow/arrow-type.ts';
import type { FeedRows } from './feed-source.ts';

/** The Arrow schema of a feed or plan, each column with its field id, and in its metadata which rows of which snapshot these are. */
export function feedSchema({ columns, snapshot, order }: FeedRows, rowsTotal: bigint): Schema {
  return arrowSchema(
    columns,
    new Map([
      ['icecore.snapshot-id', String(snapshot?.snapshotId ?? '')],
      ['icecore.rows-total', String(rowsTotal)],
      ['icecore.epoch', String(order.epoch)],
    ]),
  );
}
