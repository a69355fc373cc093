import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cursorOf, readHybrid } from '../../src/parquet/hybrid.ts';

/** Runs and packed bits as the format has them, written bit by bit. */
const part = fc.oneof(
  fc.record({
    kind: fc.constant('run' as const),
    value: fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constant(0)),
    length: fc.integer({ min: 1, max: 300 }),
  }),
  fc.record({
    kind: fc.constant('packed' as const),
    values: fc.array(fc.oneof(fc.nat({ max: 2 ** 32 - 1 }), fc.constant(0)), { minLength: 1, maxLength: 200 }),
  }),
);

function varint(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value % 0x80) | 0x80, ...varint(Math.floor(value / 0x80))];
}

function packed(values: readonly number[], width: number): readonly number[] {
  const bits = values.flatMap((value) => Array.from({ length: width }, (_, bit) => Math.floor(value / 2 ** bit) % 2));
  return Array.from({ length: bits.length / 8 }, (_, byte) =>
    bits.slice(byte * 8, byte * 8 + 8).reduce((sum, bit, index) => sum + bit * 2 ** index, 0),
  );
}

test('numbers of any width are unpacked as they were written, into words and into bytes, and are known to be within a limit', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 32 }),
      fc.array(part, { minLength: 1, maxLength: 5 }),
      fc.nat({ max: 40 }),
      fc.nat({ max: 5 }),
      fc.oneof(fc.nat(), fc.constantFrom(-1, 0, 1)),
      (width, parts, shortBy, before, limit) => {
        const cut = (value: number) => value % 2 ** width;
        const bytes: number[] = Array.from({ length: before }, () => 0xff);
        const expected: number[] = [];
        for (const each of parts) {
          if (each.kind === 'run') {
            const value = cut(each.value);
            bytes.push(...varint(each.length * 2), ...packed([value], (width + 7) & ~7));
            expected.push(...Array.from({ length: each.length }, () => value));
          } else {
            const groups = Math.ceil(each.values.length / 8);
            const values = Array.from({ length: groups * 8 }, (_, index) => cut(each.values[index] ?? 0));
            bytes.push(...varint(groups * 2 + 1), ...packed(values, width));
            expected.push(...values);
          }
        }
        const count = Math.max(1, expected.length - shortBy);
        const wanted = expected.slice(0, count);
        const max = limit < 0 ? limit : limit % Math.max(1, Math.min(2 ** width, 2 ** 31));
        const isWithin = wanted.every((value) => value <= max);
        const words = new Int32Array(count);
        expect(readHybrid(cursorOf(Uint8Array.from(bytes), before), width, count, words, max)).toBe(isWithin);
        expect([...new Uint32Array(words.buffer)]).toEqual(wanted);
        if (width > 8) return;
        const small = new Uint8Array(count);
        expect(readHybrid(cursorOf(Uint8Array.from(bytes), before), width, count, small, max)).toBe(isWithin);
        expect([...small]).toEqual(wanted);
      },
    ),
    { numRuns: 500 },
  );
});
