import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { accessTokenChainMsMax, accessTokenMsMax } from '../limits.ts';
import type { ApiKey } from './api-key.ts';

export interface AccessToken {
  readonly token: string;
  readonly expiresInSeconds: number;
}

/** What a token says, once its signature was checked. */
interface Claims {
  /** By which the API key is known again, and only by a server with the same secret. */
  readonly key: string;
  /** Seconds since the epoch. */
  readonly exp: number;
  /** When the API key itself was last shown, seconds since the epoch. */
  readonly auth_time: number;
}

const header = base64url(JSON.stringify({ alg: 'HS256', typ: 'JWT' }));

/**
 * Short-lived stand-ins for API keys, for clients that ask for a token first (RFC 6749, "Client Credentials Grant"). A token is a JWT, since
 * clients read from it when to renew it. It holds neither the key nor its digest, and is good while the key is: nothing is stored, and
 * servers with the same secret know each other's.
 */
export class AccessTokens {
  readonly #secret: Uint8Array;
  readonly #keys: ReadonlyMap<string, ApiKey>;
  readonly #clock: Clock;

  constructor(secret: Uint8Array, keys: readonly ApiKey[], clock: Clock) {
    this.#secret = secret;
    this.#keys = new Map(keys.map((key) => [this.#nameOf(key), key]));
    this.#clock = clock;
  }

  /** Whether a credential looks like a token. */
  static isOne(credential: string): boolean {
    return credential.startsWith(`${header}.`);
  }

  /** For a caller who has just shown the key. */
  issue(key: ApiKey): AccessToken {
    return this.#issue(key, this.#nowSeconds());
  }

  /** For one who shows a token that still holds. Throws UNAUTHENTICATED as `keyOf`, and where the key itself has to be shown again. */
  renew(token: string): AccessToken {
    const { key, claims } = this.#open(token);
    if (this.#nowSeconds() >= claims.auth_time + accessTokenChainMsMax / 1000) {
      throw refused('The access token was renewed for long enough; ask for one with the API key.');
    }
    return this.#issue(key, claims.auth_time);
  }

  /** Whose token it is. Throws UNAUTHENTICATED where it is made up, has expired, or its key is no longer known. */
  keyOf(token: string): ApiKey {
    return this.#open(token).key;
  }

  #issue(key: ApiKey, authTime: number): AccessToken {
    const now = this.#nowSeconds();
    const keyEnds = key.expiresAtMicros === null ? Number.POSITIVE_INFINITY : Number(key.expiresAtMicros / 1_000_000n);
    const exp = Math.min(now + accessTokenMsMax / 1000, keyEnds);
    const claims = { iss: 'icecore', sub: key.subject, key: this.#nameOf(key), iat: now, exp, auth_time: authTime };
    const signed = `${header}.${base64url(JSON.stringify(claims))}`;
    return { token: `${signed}.${this.#signature(signed)}`, expiresInSeconds: exp - now };
  }

  #open(token: string): { readonly key: ApiKey; readonly claims: Claims } {
    const claims = this.#claims(token);
    if (claims === null) throw refused('The API key is not known to this server; ask its operator for one.');
    if (this.#nowSeconds() >= claims.exp) throw refused('The access token has expired; ask for a new one.');
    const key = this.#keys.get(claims.key);
    if (key !== undefined) return { key, claims };
    throw refused('The access token is of an API key that this server no longer knows; ask its operator for one.');
  }

  /** Null where the text is no token that a server with this secret gave out. */
  #claims(token: string): Claims | null {
    const [head, body, signature, ...rest] = token.split('.');
    if (head !== header || body === undefined || signature === undefined || rest.length > 0) return null;
    if (!sameText(signature, this.#signature(`${head}.${body}`))) return null;
    return JSON.parse(Buffer.from(body, 'base64url').toString()) as Claims;
  }

  /** Without the secret it says nothing about the key: of a short key the digest could be tried out. */
  #nameOf({ digest }: ApiKey): string {
    return createHmac('sha256', this.#secret).update('key').update(digest).digest('base64url');
  }

  #signature(signed: string): string {
    return createHmac('sha256', this.#secret).update(signed).digest('base64url');
  }

  #nowSeconds(): number {
    return Number(this.#clock.nowMicros() / 1_000_000n);
  }
}

function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function base64url(text: string): string {
  return Buffer.from(text).toString('base64url');
}

function refused(message: string): IcecoreError {
  return new IcecoreError('UNAUTHENTICATED', message);
}
