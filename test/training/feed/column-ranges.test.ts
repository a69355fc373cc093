import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { NestedField } from '../../../src/iceberg/type.ts';
import { columnRanges } from '../../../src/training/feed/column-ranges.ts';
import { flatTypes } from '../../arrow/batch-case.ts';

const columns = fc
  .array(fc.constantFrom(...flatTypes), { maxLength: 40 })
  .map((types) => types.map((type, index): NestedField => ({ id: index + 1, name: `c${index}`, type, required: false })));

test('ranges hold every column once, in order, and none is empty', () => {
  fc.assert(
    fc.property(columns, fc.integer({ min: 1, max: 8 }), (each, count) => {
      const ranges = columnRanges(each, count);
      expect(ranges.length).toBeLessThanOrEqual(Math.min(count, each.length));
      expect(ranges.flatMap(({ from, to }) => each.slice(from, to))).toEqual(each);
      for (const { from, to } of ranges) expect(to).toBeGreaterThan(from);
      if (each.length > 0) expect(ranges.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1);
    }),
  );
});

test('columns of a kind are divided evenly, and a text weighs as much as some numbers', () => {
  const doubles = Array.from({ length: 12 }, (_, id): NestedField => ({ id, name: `v${id}`, type: 'double', required: false }));
  expect(columnRanges(doubles, 4).map(({ from, to }) => to - from)).toEqual([3, 3, 3, 3]);
  const [first = { id: 0, name: 'v', type: 'double', required: true } as const] = doubles;
  const ranges = columnRanges([{ ...first, type: 'string' }, ...doubles], 2);
  expect(ranges.map(({ from, to }) => to - from)).toEqual([4, 9]);
});
