import { IcecoreError } from '../errors.ts';
import type { ListType, MapType, StructType, Type } from '../iceberg/type.ts';
import type { LedgerValue } from './ledger-table.ts';

/**
 * How a cell travels as JSON, in the journal and inside nested values of the index: 64-bit integers and instants as decimal strings,
 * NaN and infinities as strings, maps as objects. `fromJson` is the inverse of `toJson`.
 */
export function cellToJson(type: Type, value: unknown, where: string): unknown {
  if (value === null || value === undefined) return null;
  if (typeof type !== 'string') return nestedToJson(type, value, where);
  switch (type) {
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return checkedLong(value, where).toString();
    case 'int':
    case 'date':
      if (typeof value === 'number' && (value | 0) === value) return value;
      break;
    case 'float':
    case 'double':
      if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
      break;
    case 'boolean':
      if (typeof value === 'boolean') return value;
      break;
    case 'string':
    case 'uuid':
      // Half of a surrogate pair would not survive UTF-8.
      if (typeof value === 'string') return value.toWellFormed();
      break;
  }
  throw wrong(where, type, value);
}

export function cellFromJson(type: Type, json: unknown, where: string): LedgerValue {
  if (json === null || json === undefined) return null;
  if (typeof type !== 'string') return nestedFromJson(type, json, where);
  switch (type) {
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (typeof json === 'string' && /^-?\d{1,19}$/.test(json)) return BigInt(json);
      // As SQL engines print them.
      if (typeof json === 'bigint' || Number.isSafeInteger(json)) return BigInt(json as bigint | number);
      break;
    case 'float':
    case 'double':
      if (typeof json === 'number') return json;
      if (json === 'NaN' || json === 'Infinity' || json === '-Infinity') return Number(json);
      break;
    case 'int':
    case 'date':
      if (typeof json === 'number') return json;
      break;
    case 'boolean':
      if (typeof json === 'boolean') return json;
      break;
    case 'string':
    case 'uuid':
      if (typeof json === 'string') return json;
      break;
  }
  throw wrong(where, type, json);
}

function nestedToJson(type: ListType | MapType | StructType, value: unknown, where: string): unknown {
  switch (type.kind) {
    case 'list':
      if (!Array.isArray(value)) break;
      return value.map((item: unknown, index) => cellToJson(type.element, item, `${where}[${index}]`));
    case 'map':
      return mapValues(type, value, where, cellToJson);
    case 'struct':
      return structFields(type, value, where, cellToJson);
  }
  throw wrong(where, type.kind, value);
}

function nestedFromJson(type: ListType | MapType | StructType, json: unknown, where: string): LedgerValue {
  switch (type.kind) {
    case 'list':
      if (!Array.isArray(json)) break;
      return json.map((item: unknown, index) => cellFromJson(type.element, item, `${where}[${index}]`));
    case 'map':
      return mapValues(type, json, where, cellFromJson);
    case 'struct':
      return structFields(type, json, where, cellFromJson);
  }
  throw wrong(where, type.kind, json);
}

type Convert<T> = (type: Type, value: unknown, where: string) => T;

function mapValues<T>(type: MapType, value: unknown, where: string, convert: Convert<T>): Record<string, T> {
  if (!isObject(value) || type.key !== 'string') throw wrong(where, 'map with string keys', value);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, convert(type.value, item, `${where}.${key}`)]));
}

function structFields<T>(type: StructType, value: unknown, where: string, convert: Convert<T>): Record<string, T> {
  if (!isObject(value)) throw wrong(where, 'struct', value);
  const unknown = Object.keys(value).find((name) => !type.fields.some((field) => field.name === name));
  if (unknown !== undefined) throw new IcecoreError('INTERNAL', `${where} has no field ${unknown}.`);
  return Object.fromEntries(type.fields.map(({ name, type }) => [name, convert(type, value[name], `${where}.${name}`)]));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function checkedLong(value: unknown, where: string): bigint {
  if (typeof value !== 'bigint' || BigInt.asIntN(64, value) !== value) throw wrong(where, '64-bit integer as a bigint', value);
  return value;
}

function wrong(where: string, expected: string, value: unknown): IcecoreError {
  return new IcecoreError('INTERNAL', `${where} takes a ${expected}, not ${typeof value}.`);
}
