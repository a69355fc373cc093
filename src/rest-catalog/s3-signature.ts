import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import type { S3Keys } from '../storage/s3-client.ts';
import type { S3Target } from './s3-target.ts';

export interface ToSign {
  readonly method: string;
  readonly target: S3Target;
  readonly region: string;
  /** By names in lower case, `x-amz-content-sha256` among them: all of them are signed. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The headers that a request needs besides its own: `authorization`, `x-amz-date` and so on (AWS: "Signature Version 4"). */
export async function signS3Request(request: ToSign, keys: S3Keys, now: Date): Promise<Readonly<Record<string, string>>> {
  const { target } = request;
  const signer = new SignatureV4({
    service: 's3',
    region: request.region,
    credentials: keys,
    sha256: Sha256,
    // S3 alone takes paths as they are.
    uriEscapePath: false,
    applyChecksum: false,
  });
  const { headers } = await signer.sign(
    {
      method: request.method.toUpperCase(),
      protocol: target.scheme,
      hostname: target.host,
      path: target.rawPath,
      query: Object.fromEntries(target.query),
      headers: { ...request.headers, host: target.host },
    },
    { signingDate: now, signableHeaders: new Set([...Object.keys(request.headers), 'host']) },
  );
  const { host: _host, ...added } = headers;
  return added;
}

/** Node's SHA-256 in the shape that the signer asks for. */
class Sha256 {
  readonly #secret: string | Uint8Array | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#secret = secret === undefined || typeof secret === 'string' ? secret : bytesOf(secret);
    this.#hash = this.#begin();
  }

  update(data: string | ArrayBuffer | ArrayBufferView): void {
    this.#hash.update(typeof data === 'string' ? data : bytesOf(data));
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }

  reset(): void {
    this.#hash = this.#begin();
  }

  #begin(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', this.#secret);
  }
}

function bytesOf(data: ArrayBuffer | ArrayBufferView): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data);
}
