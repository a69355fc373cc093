import { describe, expect, test } from 'vitest';
import type { Shuffle } from '../../../src/training/feed/feed-input.ts';
import { openOrder } from './order-case.ts';
import { shuffleQuality } from './shuffle-quality.ts';

const lags = [1, 8, 64];

/** 64 groups of 2,000 rows. */
function qualityOf(shuffle: Shuffle, lanes: number) {
  const order = openOrder(Array<number>(64).fill(2000), { shuffle, seed: 7n, epoch: 0, lanes });
  const { groups, indices } = order.reader().read({ from: 0, to: order.rows, firstLane: 0, endLane: 64, rows: order.rows });
  return shuffleQuality(
    Float64Array.from(groups, (group, row) => group * 2000 + (indices[row] ?? 0)),
    lags,
  );
}

describe('Shuffle quality', () => {
  test('tells rows as they stand from shuffled ones', () => {
    const none = qualityOf('NONE', 1);
    expect(none.displacementDistance).toBeGreaterThan(0.99);
    expect(none.autocorrelations[0]).toBeGreaterThan(0.99);
    const full = qualityOf('FULL', 1);
    expect(full.displacementDistance).toBeLessThan(0.01);
    for (const each of full.autocorrelations) expect(Math.abs(each)).toBeLessThan(0.02);
  });

  test('windows of more lanes mix more', () => {
    const [one, eight, sixtyFour] = [1, 8, 64].map((lanes) => qualityOf('WINDOWED', lanes));
    // Rows of one lane come from one group: neighbours are alike. With lanes, neighbours are of different groups.
    expect(one?.autocorrelations[0]).toBeGreaterThan(0.9);
    expect(Math.abs(eight?.autocorrelations[0] ?? 1)).toBeLessThan(0.5);
    expect(sixtyFour?.displacementDistance).toBeLessThan(one?.displacementDistance ?? 0);
  });
});
