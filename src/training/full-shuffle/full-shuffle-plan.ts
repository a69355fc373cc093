import { createHash } from 'node:crypto';
import { Field, Int32, Schema } from 'apache-arrow';
import { fullShuffleBucketBytes, fullShuffleBucketsMax } from '../../limits.ts';
import type { FeedOrder } from '../feed/feed-input.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import { orderWords } from '../order/order-hash.ts';

/**
 * How all rows of an epoch are shuffled on disk: the positions of its order are cut into buckets; the rows of all groups are dealt to
 * them, and each bucket is put in order by itself when it is read. Structured-clonable.
 */
export interface FullShufflePlan {
  /** Equal where each position has the same row with the same cells. */
  readonly key: string;
  readonly rows: number;
  /** Of all rows of the epoch (docs/order.md). */
  readonly words: Uint32Array;
  readonly buckets: number;
  /** Positions of a bucket; the last may have fewer. */
  readonly bucketRows: number;
  /** About how many bytes a decoded row has. */
  readonly rowBytes: number;
}

export interface FullShuffleInput {
  /** Of the rows: equal for equal groups of equal columns. */
  readonly contentKey: string;
  /** Of the epoch; at least one. */
  readonly rows: number;
  /** About how many bytes a decoded row has. */
  readonly rowBytes: number;
  readonly order: Pick<FeedOrder, 'seed' | 'epoch'>;
}

export function fullShufflePlan({ contentKey, rows, rowBytes, order }: FullShuffleInput): FullShufflePlan {
  // Powers of two: an estimate that differs a little makes the same buckets, of whole blocks where rows are short.
  const byBytes = 2 ** Math.floor(Math.log2(Math.max(1, fullShuffleBucketBytes / Math.max(1, rowBytes))));
  const byCount = 2 ** Math.ceil(Math.log2(Math.max(1, rows / fullShuffleBucketsMax)));
  const bucketRows = Math.min(2 ** 30, Math.max(byBytes, byCount));
  const digest = createHash('sha256').update(contentKey).digest('hex');
  const key = `icecore-full/1 ${digest} ${order.seed} ${order.epoch} ${rows} ${bucketRows}`;
  return { key, rows, words: orderWords('all', order), buckets: Math.ceil(rows / bucketRows), bucketRows, rowBytes };
}

/** Rows of each bucket: what an order of NONE over the buckets takes. */
export function bucketRowCounts({ rows, buckets, bucketRows }: FullShufflePlan): Uint32Array {
  return Uint32Array.from({ length: buckets }, (_, bucket) => Math.min(bucketRows, rows - bucket * bucketRows));
}

/** Of the block file with a bucket's rows in their order. */
export function bucketKey({ key }: FullShufflePlan, bucket: number): string {
  return `${key} bucket ${bucket}`;
}

/** Of the block file with those rows of a bucket that one of several dealers had, in any order. */
export function dealtKey({ key }: FullShufflePlan, bucket: number, dealer: number, dealers: number): string {
  return `${key} dealt ${bucket} ${dealer}/${dealers}`;
}

/** The columns, and behind them each row's place in its bucket. */
export function dealtSchema(schema: Schema): Schema {
  return new Schema([...schema.fields, new Field('place', new Int32(), false)]);
}

/** About how many bytes of disk it takes: all rows, dealt, and some buckets and groups besides. */
export function fullShuffleBytes({ rows, rowBytes, bucketRows }: FullShufflePlan, groupRowsMax: number): number {
  return Math.ceil(
    rows * (rowBytes + 4) * 1.06 + 4 * rowBytes * Math.min(rows, Math.max(bucketRows, groupRowsMax, blockRowsMax)),
  );
}
