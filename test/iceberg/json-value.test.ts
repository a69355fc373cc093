import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import { parseJsonValue, printJsonValue } from '../../src/iceberg/json-value.ts';
import { valuesByType } from './values-by-type.ts';

describe('JSON values', () => {
  it.each(valuesByType)('of type %s come back through text', (type, values) => {
    fc.assert(
      fc.property(values, (value) => {
        fc.pre(typeof value !== 'number' || Number.isFinite(value));
        const back = parseJsonValue(type, parseJson(printJson(printJsonValue(type, value))));
        // JSON has no negative zero.
        expect(Object.is(back, 0) ? value === 0 : back).toEqual(Object.is(back, 0) ? true : value);
      }),
    );
  });

  it.each([
    ['date', 17486, '2017-11-16'],
    ['time', 81068123456n, '22:31:08.123456'],
    ['timestamp', 1510871468123456n, '2017-11-16T22:31:08.123456'],
    ['timestamptz', 1510871468123456n, '2017-11-16T22:31:08.123456+00:00'],
    ['timestamp_ns', 1510871468123456789n, '2017-11-16T22:31:08.123456789'],
    ['decimal(9, 2)', 1420n, '14.20'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
    ['long', 34n, 34n],
  ] as const)('of type %s have the form of Appendix D', (type, value, json) => {
    expect(printJsonValue(type, value)).toBe(json);
    expect(parseJsonValue(type, json)).toEqual(value);
  });

  it('of bytes are hex, read in both cases', () => {
    expect(printJsonValue('binary', Uint8Array.of(0, 171))).toBe('00ab');
    expect(parseJsonValue('fixed[2]', '00AB')).toEqual(Uint8Array.of(0, 171));
  });

  it('are read in the looser forms of people', () => {
    expect(parseJsonValue('long', 34)).toBe(34n);
    expect(parseJsonValue('timestamptz', '2017-11-16T14:31:08-08:00')).toBe(1510871468000000n);
    expect(parseJsonValue('timestamptz', '2017-11-16 22:31Z')).toBe(1510871460000000n);
    expect(parseJsonValue('decimal(9, 2)', '1.4e1')).toBe(1400n);
    expect(parseJsonValue('int', null)).toBeNull();
  });

  it.each([
    ['int', 2 ** 31],
    ['int', 1.5],
    ['int', '1'],
    ['long', 2n ** 63n],
    ['boolean', 1],
    ['date', '2001-02-29'],
    ['date', '2001-1-3'],
    ['time', '24:00:00'],
    ['time', '10:00:00.1234567'],
    ['timestamp', '2001-01-03T00:00:00Z'],
    ['timestamptz', '2001-01-03T00:00:00'],
    ['decimal(4, 2)', '100.00'],
    ['decimal(4, 2)', '1.234'],
    ['uuid', 'f79c3e09'],
    ['fixed[2]', '00'],
    ['binary', '0x00'],
    ['double', 'NaN'],
    ['unknown', 1],
  ] as const)('of type %s refuse %s', (type, json) => {
    expect(() => parseJsonValue(type, json)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
  });

  it('have no NaN', () => {
    expect(() => printJsonValue('double', Number.NaN)).toThrow(/cannot be written as JSON/);
  });
});
