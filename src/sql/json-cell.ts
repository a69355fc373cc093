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
  DuckDBUUIDValue,
} from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { parseDate, parseTime, parseTimestamp } from '../iceberg/calendar.ts';
import { parseDecimal } from '../iceberg/decimal.ts';
import type { Literal, NestedField, PrimitiveType, Type } from '../iceberg/type.ts';
import { decimalParts, fixedLength } from '../iceberg/type.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import { uuidBytes } from '../iceberg/uuid.ts';

const [longMin, longMax] = [-(2n ** 63n), 2n ** 63n - 1n];
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

function wrong(where: string, type: Type, value: unknown, hint = ''): IcecoreError {
  const text = typeof value === 'bigint' ? value.toString() : (JSON.stringify(value) ?? String(value));
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  return new IcecoreError('BAD_USER_INPUT', `${where}: ${shown} is no ${printTypeText(type)}${hint === '' ? '.' : `; ${hint}.`}`);
}

/** The forms that JSON has for each primitive type, so that a message can say what would be right. */
function hintOf(type: PrimitiveType): string {
  if (type === 'long' || decimalParts(type) !== null) return 'write it as a string of digits';
  if (type === 'binary' || fixedLength(type) !== null) return 'write it in base64';
  if (type === 'float' || type === 'double') return 'write a number, or "NaN", "Infinity" or "-Infinity"';
  return '';
}

/**
 * A JSON value in the contract's forms as a DuckDB value of an Iceberg type; exact, or BAD_USER_INPUT. `where` names the place,
 * such as `Row 3, column "delay"`. A missing member of a struct is null.
 */
export function jsonCell(value: unknown, type: Type, where: string): DuckDBValue {
  if (value === null || value === undefined) return null;
  if (typeof type !== 'string') return nestedCell(value, type, where);
  let literal: Literal | undefined;
  try {
    literal = literalOf(value, type);
  } catch (error) {
    if (error instanceof IcecoreError) throw new IcecoreError(error.code, `${where}: ${error.message}`, { cause: error });
    throw error;
  }
  if (literal === undefined) throw wrong(where, type, value, hintOf(type));
  return duckDbValue(literal, type);
}

/** The same as a literal of Iceberg's; undefined where the value is none of the type. */
function literalOf(value: unknown, type: PrimitiveType): Literal | undefined {
  const decimal = decimalParts(type);
  if (decimal !== null) return decimalLiteral(value, decimal.precision, decimal.scale);
  const length = fixedLength(type);
  if (length !== null || type === 'binary') {
    if (typeof value !== 'string' || !base64.test(value)) return undefined;
    const bytes = new Uint8Array(Buffer.from(value, 'base64'));
    return length === null || bytes.length === length ? bytes : undefined;
  }
  switch (type) {
    case 'boolean':
      return typeof value === 'boolean' ? value : undefined;
    case 'int':
      return typeof value === 'number' && (value | 0) === value ? value : undefined;
    case 'long':
      return longLiteral(value);
    case 'float':
    case 'double':
      return floatLiteral(value, type);
  }
  if (typeof value !== 'string') return undefined;
  switch (type) {
    case 'date':
      return parseDate(value);
    case 'time':
      return parseTime(value);
    case 'timestamp':
      return parseTimestamp(value, 'micros', false);
    case 'timestamptz':
      return parseTimestamp(value, 'micros', true);
    case 'timestamp_ns':
      return parseTimestamp(value, 'nanos', false);
    case 'timestamptz_ns':
      return parseTimestamp(value, 'nanos', true);
    case 'uuid':
      return BigInt(`0x${Buffer.from(uuidBytes(value)).toString('hex')}`);
    case 'string':
      return value.isWellFormed() ? value : undefined;
    default:
      return undefined;
  }
}

function longLiteral(value: unknown): bigint | undefined {
  if (typeof value === 'string' ? !/^-?\d{1,19}$/.test(value) : typeof value !== 'bigint' && !Number.isSafeInteger(value)) return;
  const long = BigInt(value as string | number | bigint);
  return long >= longMin && long <= longMax ? long : undefined;
}

