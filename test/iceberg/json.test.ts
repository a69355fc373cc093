import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../src/iceberg/json.ts';

describe('JSON', () => {
  it('keeps 64-bit integers', () => {
    const text = '{"id":9223372036854775807,"small":7,"share":0.5,"min":-9223372036854775808,"edge":9007199254740991}';
    expect(parseJson(text)).toEqual({
      id: 9223372036854775807n,
      small: 7,
      share: 0.5,
      min: -9223372036854775808n,
      edge: 9007199254740991,
    });
    expect(printJson(parseJson(text))).toBe(text);
  });

  it('leaves large fractions and texts of digits alone', () => {
    expect(parseJson('[1e300, "9223372036854775807", 12345678901234567.0]')).toEqual([
      1e300,
      '9223372036854775807',
      12345678901234568,
    ]);
  });

  it('gives back any integer that it prints', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }), (value) => {
        const [read] = parseJson(printJson([value])) as [number | bigint];
        expect(BigInt(read)).toBe(value);
      }),
    );
  });

  it('refuses what is no JSON', () => {
    expect(() => parseJson('{')).toThrow(/not valid JSON/);
    expect(() => parseJson(`${'['.repeat(200_000)}1234567890123456${']'.repeat(200_000)}`)).toThrow(/not valid JSON/);
  });
});
