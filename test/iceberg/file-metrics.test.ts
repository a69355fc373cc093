import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { truncateLower, truncateLowerBytes, truncateUpper, truncateUpperBytes } from '../../src/iceberg/file-metrics.ts';
import { compareLiterals } from '../../src/iceberg/literal-order.ts';

const text = fc.string({
  unit: fc.constantFrom('a', 'z', '\u{7f}', '\u{d7ff}', '\u{e000}', '\u{ffff}', '\u{1f600}', '\u{10ffff}'),
});
const length = fc.integer({ min: 1, max: 4 });

describe('a text cut for a bound', () => {
  it('is not above, or not below, the whole, and no longer than asked', () => {
    fc.assert(
      fc.property(text, length, (whole, max) => {
        const lower = truncateLower(whole, max);
        const upper = truncateUpper(whole, max);
        expect(Array.from(lower).length).toBeLessThanOrEqual(max);
        expect(compareLiterals(lower, whole)).toBeLessThanOrEqual(0);
        if (upper === null) return;
        expect(Array.from(upper).length).toBeLessThanOrEqual(max);
        expect(compareLiterals(upper, whole)).toBeGreaterThanOrEqual(0);
        expect(upper.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('is cut by code points, and raised over what is no code point', () => {
    expect(truncateLower('a\u{1f600}b', 2)).toBe('a\u{1f600}');
    expect(truncateUpper('abc', 2)).toBe('ac');
    expect(truncateUpper('ab', 2)).toBe('ab');
    expect(truncateUpper('a\u{d7ff}b', 2)).toBe('a\u{e000}');
    expect(truncateUpper('a\u{10ffff}b', 2)).toBe('b');
    expect(truncateUpper('\u{10ffff}\u{10ffff}b', 2)).toBeNull();
  });

  it('orders as its UTF-8 bytes do', () => {
    fc.assert(
      fc.property(text, text, (left, right) => {
        expect(Math.sign(compareLiterals(left, right))).toBe(Buffer.compare(Buffer.from(left), Buffer.from(right)));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('bytes cut for a bound', () => {
  it('are not above, or not below, the whole', () => {
    const bytes = fc.uint8Array({ max: 255, maxLength: 6 }).map((values) => values.map((value) => (value > 128 ? 255 : value)));
    fc.assert(
      fc.property(bytes, length, (whole, max) => {
        expect(Buffer.compare(truncateLowerBytes(whole, max), whole)).toBeLessThanOrEqual(0);
        const upper = truncateUpperBytes(whole, max);
        if (upper === null) expect(whole.subarray(0, max).every((byte) => byte === 255)).toBe(true);
        else expect(Buffer.compare(upper, whole)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 1000 },
    );
  });
});
