import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { decodeDeletionVector, encodeDeletionVector } from '../../src/iceberg/deletion-vector.ts';

const rowsMax = 2 ** 40;

/** Dense runs, bitmaps and lone positions, in one and in several 32-bit parts. */
const positions = fc
  .array(
    fc.record({
      from: fc.oneof(fc.integer({ min: 0, max: 200_000 }), fc.integer({ min: 2 ** 32 - 50_000, max: 2 ** 33 })),
      count: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 20_000 })),
      step: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 6 },
  )
  .map((runs) => {
    const all = new Set(runs.flatMap(({ from, count, step }) => Array.from({ length: count }, (_, i) => from + i * step)));
    return Float64Array.from(all).sort();
  });

describe('deletion vectors', () => {
  test('decoding gives what was encoded', () => {
    fc.assert(
      fc.property(positions, (given) => {
        expect(decodeDeletionVector(encodeDeletionVector(given), 'a.puffin', rowsMax)).toEqual(given);
      }),
      { numRuns: 60 },
    );
  });

  test('the layout of a small one is the specification’s', () => {
    const blob = encodeDeletionVector(Float64Array.of(1, 3, 10));
    const hex = Buffer.from(blob).toString('hex');
    // Length, magic, one part with key 0, cookie without runs, one container: key 0, three values, at byte 16.
    expect(hex.slice(0, -8)).toBe(
      '00000026' +
        'd1d33964' +
        '0100000000000000' +
        '00000000' +
        '3a300000' +
        '01000000' +
        '00000200' +
        '10000000' +
        '010003000a00',
    );
  });

  test('broken ones are refused, naming the file; nothing else is thrown', () => {
    const blob = encodeDeletionVector(Float64Array.from({ length: 9_000 }, (_, i) => i * 3 + (i % 7)).sort());
    fc.assert(
      fc.property(fc.nat(blob.length - 1), fc.integer({ min: 1, max: 255 }), fc.nat(blob.length), (at, flip, length) => {
        const damaged = blob.slice(0, length);
        if (at < length) damaged[at] = (damaged[at] ?? 0) ^ flip;
        else if (length === blob.length) return;
        const decode = (): unknown => decodeDeletionVector(damaged, 's3://b/a.puffin', rowsMax);
        expect(decode).toThrow(/^The deletion vector in s3:\/\/b\/a\.puffin /);
        expect(decode).toThrow(IcecoreError);
      }),
    );
  });

  test('rows that the file does not have cannot be deleted', () => {
    const blob = encodeDeletionVector(Float64Array.of(0, 5));
    expect(() => decodeDeletionVector(blob, 'a.puffin', 5)).toThrow('deletes row 5 of a file with 5 rows');
    // A few bytes of runs stand for very many rows.
    const dense = encodeDeletionVector(Float64Array.from({ length: 100_000 }, (_, i) => i));
    expect(dense.byteLength).toBeLessThan(100);
    expect(() => decodeDeletionVector(dense, 'a.puffin', 1_000)).toThrow('holds 100000 values, and 1000 are possible');
  });
});
