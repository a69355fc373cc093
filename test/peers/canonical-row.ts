import type { DuckDBValue } from '@duckdb/node-api';
import {
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from '@duckdb/node-api';
import { printDecimal } from '../../src/iceberg/decimal.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';

/** A row as text that is equal for equal rows alone, columns in their order; its cells are as foreign_spark.py describes them. */
export function canonicalRow(cells: readonly DuckDBValue[], fields: readonly NestedField[]): string {
  return canonicalText(Object.fromEntries(fields.map(({ name, type }, at) => [name, cellOf(cells[at] ?? null, type)])));
}

/** The same for what another engine gave as JSON. */
export function canonicalJson(row: string): string {
  return canonicalText(JSON.parse(row));
}

/** The entries of a map have no order. */
function canonicalText(row: unknown): string {
  return JSON.stringify(row, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || !('map' in value) || !Array.isArray(value.map)) return value;
    return { map: value.map.toSorted(([a], [b]) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) };
  });
}

function cellOf(value: DuckDBValue, type: Type): unknown {
  if (value === null) return null;
  if (typeof type === 'string') return primitiveOf(value, type);
  if (type.kind === 'list' && value instanceof DuckDBListValue) return value.items.map((item) => cellOf(item, type.element));
  if (type.kind === 'map' && value instanceof DuckDBMapValue) {
    return { map: value.entries.map((entry) => [cellOf(entry.key, type.key), cellOf(entry.value, type.value)]) };
  }
  if (type.kind === 'struct' && value instanceof DuckDBStructValue) {
    return Object.fromEntries(type.fields.map((field) => [field.name, cellOf(value.entries[field.name] ?? null, field.type)]));
  }
  throw new Error(`no ${type.kind}: ${value}`);
}

function primitiveOf(value: DuckDBValue, type: string): unknown {
  if (typeof value === 'number' && (type === 'float' || type === 'double')) return numberOf(value);
  if (typeof value === 'bigint') return value.toString();
  if (value instanceof DuckDBDecimalValue) return printDecimal(value.value, value.scale);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  if (value instanceof DuckDBTimeValue) return value.micros.toString();
  if (value instanceof DuckDBDateValue) return value.days;
  if (value instanceof DuckDBTimestampNanosecondsValue) return value.nanos.toString();
  if (value instanceof DuckDBTimestampTZValue || value instanceof DuckDBTimestampValue) return value.micros.toString();
  return typeof value === 'object' ? String(value) : value;
}

function numberOf(value: number): number | string {
  if (!Number.isFinite(value)) return String(value);
  return Object.is(value, -0) ? '-0' : value;
}
