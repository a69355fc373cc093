import { createHash } from 'node:crypto';
import { IcecoreError } from '../errors.ts';
import type { Location } from '../storage/location.ts';
import { parseDeleteObjects } from './delete-objects-body.ts';
import type { S3Target } from './s3-target.ts';
import type { StorageAccess } from './storage-credential.ts';

/** A request to a store that a client wants signed (REST specification: `RemoteSignRequest`). */
export interface SignRequest {
  readonly method: string;
  readonly region: string;
  readonly uri: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Of DeleteObjects alone. */
  readonly body: string | null;
}

/** What of a request is signed, once it is known to be about one table's files. */
export interface SignableRequest {
  readonly access: StorageAccess;
  /** By names in lower case; `x-amz-content-sha256` among them. */
  readonly headers: Readonly<Record<string, string>>;
}

type SignableLocation = Extract<Location, { readonly scheme: 's3' }>;

const unsignedPayload = 'UNSIGNED-PAYLOAD';
const payloadHash = /^(?:UNSIGNED-PAYLOAD|STREAMING-UNSIGNED-PAYLOAD-TRAILER|[0-9a-f]{64})$/;

interface Operation {
  readonly method: string;
  readonly on: 'object' | 'bucket';
  readonly access: StorageAccess;
  /** Parameters that make it this operation; all must be there. */
  readonly marks: readonly string[];
  /** Those that may be there too. */
  readonly parameters: readonly string[];
}

const listing = [
  'prefix',
  'delimiter',
  'max-keys',
  'encoding-type',
  'continuation-token',
  'start-after',
  'marker',
  'fetch-owner',
];

/** All of S3 that a table's files need. What is not here (access lists, policies, tags, copies, …) is not signed. */
const operations: readonly Operation[] = [
  { method: 'GET', on: 'object', access: 'read', marks: [], parameters: ['versionId', 'partNumber'] },
  { method: 'HEAD', on: 'object', access: 'read', marks: [], parameters: ['versionId', 'partNumber'] },
  { method: 'GET', on: 'bucket', access: 'read', marks: ['prefix'], parameters: ['list-type', ...listing] },
  { method: 'PUT', on: 'object', access: 'write', marks: [], parameters: [] },
  { method: 'PUT', on: 'object', access: 'write', marks: ['partNumber', 'uploadId'], parameters: [] },
  { method: 'POST', on: 'object', access: 'write', marks: ['uploads'], parameters: [] },
  { method: 'POST', on: 'object', access: 'write', marks: ['uploadId'], parameters: [] },
  { method: 'GET', on: 'object', access: 'write', marks: ['uploadId'], parameters: ['max-parts', 'part-number-marker'] },
  { method: 'DELETE', on: 'object', access: 'write', marks: [], parameters: [] },
  { method: 'DELETE', on: 'object', access: 'write', marks: ['uploadId'], parameters: [] },
  { method: 'POST', on: 'bucket', access: 'write', marks: ['delete'], parameters: [] },
];

/** Names the operation for the store's own log, and changes nothing. */
const label = 'x-id';

/** The headers `x-amz-…` that say nothing about who else may do what with an object, nor where its bytes come from. */
const harmlessHeader =
  /^x-amz-(?:content-sha256|checksum-[a-z0-9-]+|sdk-checksum-algorithm|trailer|decoded-content-length|mp-object-size|meta-[a-z0-9._-]+|storage-class|tagging|server-side-encryption[a-z0-9-]*|expected-bucket-owner|request-payer|optional-object-attributes|te|user-agent)$/;

/**
 * Judges a request: it must be one that a table's files need, about nothing outside the table's location. Throws FORBIDDEN for one that
 * is about anything else, BAD_USER_INPUT for one that cannot be judged.
 */
