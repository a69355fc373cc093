import { IcecoreError } from '../errors.ts';
import type { S3Endpoint } from './s3-endpoint.ts';

/** What a request to an S3 store is about. */
export interface S3Target {
  readonly bucket: string;
  /** Decoded; '' for the bucket itself. */
  readonly key: string;
  /** Decoded. */
  readonly query: ReadonlyMap<string, string>;
  /** `host` or `host:port`, as the client sends it. */
  readonly host: string;
  readonly scheme: 'http:' | 'https:';
  /** As it was sent: the signature is over this text. */
  readonly rawPath: string;
}

const bucketName = '[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]';
/** Amazon's endpoints of objects; of access points, websites and control there are others, which mean something else by a path. */
const amazon = new RegExp(
  `^(?:(${bucketName})\\.)?s3(?:[.-](?:dualstack\\.)?[a-z]{2}(?:-[a-z]+)+-\\d)?\\.amazonaws\\.com(?:\\.cn)?$`,
);

/**
 * Takes the address of a request apart as the store at one of these endpoints will, and refuses what stores and proxies take apart in
 * different ways. Throws BAD_USER_INPUT for what is malformed or ambiguous, FORBIDDEN for a store that is none of these.
 */
export function parseS3Target(uri: string, endpoints: readonly S3Endpoint[]): S3Target {
  const match =
    /^(https?:)\/\/([A-Za-z0-9.:[\]-]+)(\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?(?:\?([A-Za-z0-9._~!$&'()*+,;=:@%/?-]*))?$/.exec(uri);
  const [, scheme, host = '', rawPath = '/', rawQuery = ''] = match ?? [];
  if (scheme !== 'http:' && scheme !== 'https:') throw malformed('it is no absolute http or https address in plain characters');
  // Clients leave slashes of keys as they are; some servers take an escaped one for part of a name.
  if (/%(?:2f|5c)/i.test(rawPath)) throw malformed('its path holds an escaped slash');
  const path = decode(rawPath);
  checkPath(path);
  const found = endpoints
    .map((endpoint) => bucketAndKey(host.toLowerCase(), scheme, path, endpoint))
    .find((pair) => pair !== null);
  if (found === undefined) {
    throw new IcecoreError('FORBIDDEN', `The store at ${host} is none that this server signs requests for.`, {
      context: { host },
    });
  }
  return { ...found, query: parseQuery(rawQuery), host, scheme, rawPath };
}

function bucketAndKey(
  host: string,
  scheme: string,
  path: string,
  endpoint: S3Endpoint,
): { readonly bucket: string; readonly key: string } | null {
  const own = endpoint.url === null ? null : new URL(endpoint.url);
  if (own !== null && own.protocol !== scheme) return null;
  const inHost = own === null ? amazonBucket(host) : bucketBefore(host, own.host, endpoint.isPathStyle);
  if (inHost === null) return null;
  if (inHost !== '') return { bucket: inHost, key: path.slice(1) };
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(path) ?? [];
  if (!new RegExp(`^${bucketName}$`).test(bucket)) throw malformed('it names no bucket');
  return { bucket, key };
}

/** '' where the bucket stands in the path, null where the host is not Amazon's. */
function amazonBucket(host: string): string | null {
  const match = amazon.exec(host.replace(/:443$/, ''));
  return match === null ? null : (match[1] ?? '');
}

function bucketBefore(host: string, own: string, isPathStyle: boolean): string | null {
  if (host === own) return '';
  // A store that knows buckets by paths alone would take such a host for itself, and the path for bucket and key.
  if (isPathStyle || !host.endsWith(`.${own}`)) return null;
  const bucket = host.slice(0, -own.length - 1);
  return new RegExp(`^${bucketName}$`).test(bucket) ? bucket : null;
}

/** However often escapes are undone, no part of a path leads upwards. */
function checkPath(path: string): void {
  for (let text = path; ; ) {
    if (text.split(/[/\\]/).some((part) => part === '.' || part === '..'))
      throw malformed("its path holds '.' or '..' as a part");
    if ([...text].some((character) => character < ' ' || character === '\x7f'))
      throw malformed('its path holds a control character');
    const next = text.replaceAll(/%([0-9A-Fa-f]{2})/g, (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
    if (next === text) return;
    text = next;
  }
}

function parseQuery(text: string): ReadonlyMap<string, string> {
  const query = new Map<string, string>();
  if (text === '') return query;
  for (const item of text.split('&')) {
    const at = item.indexOf('=');
    const name = decode(at === -1 ? item : item.slice(0, at));
    if (query.has(name)) throw malformed(`it says "${name}" twice`);
    query.set(name, at === -1 ? '' : decode(item.slice(at + 1).replaceAll('+', '%20')));
  }
  return query;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw malformed('it is not percent-encoded UTF-8');
  }
}

function malformed(why: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The address of the request cannot be signed: ${why}.`);
}
