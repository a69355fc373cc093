import fc from 'fast-check';
import { GraphQLScalarType, parseValue } from 'graphql';
import { describe, expect, it } from 'vitest';
import { schema } from '../../schema/schema.ts';

function scalar(name: string): GraphQLScalarType {
  const type = schema.getType(name);
  if (type instanceof GraphQLScalarType) return type;
  throw new Error(`${name} is no scalar`);
}

describe('scalars', () => {
  it('BigInt holds 64 bits without loss, as text', () => {
    const type = scalar('BigInt');
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => {
        const text = type.serialize(value);
        expect(typeof text).toBe('string');
        expect(type.parseValue(text)).toBe(value);
        expect(type.parseLiteral(parseValue(String(value)))).toBe(value);
      }),
    );
    for (const wrong of ['9223372036854775808', '1.5', '', ' 1', 'x', 1.5, 2 ** 53, true, null]) {
      expect(() => type.parseValue(wrong), String(wrong)).toThrow(/BigInt cannot be/);
    }
  });

  it('DateTime is an instant in UTC to the microsecond', () => {
    const type = scalar('DateTime');
    expect(type.serialize(978_307_200_000_000n)).toBe('2001-01-01T00:00:00Z');
    expect(type.serialize(978_307_200_000_001n)).toBe('2001-01-01T00:00:00.000001Z');
    expect(type.parseValue('2001-01-01T01:00:00+01:00')).toBe(978_307_200_000_000n);
    fc.assert(
      fc.property(fc.bigInt({ min: -62_135_596_800_000_000n, max: 253_402_300_799_999_999n }), (micros) => {
        expect(type.parseValue(type.serialize(micros))).toBe(micros);
      }),
    );
    for (const wrong of ['2001-01-01', '2001-01-01T00:00:00', '2001-02-30T00:00:00Z', '2001-01-01T00:00:00.0000001Z', 5]) {
      expect(() => type.parseValue(wrong), String(wrong)).toThrow();
    }
  });

  it('JSON keeps the forms of the contract', () => {
    const type = scalar('JSON');
    const value = {
      long: 2n ** 60n,
      nan: Number.NaN,
      low: Number.NEGATIVE_INFINITY,
      bytes: Uint8Array.of(1, 2),
      map: [['a', 1n]],
      none: null,
    };
    expect(type.serialize(value)).toEqual({
      long: '1152921504606846976',
      nan: 'NaN',
      low: '-Infinity',
      bytes: 'AQI=',
      map: [['a', '1']],
      none: null,
    });
    expect(type.parseLiteral(parseValue('{ id: 9007199254740993, small: 7, list: [1.5, null, true, "x"] }'))).toEqual({
      id: '9007199254740993',
      small: 7,
      list: [1.5, null, true, 'x'],
    });
    const odd = type.serialize(JSON.parse('{"__proto__": 1, "a": 2}')) as object;
    expect(Object.entries(odd)).toEqual([
      ['__proto__', 1],
      ['a', 2],
    ]);
  });

  it('Bytes are base64', () => {
    const type = scalar('Bytes');
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(Buffer.from(type.parseValue(type.serialize(bytes)) as Uint8Array)).toEqual(Buffer.from(bytes));
      }),
    );
    for (const wrong of ['a', 'AQI', 'A===', '*AQI', 7])
      expect(() => type.parseValue(wrong), String(wrong)).toThrow(/Bytes cannot be/);
  });
});
