import { IcecoreError } from '../errors.ts';
import { parseTimestamp } from '../iceberg/calendar.ts';
import { asArrayOf, asObject, asOneOf, asString, type JsonObject, member, optionalMember } from '../iceberg/json-member.ts';
import type { Role } from './caller.ts';
import { sha256Bytes } from './key-digest.ts';
import { roles } from './role.ts';

/** One credential, without its secret: only the key's digest is kept. */
export interface ApiKey {
  /** SHA-256 of the key. */
  readonly digest: Uint8Array;
  readonly subject: string;
  readonly name: string | null;
  readonly kind: 'HUMAN' | 'SERVICE' | 'AGENT';
  readonly roles: readonly Role[];
  readonly expiresAtMicros: bigint | null;
}

const members = new Set(['key', 'subject', 'name', 'kind', 'roles', 'expiresAt']);

/** Reads one entry of ICECORE_API_KEYS. Throws BAD_USER_INPUT that names the entry by its place, never by its key. */
export function parseApiKey(value: unknown, where: string): ApiKey {
  const object = asObject(value, where);
  const unknown = Object.keys(object).find((name) => !members.has(name));
  if (unknown !== undefined) throw wrong(where, `"${unknown}" is not a member; it takes ${[...members].join(', ')}`);
  const key = secret(object, where);
  const subject = member(object, 'subject', asString, where);
  // The id `local` says that nobody was asked who they are, and `icecore` is the server: no credential may claim either.
  if (subject.trim() === '' || subject === 'local' || subject === 'icecore') {
    throw wrong(where, `"subject" must name the caller, and neither "local" nor "icecore"; it is "${subject}"`);
  }
  const held = member(object, 'roles', asArrayOf(asOneOf(...roles)), where);
  if (held.length === 0) throw wrong(where, `"roles" is empty; it takes one or more of ${roles.join(', ')}`);
  return {
    digest: sha256Bytes(key),
    subject,
    name: optionalMember(object, 'name', asString, where) ?? null,
    kind: member(object, 'kind', asOneOf('HUMAN', 'SERVICE', 'AGENT'), where),
    roles: held,
    expiresAtMicros: optionalMember(object, 'expiresAt', asInstant, where) ?? null,
  };
}

function secret(object: JsonObject, where: string): string {
  // Not through `asString`: its message would show the value, which here is a secret.
  const key = object.key;
  if (typeof key !== 'string' || key.length < 8 || !/^[\x21-\x7e]+$/.test(key)) {
    throw wrong(where, '"key" must be a text of at least 8 visible ASCII characters without spaces');
  }
  return key;
}

/** An RFC 3339 instant, in microseconds since the epoch. */
function asInstant(value: unknown, where: string): bigint {
  return parseTimestamp(asString(value, where), 'micros', true);
}

function wrong(where: string, what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `${where}: ${what}.`);
}
