import fc from 'fast-check';
import type { FeedOrder, FeedShare } from '../../../src/training/feed/feed-input.ts';
import { type EpochOrder, epochOrder } from '../../../src/training/order/epoch-order.ts';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';
import type { NaiveRow } from './naive-order.ts';

export const orders: fc.Arbitrary<FeedOrder> = fc.record({
  shuffle: fc.constantFrom('NONE' as const, 'WINDOWED' as const, 'WINDOWED' as const, 'FULL' as const),
  seed: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  epoch: fc.nat(),
  lanes: fc.constantFrom(1, 2, 4, 8, 64),
});

/** Matching rows of groups: many small ones, some without any. */
export const smallGroups: fc.Arbitrary<readonly number[]> = fc.array(
  fc.oneof(fc.constant(0), fc.nat({ max: 3 }), fc.nat({ max: 200 })),
  { maxLength: 12 },
);

/** Now and then of several blocks. */
export const groups: fc.Arbitrary<readonly number[]> = fc.oneof(
  { weight: 12, arbitrary: smallGroups },
  { weight: 1, arbitrary: fc.array(fc.constantFrom(1, 65_535, 65_536, 65_537, 140_000), { minLength: 1, maxLength: 3 }) },
);

/** How all ranks of one job read. */
export type JobShare = Omit<FeedShare, 'rank'>;

export const shares: fc.Arbitrary<JobShare> = fc.record({
  batchSize: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(8, 16, 64)),
  worldSize: fc.oneof(fc.constantFrom(1, 2, 4, 8), fc.integer({ min: 1, max: 9 })),
  tail: fc.constantFrom('SHORT' as const, 'DROP' as const),
});

export interface ReadBatch {
  readonly globalBatch: number;
  readonly end: number;
  readonly last: boolean;
  readonly rows: readonly NaiveRow[];
}

/** All batches of one rank. */
export function readRank(order: EpochOrder, share: JobShare, rank: number, start = 0): readonly ReadBatch[] {
  const batches = rankBatches(order, { ...share, rank }, start);
  const reader = order.reader();
  return Array.from({ length: batches.count }, (_, batch) => {
    const { globalBatch, span, end, last } = batches.at(batch);
    const { groups: places, indices } = reader.read(span);
    return { globalBatch, end, last, rows: Array.from(places, (place, row): NaiveRow => [place, indices[row] ?? -1]) };
  });
}

/** What all ranks of a job read from a position on. */
export function readJob(order: EpochOrder, share: JobShare, start = 0): readonly (readonly ReadBatch[])[] {
  return Array.from({ length: share.worldSize }, (_, rank) => readRank(order, share, rank, start));
}

export function openOrder(matchingRows: readonly number[], order: FeedOrder): EpochOrder {
  return epochOrder(Uint32Array.from(matchingRows), order);
}

/** Rows as texts in an order of their own, to compare as sets that know how often. */
export function sorted(rows: readonly NaiveRow[]): readonly string[] {
  return rows.map(([group, index]) => `${group}:${index}`).sort();
}
