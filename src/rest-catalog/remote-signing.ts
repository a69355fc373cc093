import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { signedUriLengthMax } from '../limits.ts';
import { parseLocation } from '../storage/location.ts';
import type { S3Keys } from '../storage/s3-client.ts';
import { endpointProperties, type S3Endpoint } from './s3-endpoint.ts';
import { signS3Request } from './s3-signature.ts';
import { parseS3Target } from './s3-target.ts';
import { type SignRequest, signableRequest } from './signable-request.ts';
import type { StorageAccess } from './storage-credential.ts';
import type { StorageCredentials } from './storage-credentials.ts';
import type { AccessRequest } from './table-access.ts';

export interface RemoteSigningOptions {
  readonly credentials: StorageCredentials;
  /** How this server reaches its store. */
  readonly ownEndpoint: S3Endpoint;
  /** How clients are told to reach it; null where they are told nothing. */
  readonly clientEndpoint: S3Endpoint | null;
  readonly ownKeys: () => Promise<S3Keys>;
  readonly clock: Clock;
}

/** A request signed (REST specification: `RemoteSignResult`). */
export interface SignedRequest {
  readonly uri: string;
  /** Those that the client adds to its own. */
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Whether one signature may serve requests that differ in their range alone. */
  readonly isReusable: boolean;
}

/**
 * Signs clients' requests for the files of one table, so that they need no keys: each is judged by itself. By the keys of a scoped identity
 * where one is configured for the table, else by the server's own.
 */
export class RemoteSigning {
  readonly clientEndpoint: S3Endpoint | null;
  readonly #options: RemoteSigningOptions;

  constructor(options: RemoteSigningOptions) {
    this.#options = options;
    this.clientEndpoint = options.clientEndpoint;
  }

  /** What tells a client to have its requests for a table's files signed. Nothing of it is secret. */
  config(tableLocation: string, { access, subject, signPath }: AccessRequest): Readonly<Record<string, string>> {
    const credential = this.#options.credentials.find(parseLocation(tableLocation), access, subject);
    const endpoint = credential?.endpoint ?? this.#options.clientEndpoint ?? this.#options.ownEndpoint;
    return {
      ...endpointProperties(endpoint),
      's3.remote-signing-enabled': 'true',
      'signer.endpoint': signPath,
      // The same for Java before 1.11 and for PyIceberg, which signs through one of its two ways to files alone.
      's3.signer.endpoint': signPath,
      's3.signer': 'S3V4RestSigner',
      'py-io-impl': 'pyiceberg.io.fsspec.FsspecFileIO',
    };
  }

  /**
   * Signs a request for a file below `tableLocation`. `access` is what the caller may do with the table. Throws FORBIDDEN for a request
   * about anything else and for a writing one of a reader, BAD_USER_INPUT for one that cannot be judged.
   */
  async sign(request: SignRequest, tableLocation: string, access: StorageAccess, subject: string): Promise<SignedRequest> {
    const place = parseLocation(tableLocation);
    if (place.scheme !== 's3') {
      throw new IcecoreError('BAD_USER_INPUT', `The table is at ${tableLocation}: requests are signed for tables on S3 alone.`);
    }
    if (request.uri.length > signedUriLengthMax || !/^[A-Za-z0-9-]{1,64}$/.test(request.region)) {
      throw new IcecoreError('BAD_USER_INPUT', 'The request to sign has an address that is too long, or a region that is none.');
    }
    const { credentials, clientEndpoint, ownEndpoint, ownKeys, clock } = this.#options;
    const credential = credentials.find(place, access, subject);
    const endpoints = [credential?.endpoint ?? null, clientEndpoint, ownEndpoint].filter((endpoint) => endpoint !== null);
    const target = parseS3Target(request.uri, endpoints);
    const signable = signableRequest(request, target, place);
    if (signable.access === 'write' && access === 'read') {
      throw new IcecoreError(
        'FORBIDDEN',
        `${subject} may read this table and not write it, so ${request.method} requests for its files are not signed.`,
      );
    }
    const isEnough = credential !== null && (credential.access === 'write' || signable.access === 'read');
    const keys = isEnough ? credential.keys : await ownKeys();
    const { method, region } = request;
    const now = new Date(Number(clock.nowMicros() / 1000n));
    const added = await signS3Request({ method, region, target, headers: signable.headers }, keys, now);
    const sent = new Set(Object.keys(request.headers).map((name) => name.toLowerCase()));
    const headers = Object.entries(added).filter(([name]) => !sent.has(name));
    return {
      uri: request.uri,
      headers: Object.fromEntries(headers.map(([name, value]) => [name, [value]])),
      isReusable: /^(?:GET|HEAD)$/i.test(method),
    };
  }
}
