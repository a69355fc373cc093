import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type NaiveRow, naiveOrder } from './naive-order.ts';
import { groups, openOrder, orders, readJob, readRank, shares, smallGroups, sorted } from './order-case.ts';

describe('The order of an epoch', () => {
  test('is what semantics says, row for row, whatever the batch size', () => {
    fc.assert(
      fc.property(groups, orders, fc.integer({ min: 1, max: 5000 }), (matching, order, batchSize) => {
        const share = { batchSize, worldSize: 1, tail: 'SHORT' } as const;
        const read = readRank(openOrder(matching, order), share, 0).flatMap(({ rows }) => rows);
        const expected = naiveOrder(matching, order);
        expect(read.length).toBe(expected.length);
        expect(read.findIndex(([group, index], at) => group !== expected[at]?.[0] || index !== expected[at]?.[1])).toBe(-1);
      }),
      { numRuns: 150 },
    );
  });

  test('has each matching row once, in any shuffle, under any world size', () => {
    fc.assert(
      fc.property(smallGroups, orders, shares, (matching, order, share) => {
        const read = readJob(openOrder(matching, order), { ...share, tail: 'SHORT' }).flat(1);
        const all = matching.flatMap((count, group) => Array.from({ length: count }, (_, index): NaiveRow => [group, index]));
        expect(sorted(read.flatMap(({ rows }) => rows))).toEqual(sorted(all));
      }),
    );
  });

  test('gives every global batch the same rows whoever shares it out', () => {
    fc.assert(
      fc.property(smallGroups, orders, shares, (matching, order, share) => {
        const job = readJob(openOrder(matching, order), share);
        const expected = naiveOrder(matching, order);
        const globalRows = share.batchSize * share.worldSize;
        for (let batch = 0; batch * globalRows < expected.length; batch++) {
          const positions = expected.slice(batch * globalRows, (batch + 1) * globalRows);
          const parts = job.map((batches) => batches[batch]?.rows ?? []);
          if (positions.length < globalRows && share.tail === 'DROP') expect(parts.flat()).toEqual([]);
          else expect(sorted(parts.flat())).toEqual(sorted(positions));
          if (positions.length === globalRows) for (const part of parts) expect(part.length).toBe(share.batchSize);
          // In each part rows stand in order of their positions.
          const places = new Map(positions.map((row, place) => [String(row), place]));
          for (const part of parts) {
            const own = part.map((row) => places.get(String(row)) ?? -1);
            expect(own).toEqual(own.toSorted((left, right) => left - right));
          }
        }
      }),
    );
  });

  test('changes with the seed and with the epoch', () => {
    const order = { shuffle: 'WINDOWED', seed: 1n, epoch: 0, lanes: 8 } as const;
    const first = naiveOrder([500, 500, 500], order);
    expect(naiveOrder([500, 500, 500], { ...order, seed: 2n })).not.toEqual(first);
    expect(naiveOrder([500, 500, 500], { ...order, epoch: 1 })).not.toEqual(first);
  });

  test('goes on from any cursor, with another world size and batch size, at the very next row', () => {
    fc.assert(
      fc.property(smallGroups, orders, shares, shares, fc.nat(), (matching, order, before, after, stop) => {
        const opened = openOrder(matching, order);
        const started = readJob(opened, { ...before, tail: 'SHORT' });
        const ends = [0, ...new Set(started.flat().map(({ end }) => end))];
        const cursor = ends[stop % ends.length] ?? 0;
        const read = started.flat().filter(({ end }) => end <= cursor && cursor > 0);
        const rest = readJob(opened, { ...after, tail: 'SHORT' }, cursor).flat();
        expect(sorted([...read, ...rest].flatMap(({ rows }) => rows))).toEqual(sorted(naiveOrder(matching, order)));
        expect(sorted(rest.flatMap(({ rows }) => rows))).toEqual(sorted(naiveOrder(matching, order).slice(cursor)));
      }),
    );
  });

  test('is read front to back or by leaps alike', () => {
    fc.assert(
      fc.property(groups, orders, fc.array(fc.nat(), { maxLength: 6 }), (matching, order, leaps) => {
        const opened = openOrder(matching, order);
        const reader = opened.reader();
        for (const leap of leaps) {
          const from = leap % (opened.rows + 1);
          const to = Math.min(from + 10, opened.rows);
          const span = { from, to, firstLane: 0, endLane: opened.lanes, rows: to - from };
          expect(reader.read(span)).toEqual(opened.reader().read(span));
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('Ranks that own lanes', () => {
  test('read at most (groups + lanes - 1) groups between them', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 120 }), orders, (matching, order) => {
        const opened = openOrder(matching, { ...order, shuffle: 'WINDOWED', lanes: 8 });
        for (const worldSize of [1, 2, 4, 8]) {
          const job = readJob(opened, { batchSize: 16, worldSize, tail: 'SHORT' });
          const touched = job.map((batches) => new Set(batches.flatMap(({ rows }) => rows.map(([group]) => group))).size);
          expect(touched.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(matching.length + 8 - 1);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('read each of their lanes one group after the other', () => {
    const lanes = 8;
    const opened = openOrder(Array<number>(100).fill(50), { shuffle: 'WINDOWED', seed: 3n, epoch: 1, lanes });
    let touched = 0;
    for (let lane = 0; lane < lanes; lane++) {
      const span = { from: 0, to: opened.rows, firstLane: lane, endLane: lane + 1, rows: opened.rows / lanes };
      const { groups: places } = opened.reader().read(span);
      const changes = places.filter((place, row) => row === 0 || place !== places[row - 1]).length;
      expect(changes).toBe(new Set(places).size);
      touched += changes;
    }
    expect(touched).toBeLessThanOrEqual(100 + lanes - 1);
  });
});
