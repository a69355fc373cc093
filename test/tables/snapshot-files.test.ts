import fc from 'fast-check';
import { expect, test } from 'vitest';
import { comparePaths } from '../../src/tables/snapshot-files.ts';

test('paths are in order of their bytes, whatever characters they have', () => {
  const unit = fc.constantFrom('a', 'b', '/', 'é', '\ud7ff', '\ue000', '\uffff', '😀', '\u{10ffff}', '-');
  const path = fc.string({ unit, maxLength: 6 });
  fc.assert(
    fc.property(path, path, (a, b) => {
      expect(Math.sign(comparePaths(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
  expect(comparePaths('\uffff', '😀')).toBeLessThan(0);
});
