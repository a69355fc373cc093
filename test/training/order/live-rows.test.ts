import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LiveRows } from '../../../src/training/order/live-rows.ts';
import { openOrder, orders, readJob, shares } from './order-case.ts';

/** Bits of rows, the lowest of a byte first. */
function bitsOf(live: readonly boolean[]): Uint8Array {
  const bits = new Uint8Array(Math.ceil(live.length / 8));
  for (const [row, isLive] of live.entries()) {
    if (isLive) bits[row >> 3] = (bits[row >> 3] ?? 0) | (1 << (row & 7));
  }
  return bits;
}

describe('The live rows of a group', () => {
  test('are found by their index among them', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 3000 }), fc.nat(), fc.nat(), (live, first, more) => {
        const rows = new LiveRows(bitsOf(live), live.length);
        const expected = live.flatMap((isLive, row) => (isLive ? [row] : []));
        expect(rows.count).toBe(expected.length);
        const from = first % (expected.length + 1);
        const to = from + (more % 700);
        expect([...rows.rows(from, to)]).toEqual(expected.slice(from, to));
      }),
    );
  });

  test('do not count what stands behind the last row, and the bits stay as they are', () => {
    const bits = Uint8Array.of(0xff);
    expect([...new LiveRows(bits, 3).rows(0, 9)]).toEqual([0, 1, 2]);
    expect(bits[0]).toBe(0xff);
  });

  test('sparse ones are found over long gaps', () => {
    const live = Array.from({ length: 100_000 }, (_, row) => row === 7 || row === 50_000 || row === 99_999);
    expect([...new LiveRows(bitsOf(live), live.length).rows(1, 3)]).toEqual([50_000, 99_999]);
  });
});

describe('Deletes, a filter and a split', () => {
  test('leave each live matching row once an epoch, whichever split it is in', () => {
    const row = fc.record({ deleted: fc.boolean(), matches: fc.boolean(), split: fc.constantFrom('train', 'test') });
    const table = fc.array(fc.array(row, { maxLength: 60 }), { maxLength: 8 });
    fc.assert(
      fc.property(table, orders, shares, (groups, order, share) => {
        const read = ['train', 'test'].flatMap((split) => {
          const live = groups.map((rows) => {
            const bits = bitsOf(rows.map((each) => !each.deleted && each.matches && each.split === split));
            return new LiveRows(bits, rows.length);
          });
          const opened = openOrder(
            live.map(({ count }) => count),
            order,
          );
          const batches = readJob(opened, { ...share, tail: 'SHORT' }).flat();
          return batches.flatMap(({ rows }) =>
            rows.map(([group, index]) => `${split} ${group} ${live[group]?.rows(index, index + 1)[0]}`),
          );
        });
        const expected = groups.flatMap((rows, group) =>
          rows.flatMap((each, place) => (each.deleted || !each.matches ? [] : [`${each.split} ${group} ${place}`])),
        );
        expect(read.toSorted()).toEqual(expected.toSorted());
      }),
    );
  });
});
