import { IcecoreError } from '../errors.ts';
import { parseDate, parseTime, parseTimestamp, printDate, printTime, printTimestamp } from './calendar.ts';
import { parseDecimal, printDecimal } from './decimal.ts';
import { asBoolean, asInt, asLong, asString } from './json-member.ts';
import { decimalParts, fixedLength, type Literal, type PrimitiveType } from './type.ts';
import { uuidBytes, uuidText } from './uuid.ts';

/**
 * A value in the JSON single-value form: dates and times as ISO text, decimals as text, bytes as hex (spec: Appendix D, "JSON
 * single-value serialization"). 64-bit integers are bigints; print with `printJson`. Throws BAD_USER_INPUT for NaN and
 * infinities, which JSON has not.
 */
export function printJsonValue(type: PrimitiveType, value: Literal | null): unknown {
  if (value === null) return null;
  switch (type) {
    case 'boolean':
    case 'int':
    case 'long':
    case 'string':
    case 'uuid':
      return value;
    case 'float':
    case 'double':
      if (Number.isFinite(value)) return value;
      throw new IcecoreError('BAD_USER_INPUT', `${String(value)} cannot be written as JSON.`);
    case 'date':
      return printDate(Number(value));
    case 'time':
      return printTime(BigInt(value as bigint));
    case 'timestamp':
    case 'timestamptz':
      return printTimestamp(BigInt(value as bigint), 'micros', type === 'timestamptz');
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return printTimestamp(BigInt(value as bigint), 'nanos', type === 'timestamptz_ns');
    default: {
      const decimal = decimalParts(type);
      if (decimal !== null) return printDecimal(BigInt(value as bigint), decimal.scale);
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : null;
    }
  }
}

/** The value of such JSON; null for null. `where` names it in messages. Throws BAD_USER_INPUT where it does not fit the type. */
export function parseJsonValue(type: PrimitiveType, json: unknown, where = `The ${type} value`): Literal | null {
  if (json === null || json === undefined) return null;
  switch (type) {
    case 'boolean':
      return asBoolean(json, where);
    case 'int':
      return asInt(json, where);
    case 'long':
      return asLong(json, where);
    case 'float':
    case 'double':
      if (typeof json === 'number') return json;
      if (typeof json === 'bigint') return Number(json);
      throw new IcecoreError('BAD_USER_INPUT', `${where} must be a number.`);
    case 'string':
      return asString(json, where);
    case 'uuid':
      return uuidText(uuidBytes(asString(json, where)));
    case 'date':
      return parseDate(asString(json, where));
    case 'time':
      return parseTime(asString(json, where));
    case 'timestamp':
    case 'timestamptz':
      return parseTimestamp(asString(json, where), 'micros', type === 'timestamptz');
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return parseTimestamp(asString(json, where), 'nanos', type === 'timestamptz_ns');
    case 'unknown':
      throw new IcecoreError('BAD_USER_INPUT', `${where} must be null: a column of type unknown holds nothing else.`);
    default: {
      const decimal = decimalParts(type);
      if (decimal !== null) return parseDecimal(asString(json, where), decimal.precision, decimal.scale);
      return parseHex(asString(json, where), fixedLength(type), where);
    }
  }
}

function parseHex(text: string, length: number | null, where: string): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
  if (bytes.length * 2 !== text.length || (length !== null && bytes.length !== length)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${where} must be ${length === null ? '' : `${length} `}bytes in hexadecimal digits.`,
    );
  }
  return bytes;
}
