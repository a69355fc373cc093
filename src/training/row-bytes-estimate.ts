import type { NestedField, Type } from '../iceberg/type.ts';

const widths: Readonly<Record<string, number>> = { boolean: 1, int: 4, float: 4, date: 4, uuid: 16 };
const eightBytes = ['long', 'double', 'time', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns'];
/** What is of no fixed width. */
const otherBytes = 32;

/** What a row of these columns takes in Arrow, about, before one was seen. */
export function estimatedRowBytes(columns: readonly NestedField[]): number {
  return columns.reduce((sum, { type }) => sum + estimatedBytes(type), 0);
}

function estimatedBytes(type: Type): number {
  if (typeof type !== 'string') return otherBytes;
  return widths[type] ?? (eightBytes.includes(type) ? 8 : otherBytes);
}
