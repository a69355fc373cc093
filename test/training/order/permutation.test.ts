import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shuffledBlock } from '../../../src/training/order/block-shuffle.ts';
import { orderWords } from '../../../src/training/order/order-hash.ts';
import { inversePermutation, permutation } from '../../../src/training/order/permutation.ts';

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

  test('has an inverse', () => {
    const counts = fc.oneof(
      fc.integer({ min: 1, max: 70 }),
      fc.integer({ min: 1, max: 2 ** 33 }),
      fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    );
    fc.assert(
      fc.property(counts, seeds, fc.array(fc.maxSafeNat(), { minLength: 1, maxLength: 50 }), (count, seed, numbers) => {
        const words = orderWords('all', { seed, epoch: 0 });
        const [image, index] = [permutation(count, words), inversePermutation(count, words)];
        for (const number of numbers.map((each) => each % count)) {
          expect(index(image(number))).toBe(number);
          expect(image(index(number))).toBe(number);
        }
      }),
    );
  });

  test('of five groups is any of the 120 about as often as any other', () => {
    const times = new Map<string, number>();
    const epochs = 24_000;
    for (let epoch = 0; epoch < epochs; epoch++) {
      const order = [0, 1, 2, 3, 4].map(permutation(5, orderWords('groups', { seed: 11n, epoch }))).join('');
      times.set(order, (times.get(order) ?? 0) + 1);
    }
    // The same on every run: seeds are fixed. Chi squared of 119 degrees of freedom is 119 with a deviation of 15.
    expect(times.size).toBe(120);
    const chiSquared = [...times.values()].reduce((sum, count) => sum + (count - epochs / 120) ** 2 / (epochs / 120), 0);
    expect(chiSquared).toBeLessThan(119 + 4 * 15);
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