export function signableRequest(request: SignRequest, target: S3Target, place: SignableLocation): SignableRequest {
  const operation = operationOf(request.method, target);
  const prefix = place.key === '' ? '' : `${place.key.replace(/\/+$/, '')}/`;
  const isOurs = (key: string): boolean =>
    target.bucket === place.bucket && key.startsWith(prefix) && key !== prefix && !leadsUp(key);
  const headers = headersOf(request.headers);
  if (operation.on === 'object' && !isOurs(target.key)) throw elsewhere(`s3://${target.bucket}/${target.key}`, place);
  if (operation.marks.includes('prefix')) {
    const listed = target.query.get('prefix') ?? '';
    // `t` would list its neighbour `t2` too.
    if (target.bucket !== place.bucket || !listed.startsWith(prefix) || leadsUp(listed)) {
      throw elsewhere(`s3://${target.bucket}/${listed}`, place);
    }
  }
  if (operation.marks.includes('delete')) return { access: 'write', headers: deletion(request, target, headers, isOurs, place) };
  return { access: operation.access, headers: { 'x-amz-content-sha256': unsignedPayload, ...headers } };
}

function operationOf(method: string, target: S3Target): Operation {
  const on = target.key === '' ? 'bucket' : 'object';
  const named = [...target.query.keys()].filter((name) => name !== label);
  const found = operations.find(
    (operation) =>
      operation.method === method.toUpperCase() &&
      operation.on === on &&
      operation.marks.every((mark) => named.includes(mark)) &&
      named.every((name) => operation.marks.includes(name) || operation.parameters.includes(name)),
  );
  if (found !== undefined) return found;
  const about = named.length === 0 ? '' : ` with ${named.slice(0, 10).join(', ')}`;
  throw new IcecoreError(
    'FORBIDDEN',
    `${method} of ${on === 'bucket' ? 'a bucket' : 'an object'}${about} is nothing that the files of a table need, so it is not signed. Lists need a prefix.`,
  );
}

/** The body is signed with it: another could name other objects. */
function deletion(
  request: SignRequest,
  target: S3Target,
  headers: Readonly<Record<string, string>>,
  isOurs: (key: string) => boolean,
  place: SignableLocation,
): Readonly<Record<string, string>> {
  if (request.body === null || request.body === '') {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      'The request removes many objects at once, and is signed only with its body beside it; this client sends none: remove objects one by one.',
    );
  }
  for (const key of parseDeleteObjects(request.body)) {
    if (!isOurs(key)) throw elsewhere(`s3://${target.bucket}/${key}`, place);
  }
  const hash = createHash('sha256').update(request.body).digest('hex');
  const said = headers['x-amz-content-sha256'] ?? hash;
  if (said === hash) return { ...headers, 'x-amz-content-sha256': hash };
  throw new IcecoreError('BAD_USER_INPUT', 'The header x-amz-content-sha256 is not the SHA-256 of the body that was given.');
}

/** Those that S3 wants signed. `range` is not: clients use one signature for many ranges of a file. */
function headersOf(given: SignRequest['headers']): Readonly<Record<string, string>> {
  const signed: Record<string, string> = {};
  for (const [mixed, values] of Object.entries(given)) {
    const name = mixed.toLowerCase();
    const value = values.join(',');
    if (name === 'authorization' || name === 'x-amz-date' || name === 'x-amz-security-token') {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The request has the header ${name} already: send it for signing as it is before it is signed.`,
      );
    }
    if (name !== 'content-md5' && !name.startsWith('x-amz-')) continue;
    if (name !== 'content-md5' && !harmlessHeader.test(name)) {
      throw new IcecoreError(
        'FORBIDDEN',
        `Requests with the header ${name} are not signed: the files of a table do not need it.`,
      );
    }
    if (!/^[\x20-\x7e]*$/.test(value)) throw new IcecoreError('BAD_USER_INPUT', `The header ${name} is not plain ASCII.`);
    signed[name] = value;
  }
  const hash = signed['x-amz-content-sha256'];
  if (hash === undefined || payloadHash.test(hash)) return signed;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The header x-amz-content-sha256 is "${hash.slice(0, 80)}"; it takes ${unsignedPayload} or a SHA-256 in hex.`,
  );
}

function leadsUp(key: string): boolean {
  return key.split('/').some((part) => part === '..' || part === '.');
}

function elsewhere(location: string, place: SignableLocation): IcecoreError {
  return new IcecoreError(
    'FORBIDDEN',
    `${location} is outside the table's location, s3://${place.bucket}/${place.key}, so the request is not signed.`,
    {
      context: { location },
    },
  );
}
