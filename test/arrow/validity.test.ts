import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isValid, Validity } from '../../src/arrow/validity.ts';

test('what vectors of any size and alignment say comes back bit by bit', () => {
  const piece = fc.record({ from: fc.nat({ max: 20 }), cells: fc.array(fc.boolean(), { maxLength: 40 }), isPlain: fc.boolean() });
  fc.assert(
    fc.property(fc.array(fc.array(piece, { maxLength: 8 }), { maxLength: 3 }), (batches) => {
      const validity = new Validity();
      for (const pieces of batches) {
        const expected: boolean[] = [];
        for (const { from, cells, isPlain } of pieces) {
          // Bits around the piece are set: they are not to be seen.
          const bits = new Uint8Array(16).fill(0xff);
          for (const [index, cell] of cells.entries())
            if (!cell) bits[(from + index) >> 3] = (bits[(from + index) >> 3] ?? 0) & ~(1 << ((from + index) & 7));
          validity.append(isPlain ? null : bits, from, cells.length);
          expected.push(...(isPlain ? cells.map(() => true) : cells));
        }
        const { length, nullCount, nullBitmap } = validity.take();
        expect(length).toBe(expected.length);
        expect(nullCount).toBe(expected.filter((cell) => !cell).length);
        expect(expected.map((_, index) => isValid(nullBitmap ?? null, index))).toEqual(expected);
      }
    }),
  );
});
