import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDuration, printDuration } from '../../schema/duration.ts';

describe('durations', () => {
  it('are read in weeks, days and smaller units', () => {
    const hour = 3_600_000_000n;
    expect(parseDuration('PT24H')).toBe(24n * hour);
    expect(parseDuration('P1D')).toBe(24n * hour);
    expect(parseDuration('P2W')).toBe(14n * 24n * hour);
    expect(parseDuration('P1DT2H30M')).toBe(26n * hour + hour / 2n);
    expect(parseDuration('PT0.000001S')).toBe(1n);
    expect(parseDuration('-PT1M')).toBe(-60_000_000n);
  });

  it('refuse months, years and what is no duration', () => {
    for (const text of ['P1M', 'P1Y', 'P', 'PT', 'P1DT', '24h', '', 'PT1.0000001S', 'PT1H ']) {
      expect(() => parseDuration(text), text).toThrow(/Duration cannot be/);
    }
  });

  it('come back as they were printed', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 17n), max: 10n ** 17n }), (micros) => {
        expect(parseDuration(printDuration(micros))).toBe(micros);
      }),
    );
  });
});