function floatLiteral(value: unknown, type: 'float' | 'double'): number | undefined {
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  if (typeof value === 'bigint') return Number(value);
  if (typeof value !== 'number') return undefined;
  // A float's nearest value is taken, as every writer does; one that would become infinite is no float.
  return type === 'float' && !Number.isFinite(Math.fround(value)) ? undefined : value;
}

function decimalLiteral(value: unknown, precision: number, scale: number): bigint | undefined {
  if (typeof value === 'string') return parseDecimal(value, precision, scale);
  // A JSON number went through a double, so only integers are sure to be what was written.
  if (typeof value === 'bigint' || Number.isSafeInteger(value)) return parseDecimal(String(value), precision, scale);
  return undefined;
}

/** A literal of Iceberg's as DuckDB's binding takes it; a uuid is its 128 bits. */
function duckDbValue(literal: Literal, type: PrimitiveType): DuckDBValue {
  if (literal instanceof Uint8Array) return new DuckDBBlobValue(literal);
  if (typeof literal === 'number') return type === 'date' ? new DuckDBDateValue(literal) : literal;
  if (typeof literal !== 'bigint') return literal;
  const decimal = decimalParts(type);
  if (decimal !== null) return new DuckDBDecimalValue(literal, decimal.precision, decimal.scale);
  switch (type) {
    case 'time':
      return new DuckDBTimeValue(literal);
    case 'timestamp':
      return new DuckDBTimestampValue(literal);
    case 'timestamptz':
      return new DuckDBTimestampTZValue(literal);
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return new DuckDBTimestampNanosecondsValue(literal);
    case 'uuid':
      return DuckDBUUIDValue.fromUint128(literal);
    default:
      return literal;
  }
}

function nestedCell(value: unknown, type: Exclude<Type, string>, where: string): DuckDBValue {
  if (type.kind === 'struct') {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, type, value, 'write an object');
    return new DuckDBStructValue(fieldCells(value as Record<string, unknown>, type.fields, (name) => `${where}.${name}`, where));
  }
  if (!Array.isArray(value)) {
    throw wrong(where, type, value, type.kind === 'list' ? 'write a list' : 'write a list of [key, value]');
  }
  if (type.kind === 'list') {
    return new DuckDBListValue(
      value.map((item, index) =>
        required(jsonCell(item, type.element, `${where}[${index}]`), type.elementRequired, `${where}[${index}]`),
      ),
    );
  }
  return new DuckDBMapValue(
    value.map((entry, index) => {
      const at = `${where}[${index}]`;
      if (!Array.isArray(entry) || entry.length !== 2) throw wrong(at, type, entry, 'write each entry as [key, value]');
      const key = required(jsonCell(entry[0], type.key, `${at} key`), true, `${at} key`);
      return { key, value: required(jsonCell(entry[1], type.value, `${at} value`), type.valueRequired, `${at} value`) };
    }),
  );
}

function required(value: DuckDBValue, isRequired: boolean, where: string): DuckDBValue {
  if (value === null && isRequired) throw new IcecoreError('BAD_USER_INPUT', `${where}: null, and a value is required.`);
  return value;
}

/** The cells of an object's members, by field name. Throws BAD_USER_INPUT for members that are no field, and for required nulls. */
export function fieldCells(
  object: Readonly<Record<string, unknown>>,
  fields: readonly NestedField[],
  whereOf: (name: string) => string,
  where: string,
): Record<string, DuckDBValue> {
  // Without a prototype, so that a column may be called `__proto__`.
  const cells: Record<string, DuckDBValue> = Object.create(null);
  let found = 0;
  for (const field of fields) {
    const has = Object.hasOwn(object, field.name);
    if (has) found++;
    const at = whereOf(field.name);
    cells[field.name] = required(jsonCell(has ? object[field.name] : null, field.type, at), field.required, at);
  }
  if (found < Object.keys(object).length) {
    const extra = Object.keys(object).find((name) => !fields.some((field) => field.name === name));
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${where}: there is no column "${extra}". There are: ${fields.map((field) => field.name).join(', ')}.`,
    );
  }
  return cells;
}
