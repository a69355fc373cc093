import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rankBatches } from '../../../src/training/order/rank-batches.ts';
import { shares } from './order-case.ts';

const epochs = fc.record({ rows: fc.nat({ max: 2000 }), lanes: fc.constantFrom(1, 2, 4, 8, 64) });

describe('The batches of a rank', () => {
  test('hold batchSize rows but for the last, of which one alone is marked', () => {
    fc.assert(
      fc.property(epochs, shares, fc.nat({ max: 2000 }), (epoch, share, from) => {
        const start = Math.min(from, epoch.rows);
        for (let rank = 0; rank < share.worldSize; rank++) {
          const batches = rankBatches(epoch, { ...share, rank }, start);
          const all = Array.from({ length: batches.count }, (_, batch) => batches.at(batch));
          expect(all.map(({ last }) => last)).toEqual(all.map((_, batch) => batch === all.length - 1));
          for (const { span } of all.slice(0, -1)) expect(span.rows).toBe(share.batchSize);
          const rows = all.reduce((sum, { span }) => sum + span.rows, 0);
          expect(rows).toBe(batches.rows);
          // An empty batch is there to carry the mark alone.
          expect(all.filter(({ span }) => span.rows === 0).length).toBe(rows === 0 ? 1 : 0);
          if (share.tail === 'DROP') expect(rows % share.batchSize).toBe(0);
        }
      }),
    );
  });

  test('end at the same cursors on every rank', () => {
    fc.assert(
      fc.property(epochs, shares, (epoch, share) => {
        const ends = new Map<number, number>();
        for (let rank = 0; rank < share.worldSize; rank++) {
          const batches = rankBatches(epoch, { ...share, rank });
          for (let batch = 0; batch < batches.count; batch++) {
            const { globalBatch, end } = batches.at(batch);
            expect(ends.get(globalBatch) ?? end).toBe(end);
            ends.set(globalBatch, end);
          }
        }
      }),
    );
  });

  test('share out a short last one to within lanes / worldSize rows, or one without lanes', () => {
    fc.assert(
      fc.property(epochs, shares, (epoch, share) => {
        const counts = Array.from(
          { length: share.worldSize },
          (_, rank) => rankBatches(epoch, { ...share, tail: 'SHORT', rank }).rows,
        );
        const owns = epoch.lanes % share.worldSize === 0 && (share.batchSize * share.worldSize) % epoch.lanes === 0;
        expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(owns ? epoch.lanes / share.worldSize : 1);
        expect(counts.reduce((sum, count) => sum + count, 0)).toBe(epoch.rows);
      }),
    );
  });

  test('of an empty source are one empty batch with the mark, on every rank', () => {
    for (const rank of [0, 1, 2]) {
      const batches = rankBatches({ rows: 0, lanes: 8 }, { batchSize: 10, rank, worldSize: 3, tail: 'SHORT' });
      expect(batches.count).toBe(1);
      expect(batches.at(0)).toMatchObject({ globalBatch: 0, end: 0, last: true, span: { rows: 0 } });
    }
  });

  test('are refused behind the end of the order', () => {
    expect(() => rankBatches({ rows: 5, lanes: 8 }, { batchSize: 10, rank: 0, worldSize: 1, tail: 'SHORT' }, 6)).toThrow(
      'The cursor stands at row 6 of an epoch of 5.',
    );
  });
});
