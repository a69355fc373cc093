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
  DuckDBUUIDValue,
  type DuckDBValue,
} from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { decimalBytes } from '../iceberg/decimal.ts';
import type { Type } from '../iceberg/type.ts';
import { uuidBytes } from '../iceberg/uuid.ts';
import { RowBytes } from './row-bytes.ts';

/** Appends one cell as the row digest has it: 0 for null, else 1, the length of the value's bytes, and the bytes. */
export type CellWriter = (bytes: RowBytes, value: DuckDBValue) => void;

/** How cells of an Iceberg type are written (docs/row-digest.md). A writer throws INTERNAL for a value of another type. */
export function cellWriter(type: Type): CellWriter {
  const write = valueWriter(type);
  return (bytes, value) => {
    if (value === null) {
      bytes.uint8(0);
      return;
    }
    bytes.uint8(1);
    const at = bytes.openLength();
    write(bytes, value);
    bytes.closeLength(at);
  };
}

/** The value's Iceberg single-value bytes (spec: Appendix D); nested types as docs/row-digest.md says. */
function valueWriter(type: Type): CellWriter {
  switch (type) {
    case 'boolean':
      return (bytes, value) => bytes.uint8(value === true ? 1 : 0);
    case 'int':
      return (bytes, value) => bytes.int32(Number(value));
    case 'date':
      return (bytes, value) => bytes.int32(value instanceof DuckDBDateValue ? value.days : wrong(type, value));
    case 'float':
      return (bytes, value) => bytes.float32(typeof value === 'number' ? value : wrong(type, value));
    case 'double':
      return (bytes, value) => bytes.float64(typeof value === 'number' ? value : wrong(type, value));
    case 'long':
      return (bytes, value) => {
        if (typeof value === 'bigint') bytes.int64(value);
        else bytes.int64(typeof value === 'number' ? BigInt(value) : wrong(type, value));
      };
    case 'time':
      return (bytes, value) => bytes.int64(value instanceof DuckDBTimeValue ? value.micros : wrong(type, value));
    case 'timestamp':
    case 'timestamptz':
      return (bytes, value) => {
        const timestamp = value instanceof DuckDBTimestampValue || value instanceof DuckDBTimestampTZValue;
        bytes.int64(timestamp ? value.micros : wrong(type, value));
      };
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return (bytes, value) => bytes.int64(value instanceof DuckDBTimestampNanosecondsValue ? value.nanos : wrong(type, value));
    case 'string':
      return (bytes, value) => bytes.utf8(typeof value === 'string' ? value : wrong(type, value));
    case 'uuid':
      return (bytes, value) => {
        if (value instanceof DuckDBBlobValue) bytes.raw(value.bytes);
        else bytes.raw(uuidBytes(value instanceof DuckDBUUIDValue ? value.toString() : wrong(type, value)));
      };
    case 'unknown':
      return (_, value) => wrong(type, value);
    default:
      return typeof type === 'string' ? bytesWriter(type) : nestedWriter(type);
  }
}

function bytesWriter(type: string): CellWriter {
  if (type.startsWith('decimal')) {
    return (bytes, value) => bytes.raw(decimalBytes(value instanceof DuckDBDecimalValue ? value.value : wrong(type, value)));
  }
  return (bytes, value) => bytes.raw(value instanceof DuckDBBlobValue ? value.bytes : wrong(type, value));
}

function nestedWriter(type: Exclude<Type, string>): CellWriter {
  switch (type.kind) {
    case 'struct': {
      const fields = type.fields.map((field) => ({ name: field.name, write: cellWriter(field.type) }));
      return (bytes, value) => {
        if (!(value instanceof DuckDBStructValue)) return wrong('struct', value);
        for (const { name, write } of fields) write(bytes, value.entries[name] ?? null);
      };
    }
    case 'list': {
      const write = cellWriter(type.element);
      return (bytes, value) => {
        if (!(value instanceof DuckDBListValue)) return wrong('list', value);
        bytes.uint32(value.items.length);
        for (const item of value.items) write(bytes, item);
      };
    }
    case 'map': {
      const writeKey = valueWriter(type.key);
      const writeValue = cellWriter(type.value);
      return (bytes, value) => {
        if (!(value instanceof DuckDBMapValue)) return wrong('map', value);
        const entries = value.entries.map((entry) => ({ key: keyBytes(writeKey, entry.key), value: entry.value }));
        entries.sort((a, b) => Buffer.compare(a.key, b.key));
        bytes.uint32(entries.length);
        for (const entry of entries) {
          bytes.uint8(1);
          bytes.withLength(() => bytes.raw(entry.key));
          writeValue(bytes, entry.value);
        }
      };
    }
  }
}

function keyBytes(write: CellWriter, key: DuckDBValue): Buffer {
  const bytes = new RowBytes();
  write(bytes, key);
  return bytes.written();
}

function wrong(type: string, value: DuckDBValue): never {
  const given = typeof value === 'object' && value !== null ? value.constructor.name : typeof value;
  throw new IcecoreError('INTERNAL', `A cell of type ${type} was given to the row digest as ${given}.`);
}
