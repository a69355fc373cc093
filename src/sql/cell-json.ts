import type { DuckDBValue } from '@duckdb/node-api';
import {
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDateValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTimeValue,
} from '@duckdb/node-api';
import { printDate, printTime, printTimestamp } from '../iceberg/calendar.ts';
import { printDecimal } from '../iceberg/decimal.ts';
import type { StructType, Type } from '../iceberg/type.ts';

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [name: string]: JsonValue };

/**
 * A cell of a DuckDB result in the contract's JSON forms (`scalar JSON`), by the column's Iceberg type: longs and decimals as
 * strings, NaN and the infinities as strings, binary in base64, ISO dates and times (instants end in `Z`), structs as objects,
 * maps as lists of [key, value].
 */
export function cellJson(value: DuckDBValue, type: Type): JsonValue {
  if (value === null) return null;
  if (typeof type !== 'string') return nestedJson(value, type);
  if (typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return String(value);
    // JSON has no negative zero, and a double's is told apart from zero by nothing that a table promises.
    return type === 'int' || type === 'float' || type === 'double' ? value : String(value);
  }
  if (value instanceof DuckDBDecimalValue) return printDecimal(value.value, value.scale);
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('base64');
  if (value instanceof DuckDBTimeValue) return printTime(value.micros);
  if (value instanceof DuckDBDateValue) return value.isFinite ? printDate(value.days) : infinity(value.days > 0);
  return instantJson(value, type) ?? String(value);
}

/** `Infinity`: DuckDB's dates and timestamps have it, Iceberg's do not; it only comes out of a SELECT. */
function infinity(positive: boolean): string {
  return positive ? 'Infinity' : '-Infinity';
}

function instantJson(value: DuckDBValue, type: Type): string | undefined {
  if (value instanceof DuckDBTimestampNanosecondsValue) {
    if (!value.isFinite) return infinity(value.nanos > 0n);
    return printTimestamp(value.nanos, 'nanos', false) + (type === 'timestamptz_ns' ? 'Z' : '');
  }
  if (value instanceof DuckDBTimestampTZValue) {
    return value.isFinite ? `${printTimestamp(value.micros, 'micros', false)}Z` : infinity(value.micros > 0n);
  }
  const micros = microsOf(value);
  if (micros === undefined) return undefined;
  return micros.isFinite ? printTimestamp(micros.micros, 'micros', false) : infinity(micros.micros > 0n);
}

function microsOf(value: DuckDBValue): { readonly micros: bigint; readonly isFinite: boolean } | undefined {
  if (value instanceof DuckDBTimestampValue) return value;
  if (value instanceof DuckDBTimestampMillisecondsValue) return { micros: value.millis * 1000n, isFinite: value.isFinite };
  if (value instanceof DuckDBTimestampSecondsValue) return { micros: value.seconds * 1_000_000n, isFinite: value.isFinite };
  return undefined;
}

function nestedJson(value: DuckDBValue, type: Exclude<Type, string>): JsonValue {
  if (type.kind === 'list' && (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue)) {
    return value.items.map((item) => cellJson(item, type.element));
  }
  if (type.kind === 'map' && value instanceof DuckDBMapValue) {
    return value.entries.map((entry) => [cellJson(entry.key, type.key), cellJson(entry.value, type.value)]);
  }
  if (type.kind === 'struct' && value instanceof DuckDBStructValue) return structJson(value, type);
  return String(value);
}

function structJson(value: DuckDBStructValue, type: StructType): JsonValue {
  return Object.fromEntries(type.fields.map((field) => [field.name, cellJson(value.entries[field.name] ?? null, field.type)]));
}
