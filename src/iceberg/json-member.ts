import { IcecoreError } from '../errors.ts';
import { printJson } from './json.ts';

/** Readers of parsed JSON. `where` says in words what is read, for messages such as `snapshot 3: "timestamp-ms" is missing`. */
export type JsonObject = Readonly<Record<string, unknown>>;
export type JsonReader<T> = (value: unknown, where: string) => T;

const longMax = 2n ** 63n - 1n;
const longMin = -(2n ** 63n);

function wrong(where: string, expected: string, value: unknown): IcecoreError {
  const text = value === undefined ? 'undefined' : printJson(value);
  return new IcecoreError(
    'BAD_USER_INPUT',
    `${where} must be ${expected}, and is ${text.length > 80 ? `${text.slice(0, 80)}…` : text}.`,
  );
}

/** Gives a member that must be there. Throws BAD_USER_INPUT where it is missing, null or of another type. */
export function member<T>(object: JsonObject, name: string, read: JsonReader<T>, where: string): T {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  if (value === undefined || value === null) throw new IcecoreError('BAD_USER_INPUT', `${where}: "${name}" is missing.`);
  return read(value, `${where}: "${name}"`);
}

/** Gives a member, or undefined where it is missing or null. */
export function optionalMember<T>(object: JsonObject, name: string, read: JsonReader<T>, where: string): T | undefined {
  const value = Object.hasOwn(object, name) ? object[name] : undefined;
  return value === undefined || value === null ? undefined : read(value, `${where}: "${name}"`);
}

export function asObject(value: unknown, where: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an object', value);
  return value as JsonObject;
}

export function asString(value: unknown, where: string): string {
  if (typeof value !== 'string') throw wrong(where, 'a text', value);
  return value;
}

export function asBoolean(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw wrong(where, 'true or false', value);
  return value;
}

/** A 32-bit integer. */
export function asInt(value: unknown, where: string): number {
  if (typeof value !== 'number' || (value | 0) !== value) throw wrong(where, 'a 32-bit integer', value);
  return value;
}

/** A 64-bit integer, as a bigint. */
export function asLong(value: unknown, where: string): bigint {
  if (typeof value !== 'bigint' && !Number.isSafeInteger(value)) throw wrong(where, 'a 64-bit integer', value);
  const long = BigInt(value as bigint | number);
  if (long > longMax || long < longMin) throw wrong(where, 'a 64-bit integer', value);
  return long;
}

/** Milliseconds since the epoch: an integer that a double holds exactly. */
export function asMillis(value: unknown, where: string): number {
  if (!Number.isSafeInteger(value)) throw wrong(where, 'a number of milliseconds', value);
  return value as number;
}

export function asArrayOf<T>(read: JsonReader<T>): JsonReader<readonly T[]> {
  return (value, where) => {
    if (!Array.isArray(value)) throw wrong(where, 'a list', value);
    return value.map((item, index) => read(item, `${where}[${index}]`));
  };
}

/** An object used as a map; also right for keys such as `__proto__`. */
export function asRecordOf<T>(read: JsonReader<T>): JsonReader<Readonly<Record<string, T>>> {
  return (value, where) =>
    Object.fromEntries(Object.entries(asObject(value, where)).map(([key, item]) => [key, read(item, `${where}: "${key}"`)]));
}

/** One of the given texts. */
export function asOneOf<T extends string>(...choices: readonly T[]): JsonReader<T> {
  return (value, where) => {
    const choice = choices.find((text) => text === value);
    if (choice === undefined) throw wrong(where, `one of ${choices.join(', ')}`, value);
    return choice;
  };
}
