import { IcecoreError } from '../errors.ts';
import { parseDate, parseTime, parseTimestamp } from './calendar.ts';
import type { UnboundLiteral } from './expression.ts';
import { decimalParts, fixedLength, type Literal, type PrimitiveType } from './type.ts';
import { uuidBytes, uuidText } from './uuid.ts';

/**
 * Where a literal lies among the values of a column's type: at one, between two neighbours (2.5 among ints), or beyond them
 * all (3,000,000,000 among 32-bit ints).
 */
export type LiteralPlace =
  | { readonly at: 'value'; readonly value: Literal }
  | { readonly at: 'between'; readonly floor: Literal; readonly ceiling: Literal }
  | { readonly at: 'below' }
  | { readonly at: 'above' }
  | { readonly at: 'nan' };

/**
 * Puts a literal as it was written among the values of a type. Dates and times are ISO 8601 text, timestamps without a zone
 * UTC; a bigint for one of those is in the column's own unit; bytes are hex text. Throws BAD_USER_INPUT that names the column.
 */
export function placeLiteral(type: PrimitiveType, literal: UnboundLiteral, column: string): LiteralPlace {
  const refused = (example: string) => {
    const shown = typeof literal === 'string' ? `'${literal}'` : String(literal);
    return new IcecoreError(
      'BAD_USER_INPUT',
      `${shown} cannot be compared with column ${column} of type ${type}. Write it like ${example}.`,
      {
        context: { column, type },
      },
    );
  };
  const value = (of: Literal): LiteralPlace => ({ at: 'value', value: of });
  switch (type) {
    case 'boolean':
      if (typeof literal === 'boolean') return value(literal);
      if (literal === 'true' || literal === 'false') return value(literal === 'true');
      throw refused('true');
    case 'string':
      if (typeof literal === 'string') return value(literal);
      throw refused(`'text'`);
    case 'int':
    case 'long':
      return placeInteger(literal, type) ?? fail(refused('42'));
    case 'float':
    case 'double':
      return placeFloat(literal, type) ?? fail(refused('1.5'));
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return value(placeTime(type, literal) ?? fail(refused(timeExamples[type])));
    case 'uuid':
      if (typeof literal === 'string') return value(uuidText(uuidBytes(literal)));
      throw refused(`'f79c3e09-677c-4bbd-a479-3f349cb785e7'`);
    case 'unknown':
      throw refused('IS NULL');
    default: {
      const decimal = decimalParts(type);
      if (decimal !== null) return placeDecimal(literal, decimal.precision, decimal.scale) ?? fail(refused('14.20'));
      if (typeof literal !== 'string' || !/^([0-9a-fA-F]{2})*$/.test(literal)) throw refused(`'00ff'`);
      const bytes = new Uint8Array(Buffer.from(literal, 'hex'));
      const length = fixedLength(type);
      if (length !== null && bytes.length !== length) throw refused(`${length * 2} hex digits`);
      return value(bytes);
    }
  }
}

function fail(error: IcecoreError): never {
  throw error;
}

const timeExamples = {
  date: `'2001-01-03'`,
  time: `'22:31:08'`,
  timestamp: `'2001-01-03T22:31:08'`,
  timestamptz: `'2001-01-03T22:31:08Z'`,
  timestamp_ns: `'2001-01-03T22:31:08.123456789'`,
  timestamptz_ns: `'2001-01-03T22:31:08.123456789Z'`,
} as const;

function placeTime(type: keyof typeof timeExamples, literal: UnboundLiteral): Literal | null {
  if (typeof literal === 'bigint') return type === 'date' ? Number(BigInt.asIntN(32, literal)) : BigInt.asIntN(64, literal);
  if (typeof literal !== 'string') return null;
  if (type === 'date') return parseDate(literal);
  if (type === 'time') return parseTime(literal);
  const unit = type.endsWith('_ns') ? 'nanos' : 'micros';
  const text = /^[+-]?\d+-\d\d-\d\d$/.test(literal) ? `${literal}T00:00:00` : literal;
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text.slice(text.search(/[T ]/) + 1));
  return BigInt.asIntN(64, parseTimestamp(text, unit, hasZone));
}

/** An exact decimal number: `unscaled` / 10^`scale`. */
interface Exact {
  readonly unscaled: bigint;
  readonly scale: number;
}

function exactNumber(literal: UnboundLiteral): Exact | null {
  if (typeof literal === 'bigint') return { unscaled: literal, scale: 0 };
  if (typeof literal === 'boolean') return null;
  const match = /^([+-]?)(\d{1,400})(?:\.(\d{0,400}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(String(literal).trim());
  if (match === null) return null;
  const [, sign, whole = '', fraction = '', exponent = '0'] = match;
  const digits = BigInt(whole + fraction);
  return { unscaled: sign === '-' ? -digits : digits, scale: fraction.length - Number(exponent) };
}

/** Among the whole multiples of 10^-scale between two of them. */
function placeAmong(exact: Exact, scale: number, min: bigint, max: bigint, make: (unscaled: bigint) => Literal): LiteralPlace {
  const shift = scale - exact.scale;
  const divisor = shift < 0 ? 10n ** BigInt(-shift) : 1n;
  const scaled = shift > 0 ? exact.unscaled * 10n ** BigInt(shift) : exact.unscaled;
  const rest = ((scaled % divisor) + divisor) % divisor;
  const floor = (scaled - rest) / divisor;
  if (floor < min) return { at: 'below' };
  if (floor > max || (floor === max && rest !== 0n)) return { at: 'above' };
  return rest === 0n ? { at: 'value', value: make(floor) } : { at: 'between', floor: make(floor), ceiling: make(floor + 1n) };
}

function placeInteger(literal: UnboundLiteral, type: 'int' | 'long'): LiteralPlace | null {
  const exact = exactNumber(literal);
  if (exact === null) return placeInfinity(literal);
  const half = 1n << (type === 'int' ? 31n : 63n);
  return placeAmong(exact, 0, -half, half - 1n, (value) => (type === 'int' ? Number(value) : value));
}

function placeDecimal(literal: UnboundLiteral, precision: number, scale: number): LiteralPlace | null {
  const exact = exactNumber(literal);
  if (exact === null) return placeInfinity(literal);
  const limit = 10n ** BigInt(precision);
  return placeAmong(exact, scale, 1n - limit, limit - 1n, (value) => value);
}

function placeInfinity(literal: UnboundLiteral): LiteralPlace | null {
  const value = typeof literal === 'boolean' || literal === '' ? Number.NaN : Number(literal);
  if (value === Infinity) return { at: 'above' };
  return value === -Infinity ? { at: 'below' } : null;
}

/** Rounded to the column's width, as engines do before they compare. */
function placeFloat(literal: UnboundLiteral, type: 'float' | 'double'): LiteralPlace | null {
  if (typeof literal === 'boolean' || (typeof literal === 'string' && literal.trim() === '')) return null;
  const value = Number(literal);
  if (Number.isNaN(value)) return typeof literal === 'number' || /^\s*nan\s*$/i.test(String(literal)) ? { at: 'nan' } : null;
  return { at: 'value', value: type === 'float' ? Math.fround(value) : value };
}
