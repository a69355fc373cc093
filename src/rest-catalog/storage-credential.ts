import { randomUUID } from 'node:crypto';
import { IcecoreError } from '../errors.ts';
import { asArrayOf, asBoolean, asOneOf, asString, type JsonObject, member, optionalMember } from '../iceberg/json-member.ts';
import { type Location, parseLocation, printLocation } from '../storage/location.ts';
import type { S3Keys } from '../storage/s3-client.ts';
import { endpointProperties, type S3Endpoint, s3Endpoint } from './s3-endpoint.ts';

/** What a holder of a credential may do, as the operator set it up in the store. */
export type StorageAccess = 'read' | 'write';

export interface StorageCredentialOptions {
  readonly prefix: Location;
  readonly access: StorageAccess;
  readonly subjects: ReadonlySet<string> | null;
  readonly endpoint: S3Endpoint | null;
}

const members = new Set([
  'prefix',
  'accessKeyId',
  'secretAccessKey',
  'sessionToken',
  'endpoint',
  'region',
  'pathStyle',
  'for',
  'subjects',
]);

/** Static keys of an identity that the store lets reach no more than a prefix. They show in no JSON, text or inspection of it. */
export class StorageCredential {
  /** Tells it from others, also from those of an earlier start of the server; says nothing of its keys. */
  readonly id: string = randomUUID();
  /** Where it is of use. */
  readonly prefix: Location;
  readonly access: StorageAccess;
  /** Who may have it; null for every caller who may do with the table what it allows. */
  readonly subjects: ReadonlySet<string> | null;
  /** Null where clients are told nothing, and reach the store as they are set up. */
  readonly endpoint: S3Endpoint | null;
  readonly #keys: S3Keys;

  constructor(options: StorageCredentialOptions, keys: S3Keys) {
    this.prefix = options.prefix;
    this.access = options.access;
    this.subjects = options.subjects;
    this.endpoint = options.endpoint;
    this.#keys = keys;
  }

  /** For a signer. */
  get keys(): S3Keys {
    return this.#keys;
  }

  /** As a client gets it: the properties of a `StorageCredential` (REST specification). Secret. */
  config(): Readonly<Record<string, string>> {
    const { accessKeyId, secretAccessKey, sessionToken } = this.#keys;
    return {
      's3.access-key-id': accessKeyId,
      's3.secret-access-key': secretAccessKey,
      ...(sessionToken === undefined ? {} : { 's3.session-token': sessionToken }),
      ...(this.endpoint === null ? {} : endpointProperties(this.endpoint)),
    };
  }
}

/** Reads one entry of ICECORE_STORAGE_CREDENTIALS. Throws BAD_USER_INPUT that names the entry by its place, never by its keys. */
export function parseStorageCredential(value: unknown, where: string): StorageCredential {
  // A message about anything else would show it.
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(where, 'an entry is an object');
  const object: JsonObject = { ...value };
  const unknown = Object.keys(object).find((name) => !members.has(name));
  if (unknown !== undefined) throw wrong(where, `"${unknown}" is not a member; it takes ${[...members].join(', ')}`);
  const sessionToken = object.sessionToken === undefined ? undefined : secret(object, 'sessionToken', where);
  const subjects = optionalMember(object, 'subjects', asArrayOf(asString), where);
  if (subjects?.length === 0) throw wrong(where, '"subjects" is empty, so nobody would get it; leave it out for every caller');
  const endpoint = {
    endpoint: optionalMember(object, 'endpoint', asString, where) ?? null,
    region: optionalMember(object, 'region', asString, where) ?? null,
    pathStyle: optionalMember(object, 'pathStyle', asBoolean, where) ?? null,
  };
  const isSaid = Object.values(endpoint).some((said) => said !== null);
  const options = {
    prefix: parsePrefix(member(object, 'prefix', asString, where), where),
    access: optionalMember(object, 'for', asOneOf('read', 'write'), where) ?? 'write',
    subjects: subjects === undefined ? null : new Set(subjects),
    endpoint: isSaid ? s3Endpoint(endpoint, where) : null,
  };
  return new StorageCredential(options, {
    accessKeyId: secret(object, 'accessKeyId', where),
    secretAccessKey: secret(object, 'secretAccessKey', where),
    ...(sessionToken === undefined ? {} : { sessionToken }),
  });
}

function parsePrefix(text: string, where: string): Location {
  const prefix = locationOf(text, where);
  if (prefix.scheme !== 's3')
    throw wrong(where, `"prefix" is ${printLocation(prefix)}; it takes s3://bucket or s3://bucket/path`);
  return { ...prefix, key: prefix.key.replace(/\/+$/, '') };
}

function locationOf(text: string, where: string): Location {
  try {
    return parseLocation(text);
  } catch (error) {
    throw wrong(where, `"prefix" cannot be read. ${error instanceof Error ? error.message : ''}`);
  }
}

function secret(object: JsonObject, name: string, where: string): string {
  // Not through `asString`: its message would show the value.
  const text = object[name];
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) {
    throw wrong(where, `"${name}" must be a text of visible ASCII characters without spaces`);
  }
  return text;
}

function wrong(where: string, what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `${where}: ${what}.`);
}
