import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeSingleValue, encodeSingleValue } from '../../src/iceberg/single-value.ts';
import { valuesByType } from './values-by-type.ts';

describe('single values', () => {
  it.each(valuesByType)('of type %s come back from their bytes', (type, values) => {
    fc.assert(
      fc.property(values, (value) => {
        expect(decodeSingleValue(type, encodeSingleValue(type, value))).toEqual(value);
      }),
    );
  });

  it('have the bytes of Appendix D', () => {
    expect(encodeSingleValue('int', 34)).toEqual(Uint8Array.of(34, 0, 0, 0));
    expect(encodeSingleValue('long', -1n)).toEqual(new Uint8Array(8).fill(255));
    expect(encodeSingleValue('decimal(9, 2)', 1420n)).toEqual(Uint8Array.of(0x05, 0x8c));
    expect(encodeSingleValue('decimal(9, 2)', 128n)).toEqual(Uint8Array.of(0x00, 0x80));
    expect(encodeSingleValue('decimal(9, 2)', -128n)).toEqual(Uint8Array.of(0x80));
    expect(encodeSingleValue('uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7').slice(0, 4)).toEqual(
      Uint8Array.of(0xf7, 0x9c, 0x3e, 0x09),
    );
    expect(encodeSingleValue('string', 'ä')).toEqual(Uint8Array.of(0xc3, 0xa4));
    expect(encodeSingleValue('boolean', true)).toEqual(Uint8Array.of(1));
  });

  it('written before a promotion are read by their length', () => {
    expect(decodeSingleValue('long', encodeSingleValue('int', -7))).toBe(-7n);
    expect(decodeSingleValue('double', encodeSingleValue('float', 1.5))).toBe(1.5);
    expect(decodeSingleValue('timestamp', encodeSingleValue('date', 2))).toBe(172_800_000_000n);
  });

  it('are read from the middle of a larger buffer', () => {
    const whole = Uint8Array.of(9, 9, 9, 34, 0, 0, 0, 9);
    expect(decodeSingleValue('int', whole.subarray(3, 7))).toBe(34);
  });

  it('of the wrong length are refused', () => {
    expect(() => decodeSingleValue('int', Uint8Array.of(1))).toThrow('1 bytes cannot be a single value of type int');
    expect(() => decodeSingleValue('string', Uint8Array.of(0xff))).toThrow(/string/);
    expect(() => decodeSingleValue('fixed[3]', Uint8Array.of(1))).toThrow(/fixed/);
  });
});
