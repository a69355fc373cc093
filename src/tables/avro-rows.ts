import { avroName } from '../iceberg/avro-schema.ts';
import { printTime } from '../iceberg/calendar.ts';
import { decimalFromBytes, printDecimal } from '../iceberg/decimal.ts';
import { printJson } from '../iceberg/json.ts';
import { decimalParts, isPrimitive, type NestedField, type PrimitiveType, type Type } from '../iceberg/type.ts';
import { uuidText } from '../iceberg/uuid.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteIdentifier } from '../sql/quote.ts';

/** A record as a line of JSON: columns by their place, `c0`, `c1` and so on, maps as lists of {k, v}, what JSON has no form for as text. */
export function jsonLine(fields: readonly NestedField[], record: Readonly<Record<string, unknown>>): string {
  const cells = fields.map((field, index) => [`c${index}`, jsonCell(field.type, record[avroName(field.name)])] as const);
  return `${printJson(Object.fromEntries(cells))}\n`;
}

function jsonCell(type: Type, value: unknown): unknown {
  if (value === null || value === undefined) return null;
  if (isPrimitive(type)) return primitiveCell(type, value);
  switch (type.kind) {
    case 'struct': {
      const record = value as Readonly<Record<string, unknown>>;
      return Object.fromEntries(
        type.fields.map((field, index) => [`c${index}`, jsonCell(field.type, record[avroName(field.name)])]),
      );
    }
    case 'list':
      return (value as readonly unknown[]).map((item) => jsonCell(type.element, item));
    case 'map': {
      const pairs = Array.isArray(value)
        ? (value as readonly { readonly key: unknown; readonly value: unknown }[]).map((pair) => [pair.key, pair.value] as const)
        : Object.entries(value as Readonly<Record<string, unknown>>);
      return pairs.map(([key, item]) => ({ k: jsonCell(type.key, key), v: jsonCell(type.value, item) }));
    }
  }
}

function primitiveCell(type: PrimitiveType, value: unknown): unknown {
  const decimal = decimalParts(type);
  if (decimal !== null) return printDecimal(decimalFromBytes(value as Buffer), decimal.scale);
  switch (type) {
    case 'time':
      return printTime(value as bigint);
    case 'float':
    case 'double':
      return Object.is(value, -0) ? '-0.0' : Number.isFinite(value) ? value : String(value);
    case 'uuid':
      return uuidText(value as Buffer);
    default:
      return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  }
}

/** Where it is not the column's own. The text of days and instants that DuckDB reads has no years beyond 9999. */
const cellTypes: Partial<Record<PrimitiveType, string>> = {
  binary: 'VARCHAR',
  date: 'INTEGER',
  timestamp: 'BIGINT',
  timestamptz: 'BIGINT',
  timestamp_ns: 'BIGINT',
  timestamptz_ns: 'BIGINT',
};

/** The type under which DuckDB reads a cell of such a line. */
export function jsonType(type: Type): string {
  if (isPrimitive(type)) return cellTypes[type] ?? (type.startsWith('fixed') ? 'VARCHAR' : duckDbTypeText(type));
  switch (type.kind) {
    case 'struct':
      return `STRUCT(${type.fields.map((field, index) => `c${index} ${jsonType(field.type)}`).join(', ')})`;
    case 'list':
      return `${jsonType(type.element)}[]`;
    case 'map':
      return `STRUCT(k ${jsonType(type.key)}, v ${jsonType(type.value)})[]`;
  }
}

/** SQL that makes the column out of what was read. */
export function columnOf(type: Type, value: string, depth = 0): string {
  if (isPrimitive(type)) return primitiveOf(type, value);
  const each = `e${depth}`;
  switch (type.kind) {
    case 'struct': {
      const members = type.fields.map(
        (field, index) => `${quoteIdentifier(field.name)} := ${columnOf(field.type, `${value}.c${index}`, depth)}`,
      );
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${members.join(', ')}) END`;
    }
    case 'list':
      return `list_transform(${value}, lambda ${each}: ${columnOf(type.element, each, depth + 1)})`;
    case 'map': {
      const entry = `struct_pack(k := ${columnOf(type.key, `${each}.k`, depth + 1)}, v := ${columnOf(type.value, `${each}.v`, depth + 1)})`;
      return `map_from_entries(list_transform(${value}, lambda ${each}: ${entry}))`;
    }
  }
}

function primitiveOf(type: PrimitiveType, value: string): string {
  switch (type) {
    case 'date':
      return `(DATE '1970-01-01' + ${value})`;
    case 'timestamp':
      return `make_timestamp(${value})`;
    case 'timestamptz':
      return `CAST(make_timestamp(${value}) AS TIMESTAMP WITH TIME ZONE)`;
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return `make_timestamp_ns(${value})`;
    default:
      return type === 'binary' || type.startsWith('fixed') ? `from_hex(${value})` : value;
  }
}
