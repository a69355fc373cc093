import { createHash } from 'node:crypto';
import { printFeedCursor } from '../../../src/training/feed/feed-cursor.ts';
import type { FeedShare, Shuffle, TailPolicy } from '../../../src/training/feed/feed-input.ts';
import { shuffledBlock } from '../../../src/training/order/block-shuffle.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { LiveRows } from '../../../src/training/order/live-rows.ts';
import { mix32, type OrderPurpose, orderName, orderWords } from '../../../src/training/order/order-hash.ts';
import { permutation } from '../../../src/training/order/permutation.ts';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';

/** What a rank reads of an epoch: the case, and each batch of it. Rows are [group, index]. */
export interface EpochVector {
  /** Matching rows of each group. */
  readonly groups: readonly number[];
  readonly shuffle: Shuffle;
  /** In decimal. */
  readonly seed: string;
  readonly epoch: number;
  readonly lanes: number;
  readonly batchSize: number;
  readonly rank: number;
  readonly worldSize: number;
  readonly tail: TailPolicy;
  readonly start: number;
}

/** Batches whole, or only their number and the digest of their rows. */
export interface EpochAnswer {
  readonly batches: readonly { end: number; last: boolean; rows: readonly (readonly [number, number])[] }[];
}

/** SHA-256 of 32-bit little-endian numbers. */
export function digestOf(numbers: Uint32Array): string {
  return createHash('sha256')
    .update(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength))
    .digest('hex');
}

/** The batches of a rank, and of all of its rows the digest of (group, index, group, index, …). */
export function readEpoch(vector: EpochVector): EpochAnswer & { readonly digest: string } {
  const { shuffle, seed, epoch, lanes, batchSize, rank, worldSize, tail, start } = vector;
  const share: FeedShare = { batchSize, rank, worldSize, tail };
  const order = epochOrder(Uint32Array.from(vector.groups), { shuffle, seed: BigInt(seed), epoch, lanes });
  const parts = rankBatches(order, share, start);
  const reader = order.reader();
  const batches = Array.from({ length: parts.count }, (_, batch) => {
    const { span, end, last } = parts.at(batch);
    const { groups, indices } = reader.read(span);
    return { end, last, rows: Array.from(groups, (group, row): [number, number] => [group, indices[row] ?? -1]) };
  });
  const digest = digestOf(Uint32Array.from(batches.flatMap(({ rows }) => rows.flat())));
  return { batches, digest };
}

/** Everything that docs/order.md publishes vectors of. */
export function orderVectors(): Readonly<Record<string, readonly unknown[]>> {
  const purposes: readonly OrderPurpose[] = ['groups', 'rows', 'all'];
  const seeds = [
    { seed: '0', epoch: 0 },
    { seed: '42', epoch: 7 },
    { seed: '-9223372036854775808', epoch: 2147483647 },
  ];
  const words = purposes.flatMap((purpose) =>
    seeds.map(({ seed, epoch }) => ({ purpose, seed, epoch, words: [...orderWords(purpose, { seed: BigInt(seed), epoch })] })),
  );
  const hash = [0, 1, 2, 0x7fffffff, 0x80000000, 0xffffffff].map((value) => ({ value, hash: mix32(value) }));
  const counts = [1, 2, 3, 7, 16, 100, 65_537, 3_000_000_000, 1_099_511_627_776, 9_007_199_254_740_991];
  const permutations = counts.map((count) => {
    const image = permutation(count, orderWords('all', { seed: 42n, epoch: 7 }));
    const indices =
      count <= 16 ? Array.from({ length: count }, (_, index) => index) : [0, 1, 2, Math.floor(count / 2), count - 1];
    return { purpose: 'all', seed: '42', epoch: 7, count, indices, images: indices.map(image) };
  });
  const blocks = [
    { block: 0, rows: 1 },
    { block: 0, rows: 12 },
    { block: 1, rows: 12 },
    { block: 4_294_967_295, rows: 12 },
    { block: 3, rows: 5_000 },
    { block: 3, rows: 65_536 },
  ].map(({ block, rows }) => {
    const order = Uint32Array.from(shuffledBlock(orderWords('rows', { seed: 42n, epoch: 7 }), block, rows));
    return { seed: '42', epoch: 7, block, rows, first: [...order.subarray(0, 12)], digest: digestOf(order) };
  });
  const masks = [
    { bits: '', rows: 0 },
    { bits: 'ff', rows: 3 },
    { bits: '00a1ff80', rows: 32 },
  ].map(({ bits, rows }) => {
    const live = new LiveRows(Buffer.from(bits, 'hex'), rows);
    return { bits, rows, live: [...live.rows(0, live.count)] };
  });
  const small = { groups: [5, 0, 9, 3, 0, 7], shuffle: 'WINDOWED', seed: '42', epoch: 7, lanes: 4, start: 0 } as const;
  const rank = { batchSize: 8, rank: 0, worldSize: 1, tail: 'SHORT' } as const;
  const whole: readonly EpochVector[] = [
    { ...small, ...rank },
    { ...small, ...rank, shuffle: 'NONE' },
    { ...small, ...rank, shuffle: 'FULL' },
    { ...small, ...rank, tail: 'DROP' },
    ...[0, 1].map((of): EpochVector => ({ ...small, batchSize: 4, rank: of, worldSize: 2, tail: 'SHORT' })),
    ...[0, 1, 2].map((of): EpochVector => ({ ...small, batchSize: 3, rank: of, worldSize: 3, tail: 'SHORT', start: 5 })),
    ...[0, 3].map((of): EpochVector => ({ ...small, batchSize: 1, rank: of, worldSize: 4, tail: 'SHORT', start: 21 })),
    { ...small, ...rank, start: 24 },
    { ...small, ...rank, groups: [] },
  ];
  const large = { groups: [70_000, 65_536, 1, 0, 200_001], seed: '-1', epoch: 3, lanes: 8, start: 1234 } as const;
  const digested: readonly EpochVector[] = (['NONE', 'WINDOWED', 'FULL'] as const).flatMap((shuffle) => [
    { ...large, shuffle, batchSize: 4096, rank: 1, worldSize: 2, tail: 'SHORT' },
    { ...large, shuffle, batchSize: 1000, rank: 2, worldSize: 3, tail: 'DROP' },
  ]);
  const cursor = { snapshotId: 3051729675574597004n, filterHash: 'ab'.repeat(32), shuffle: 'WINDOWED', lanes: 8 } as const;
  const cursors = [
    { ...cursor, seed: 0n, epoch: 0, position: 0n },
    { ...cursor, shuffle: 'FULL' as const, seed: -9223372036854775808n, epoch: 2147483647, position: 9007199254740991n },
  ].map((each) => ({
    ...each,
    snapshotId: String(each.snapshotId),
    seed: String(each.seed),
    position: String(each.position),
    text: printFeedCursor(each, orderName),
  }));
  return {
    hash,
    words,
    permutations,
    blocks,
    masks,
    epochs: whole.map((each) => ({ ...each, batches: readEpoch(each).batches })),
    digests: digested.map((each) => ({ ...each, digest: readEpoch(each).digest })),
    cursors,
  };
}
