import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseDate, parseTime, parseTimestamp } from '../../src/iceberg/calendar.ts';
import { applyTransform, bucketHash, parseTransform, printTransform, transformResultType } from '../../src/iceberg/transform.ts';
import type { Literal, PrimitiveType } from '../../src/iceberg/type.ts';

const ts = (text: string) => parseTimestamp(text, 'micros', false);

describe('bucket hash', () => {
  // The vectors of the specification, Appendix B.
  const vectors: readonly [PrimitiveType, Literal, number][] = [
    ['int', 34, 2017239379],
    ['long', 34n, 2017239379],
    ['decimal(9, 2)', 1420n, -500754589],
    ['date', parseDate('2017-11-16'), -653330422],
    ['time', parseTime('22:31:08'), -662762989],
    ['timestamp', ts('2017-11-16T22:31:08'), -2047944441],
    ['timestamp', ts('2017-11-16T22:31:08.000001'), -1207196810],
    ['timestamptz', parseTimestamp('2017-11-16T14:31:08-08:00', 'micros', true), -2047944441],
    ['timestamptz', parseTimestamp('2017-11-16T14:31:08.000001-08:00', 'micros', true), -1207196810],
    ['timestamp_ns', parseTimestamp('2017-11-16T22:31:08', 'nanos', false), -2047944441],
    ['timestamp_ns', parseTimestamp('2017-11-16T22:31:08.000001001', 'nanos', false), -1207196810],
    ['timestamptz_ns', parseTimestamp('2017-11-16T14:31:08.000001001-08:00', 'nanos', true), -1207196810],
    ['string', 'iceberg', 1210000089],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 1488055340],
    ['fixed[4]', Uint8Array.of(0, 1, 2, 3), -188683207],
    ['binary', Uint8Array.of(0, 1, 2, 3), -188683207],
  ];
  it.each(vectors)('of a %s %s', (type, value, hash) => {
    expect(bucketHash(type, value)).toBe(hash);
    expect(applyTransform('bucket[16]', type, value)).toBe((hash & 0x7fffffff) % 16);
  });
});

describe('truncate', () => {
  it.each([
    ['int', 'truncate[10]', 1, 0],
    ['int', 'truncate[10]', -1, -10],
    ['long', 'truncate[10]', -11n, -20n],
    ['decimal(9, 2)', 'truncate[50]', 1065n, 1050n],
    ['decimal(9, 2)', 'truncate[10]', -1065n, -1070n],
    ['string', 'truncate[3]', 'iceberg', 'ice'],
    ['string', 'truncate[2]', '🧊🧊🧊', '🧊🧊'],
    ['string', 'truncate[9]', 'iceberg', 'iceberg'],
  ] as const)('of a %s by %s: %s', (type, transform, value, result) => {
    expect(applyTransform(transform, type, value)).toBe(result);
  });

  it('of bytes', () => {
    expect(applyTransform('truncate[2]', 'binary', Uint8Array.of(1, 2, 3))).toEqual(Uint8Array.of(1, 2));
  });
});

describe('dates', () => {
  it.each([
    ['date', 'year', parseDate('2001-01-03'), 31],
    ['date', 'month', parseDate('2001-01-03'), 31 * 12],
    ['date', 'day', parseDate('2001-01-03'), 11325],
    ['timestamp', 'hour', ts('2001-01-03T14:59:59'), 11325 * 24 + 14],
    ['timestamp', 'day', ts('2001-01-03T23:59:59.999999'), 11325],
    // Below zero everything rounds down.
    ['timestamp', 'hour', ts('1969-12-31T23:59:59.999999'), -1],
    ['timestamp', 'day', ts('1969-12-31T23:59:59.999999'), -1],
    ['timestamp', 'month', ts('1969-12-31T23:59:59.999999'), -1],
    ['timestamp', 'year', ts('1969-12-31T23:59:59.999999'), -1],
    ['timestamp', 'year', ts('1969-01-01T00:00:00'), -1],
    ['date', 'month', parseDate('1969-01-31'), -12],
    ['timestamp_ns', 'day', -1n, -1],
  ] as const)('of a %s by %s: %s', (type, transform, value, result) => {
    expect(applyTransform(transform, type, value)).toBe(result);
  });

  it('agree with the calendar of JavaScript where that reaches', () => {
    fc.assert(
      fc.property(fc.integer({ min: -90_000_000, max: 90_000_000 }), (days) => {
        const date = new Date(days * 86_400_000);
        expect(applyTransform('year', 'date', days)).toBe(date.getUTCFullYear() - 1970);
        expect(applyTransform('month', 'date', days)).toBe((date.getUTCFullYear() - 1970) * 12 + date.getUTCMonth());
      }),
    );
  });
});

describe('transforms', () => {
  it('give null for null, for void and for what is not known', () => {
    expect(applyTransform('bucket[4]', 'int', null)).toBeNull();
    expect(applyTransform('void', 'int', 1)).toBeNull();
    expect(applyTransform('zorder[2]', 'int', 1)).toBeNull();
  });

  it('have result types', () => {
    expect(transformResultType('day', 'timestamp')).toBe('date');
    expect(transformResultType('hour', 'timestamp')).toBe('int');
    expect(transformResultType('truncate[4]', 'string')).toBe('string');
  });

  it('refuse types they do not take', () => {
    expect(() => applyTransform('bucket[4]', 'double', 1)).toThrow(/bucket\[4\] does not take a column of type double/);
    expect(() => applyTransform('hour', 'date', 1)).toThrow(/hour/);
    expect(() => applyTransform('year', 'string', 'x')).toThrow(/year/);
  });

  it('print as they were read', () => {
    for (const text of ['identity', 'void', 'year', 'bucket[16]', 'truncate[3]', 'zorder[2]']) {
      expect(printTransform(parseTransform(text))).toBe(text);
    }
    expect(parseTransform('bucket[0]').kind).toBe('unknown');
    expect(parseTransform('DAY').kind).toBe('day');
  });
});
