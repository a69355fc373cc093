import { createHash } from 'node:crypto';
import { floorDiv, printDate, printTime, printTimestamp, printYear } from './calendar.ts';
import { printDecimal } from './decimal.ts';
import { type PartitionSpec, partitionTypes } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import { parseTransform } from './transform.ts';
import { decimalParts, type Literal, type PrimitiveType } from './type.ts';

/** File systems end names at 255 bytes; a longer value is cut and told apart by its digest. */
const segmentLengthMax = 200;

/**
 * The folder of a partition below a table's data: `ts_day=2001-01-03/origin=LAX`; empty for an unpartitioned spec. For people
 * to read: nothing is ever read back from it.
 */
export function partitionPath(spec: PartitionSpec, schema: Schema, partition: readonly (Literal | null)[]): string {
  const types = partitionTypes(spec, schema);
  return spec.fields
    .map((field, index) => {
      const value = printPartitionValue(field.transform, types[index] ?? 'string', partition[index] ?? null);
      return shorten(`${plain(field.name)}=${plain(value)}`);
    })
    .join('/');
}

/** A partition value as people read it: `2001`, `2001-01`, `2001-01-03`, `2001-01-03-14`, `null`. */
export function printPartitionValue(transform: string, type: PrimitiveType, value: Literal | null): string {
  if (value === null) return 'null';
  switch (parseTransform(transform).kind) {
    case 'year':
      return printYear(Number(value) + 1970);
    case 'month': {
      const months = BigInt(value as number);
      const year = floorDiv(months, 12n);
      return `${printYear(Number(year) + 1970)}-${(months - year * 12n + 1n).toString().padStart(2, '0')}`;
    }
    case 'hour': {
      const day = Math.floor(Number(value) / 24);
      return `${printDate(day)}-${(Number(value) - day * 24).toString().padStart(2, '0')}`;
    }
    default:
      return printLiteral(type, value);
  }
}

function printLiteral(type: PrimitiveType, value: Literal): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  switch (type) {
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
      return decimal === null ? String(value) : printDecimal(BigInt(value as bigint), decimal.scale);
    }
  }
}

/** Anything but plain ASCII becomes `_`: engines disagree on whether a percent sign in a location is an escape. */
function plain(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9._+-]/gu, '_');
}

function shorten(segment: string): string {
  if (segment.length <= segmentLengthMax) return segment;
  return `${segment.slice(0, segmentLengthMax - 17)}-${createHash('sha256').update(segment).digest('hex').slice(0, 16)}`;
}
