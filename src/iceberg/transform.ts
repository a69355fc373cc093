import { IcecoreError } from '../errors.ts';
import { civilFromDays, floorDiv, unitsPerDay } from './calendar.ts';
import { decimalBytes } from './decimal.ts';
import { murmur3 } from './murmur3.ts';
import type { Transform } from './partition-spec.ts';
import { decimalParts, type Literal, type PrimitiveType, type Type } from './type.ts';
import { uuidBytes } from './uuid.ts';

export type DateTransform = 'year' | 'month' | 'day' | 'hour';

/** A transform's text, taken apart (spec: "Partition Transforms"). */
export type ParsedTransform =
  | { readonly kind: 'identity' }
  | { readonly kind: 'void' }
  | { readonly kind: DateTransform }
  | { readonly kind: 'bucket'; readonly buckets: number }
  | { readonly kind: 'truncate'; readonly width: number }
  | { readonly kind: 'unknown'; readonly text: string };

/** Takes a transform's text apart, in either case. One that is not known is `unknown`: readable as null, never written. */
export function parseTransform(text: Transform): ParsedTransform {
  const lower = text.trim().toLowerCase();
  switch (lower) {
    case 'identity':
    case 'void':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
      return { kind: lower };
    default: {
      const match = /^(bucket|truncate)\[(\d{1,10})\]$/.exec(lower);
      const argument = Number(match?.[2]);
      if (match === null || argument < 1 || argument > 0x7fffffff) return { kind: 'unknown', text };
      return match[1] === 'bucket' ? { kind: 'bucket', buckets: argument } : { kind: 'truncate', width: argument };
    }
  }
}

/** The text that metadata holds. */
export function printTransform(transform: ParsedTransform): Transform {
  switch (transform.kind) {
    case 'bucket':
      return `bucket[${transform.buckets}]`;
    case 'truncate':
      return `truncate[${transform.width}]`;
    case 'unknown':
      return transform.text;
    default:
      return transform.kind;
  }
}

const zonedOrLocal: readonly Type[] = ['timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'];
const neverBucketed: readonly Type[] = ['boolean', 'float', 'double', 'unknown'];
const truncated: readonly Type[] = ['int', 'long', 'string', 'binary'];

/** Whether a transform takes a column of this type. */
export function canTransform(transform: ParsedTransform, source: Type): source is PrimitiveType {
  if (typeof source !== 'string') return false;
  switch (transform.kind) {
    case 'identity':
    case 'void':
      return true;
    case 'bucket':
      return !neverBucketed.includes(source);
    case 'truncate':
      return truncated.includes(source) || decimalParts(source) !== null;
    case 'year':
    case 'month':
    case 'day':
      return source === 'date' || zonedOrLocal.includes(source);
    case 'hour':
      return zonedOrLocal.includes(source);
    case 'unknown':
      return false;
  }
}

/** The type of a transform's results. An unknown transform's values are never looked at; they count as text. */
export function transformResultType(text: Transform, source: PrimitiveType): PrimitiveType {
  const transform = parseTransform(text);
  switch (transform.kind) {
    case 'bucket':
    case 'year':
    case 'month':
    case 'hour':
      return 'int';
    case 'day':
      return 'date';
    case 'unknown':
      return 'string';
    default:
      return source;
  }
}

/** The 32-bit hash that buckets are made of (spec: Appendix B). Throws INTERNAL for a type that cannot be hashed. */
export function bucketHash(type: PrimitiveType, value: Literal): number {
  switch (type) {
    case 'int':
    case 'long':
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return hashLong(BigInt(value as number | bigint));
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return hashLong(floorDiv(BigInt(value as bigint), 1000n));
    case 'string':
      return murmur3(new TextEncoder().encode(String(value)));
    case 'uuid':
      return murmur3(uuidBytes(String(value)));
    default:
      if (decimalParts(type) !== null) return murmur3(decimalBytes(BigInt(value as bigint)));
      if (value instanceof Uint8Array) return murmur3(value);
      throw new IcecoreError('INTERNAL', `A ${type} cannot be hashed into buckets.`);
  }
}

function hashLong(value: bigint): number {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, value, true);
  return murmur3(bytes);
}

function truncateValue(type: PrimitiveType, width: number, value: Literal): Literal {
  if (value instanceof Uint8Array) return value.subarray(0, width);
  if (typeof value === 'string') {
    // Code points, not UTF-16 units. Most texts are shorter than the width in both.
    return value.length <= width
      ? value
      : Array.from(value.slice(0, width * 2))
          .slice(0, width)
          .join('');
  }
  if (typeof value === 'number') return (value - (((value % width) + width) % width)) | 0;
  const by = BigInt(width);
  const lower = BigInt(value) - (((BigInt(value) % by) + by) % by);
  return type === 'long' ? BigInt.asIntN(64, lower) : lower;
}

function dateValue(kind: DateTransform, type: PrimitiveType, value: Literal): number {
  if (type === 'date') return datePart(kind, Number(value));
  const perDay = unitsPerDay[type.endsWith('_ns') ? 'nanos' : 'micros'];
  const instant = BigInt(value as bigint);
  return kind === 'hour' ? Number(floorDiv(instant, perDay / 24n)) : datePart(kind, Number(floorDiv(instant, perDay)));
}

function datePart(kind: DateTransform, days: number): number {
  if (kind === 'day') return days;
  const { year, month } = civilFromDays(days);
  return kind === 'year' ? year - 1970 : (year - 1970) * 12 + month - 1;
}

/**
 * The partition value of a cell: bucket numbers, years, months and hours from 1970 as ints, days as a date, the others in
 * the source's type. Null for null, for `void` and for a transform that is not known (spec: "Partition Transforms").
 */
export function applyTransform(text: Transform, source: PrimitiveType, value: Literal | null): Literal | null {
  return value === null ? null : bindTransform(text, source)(value);
}

/** The same for many values: the transform's text is read once. Throws BAD_USER_INPUT where it does not take the type. */
export function bindTransform(text: Transform, source: PrimitiveType): (value: Literal) => Literal | null {
  const transform = parseTransform(text);
  if (transform.kind !== 'unknown' && !canTransform(transform, source)) {
    throw new IcecoreError('BAD_USER_INPUT', `The transform ${text} does not take a column of type ${source}.`);
  }
  switch (transform.kind) {
    case 'identity':
      return (value) => value;
    case 'void':
    case 'unknown':
      return () => null;
    case 'bucket':
      return (value) => (bucketHash(source, value) & 0x7fffffff) % transform.buckets;
    case 'truncate':
      return (value) => truncateValue(source, transform.width, value);
    default:
      return (value) => dateValue(transform.kind, source, value);
  }
}
