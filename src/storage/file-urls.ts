import { pathToFileURL } from 'node:url';
import { SignatureV4 } from '@smithy/signature-v4';
import { IcecoreError } from '../errors.ts';
import { parseLocation } from './location.ts';
import { NodeSha256 } from './node-sha256.ts';
import type { S3Keys } from './s3-client.ts';

/** How clients reach a store that speaks S3. */
export interface S3Address {
  /** `https://host[:port]`; null for Amazon's own, by region. */
  readonly url: string | null;
  readonly region: string | null;
  /** Whether the bucket stands in the path, not in the host's name. */
  readonly isPathStyle: boolean;
}

export interface FileUrlsOptions {
  readonly address: S3Address;
  readonly keys: () => Promise<S3Keys>;
  /** Where the address has none. */
  readonly region: () => Promise<string>;
}

const secondsPerMs = 1 / 1000;
/** What a signature may lose of its time, so that nothing ends before it is said to. */
const signingSkewMs = 5000;

/** URLs of files for readers that open them by themselves: signed ones for objects of S3, `file:` ones for files on local disk. */
export class FileUrls {
  readonly #options: FileUrlsOptions;

  constructor(options: FileUrlsOptions) {
    this.#options = options;
  }

  /** Signs from `now` on for `lifetimeMs`, or for as long as the keys are good. */
  async signer(now: Date, lifetimeMs: number): Promise<FileUrlSigner> {
    let keys: Promise<S3Keys> | null = null;
    const keysOf = (): Promise<S3Keys> => {
      keys ??= this.#options.keys();
      return keys;
    };
    const expiresAt = async (): Promise<Date> => {
      const { expiration } = await keysOf();
      const until = now.getTime() + lifetimeMs;
      return new Date(Math.min(until, expiration === undefined ? until : expiration.getTime() - signingSkewMs));
    };
    return {
      expiresAt,
      urlOf: async (location) => {
        const parsed = parseLocation(location);
        if (parsed.scheme === 'file') return pathToFileURL(parsed.path).href;
        const seconds = Math.floor(((await expiresAt()).getTime() - now.getTime()) * secondsPerMs);
        if (seconds < 1) {
          throw new IcecoreError('FAILED_PRECONDITION', `The keys of this server for ${location} have expired. Give it others.`, {
            retryable: true,
          });
        }
        const { address, region } = this.#options;
        const place = { ...address, region: address.region ?? (await region()) };
        return await presigned(parsed.bucket, parsed.key, place, await keysOf(), now, seconds);
      },
    };
  }
}

export interface FileUrlSigner {
  /** When the URLs of objects end. */
  readonly expiresAt: () => Promise<Date>;
  readonly urlOf: (location: string) => Promise<string>;
}

/** A URL that gets the object without any keys (AWS: "Signature Version 4", query parameters). */
async function presigned(
  bucket: string,
  key: string,
  address: S3Address & { readonly region: string },
  keys: S3Keys,
  now: Date,
  seconds: number,
): Promise<string> {
  const { region } = address;
  const base = new URL(address.url ?? `https://s3.${region}.amazonaws.com`);
  // A wildcard certificate stands for one label.
  const isPathStyle = address.isPathStyle || bucket.includes('.');
  const host = isPathStyle ? base.host : `${bucket}.${base.host}`;
  const path = `${isPathStyle ? `/${bucket}` : ''}/${key.split('/').map(escaped).join('/')}`;
  const signer = new SignatureV4({
    service: 's3',
    region,
    credentials: keys,
    sha256: NodeSha256,
    // S3 alone takes paths as they are.
    uriEscapePath: false,
    applyChecksum: false,
  });
  const unsigned = {
    method: 'GET',
    protocol: base.protocol,
    hostname: host,
    path,
    query: {},
    headers: { host, [payload]: 'UNSIGNED-PAYLOAD' },
  };
  const apart = new Set([payload]);
  const options = { signingDate: now, expiresIn: seconds, unsignableHeaders: apart, unhoistableHeaders: apart };
  const { query } = await signer.presign(unsigned, options);
  const parameters = Object.entries(query ?? {}).map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`);
  return `${base.protocol}//${host}${path}?${parameters.join('&')}`;
}

/** Says that the signature is of no body; the reader need not send it. */
const payload = 'x-amz-content-sha256';

/** As the signature has it (RFC 3986, and no more). */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
}
