import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shuffledBlock } from '../../../src/training/order/block-shuffle.ts';
import { orderWords } from '../../../src/training/order/order-hash.ts';
import { permutation } from '../../../src/training/order/permutation.ts';

const seeds = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });

describe('A permutation', () => {
  test('has every number once', () => {
    fc.assert(
      fc.property(fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 1, max: 5000 })), seeds, (count, seed) => {
        const image = permutation(count, orderWords('all', { seed, epoch: 0 }));
        const seen = new Set(Array.from({ length: count }, (_, index) => image(index)));
        expect(seen.size).toBe(count);
        expect(Math.max(...seen)).toBe(count - 1);
      }),
    );
  });

  test('of very many stays within them, and takes no two to the same', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: Number.MAX_SAFE_INTEGER }), seeds, fc.nat(), (count, seed, near) => {
        const image = permutation(count, orderWords('all', { seed, epoch: 0 }));
        const indices = [...new Set([0, 1, count - 1, near % count, (near + 1) % count])];
        const images = indices.map(image);
        expect(new Set(images).size).toBe(indices.length);
        expect(images.every((each) => Number.isSafeInteger(each) && each >= 0 && each < count)).toBe(true);
      }),
    );
  });

  test('is any of three groups about as often as any other', () => {
    const times = new Map<string, number>();
    for (let epoch = 0; epoch < 6000; epoch++) {
      const image = permutation(3, orderWords('groups', { seed: 11n, epoch }));
      const order = [0, 1, 2].map(image).join('');
      times.set(order, (times.get(order) ?? 0) + 1);
    }
    // The same on every run: seeds are fixed.
    expect(times.size).toBe(6);
    for (const count of times.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
  });

  test('is refused beyond 2^53', () => {
    expect(() => permutation(2 ** 53, orderWords('all', { seed: 0n, epoch: 0 }))).toThrow('2^53 - 1 are the most');
  });
});

describe('A block', () => {
  test('has every row once, whichever sort is used', () => {
    fc.assert(
      fc.property(fc.constantFrom(0, 1, 2, 1023, 1024, 1025, 65_535, 65_536), seeds, fc.nat(), (rows, seed, block) => {
        const order = shuffledBlock(orderWords('rows', { seed, epoch: 0 }), block, rows);
        expect(Uint16Array.from(order).sort()).toEqual(Uint16Array.from({ length: rows }, (_, index) => index));
      }),
      { numRuns: 40 },
    );
  });
});
