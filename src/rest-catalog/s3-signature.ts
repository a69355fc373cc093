import { SignatureV4 } from '@smithy/signature-v4';
import { NodeSha256 } from '../storage/node-sha256.ts';
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
    sha256: NodeSha256,
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
