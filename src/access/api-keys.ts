import { readFile } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { printTimestamp } from '../iceberg/calendar.ts';
import { parseJson } from '../iceberg/json.ts';
import { accessTokenMsMax } from '../limits.ts';
import { type AccessToken, AccessTokens } from './access-tokens.ts';
import { type ApiKey, parseApiKey } from './api-key.ts';
import type { Caller } from './caller.ts';
import { sha256Bytes } from './key-digest.ts';
import { localCaller } from './local-caller.ts';

/** The callers that a server knows, by the digest of their key; none where it runs without access control. */
export class ApiKeys {
  readonly #byDigest: ReadonlyMap<string, ApiKey> | null;
  readonly #clock: Clock;
  #tokens: AccessTokens | null = null;

  private constructor(keys: readonly ApiKey[] | null, clock: Clock) {
    this.#byDigest = keys && new Map(keys.map((key) => [hex(key.digest), key]));
    this.#clock = clock;
  }

  /**
   * From ICECORE_API_KEYS: a JSON list, or the path of a file with one; undefined or empty for a server without access control.
   * Throws BAD_USER_INPUT for what is malformed, keys or subjects that conflict, and unknown roles; NOT_FOUND for a missing file.
   */
  static async load(textOrPath: string | undefined, clock: Clock): Promise<ApiKeys> {
    const given = textOrPath?.trim() ?? '';
    if (given === '') return new ApiKeys(null, clock);
    const inline = given.startsWith('[');
    const where = inline ? 'ICECORE_API_KEYS' : `ICECORE_API_KEYS, ${given}`;
    return new ApiKeys(parseKeys(inline ? given : await readKeys(given), where), clock);
  }

  /** From now on tokens that a server with the same secret gave out for one of the keys are taken in their place. */
  allowTokens(secret: Uint8Array): void {
    if (this.#byDigest !== null) this.#tokens = new AccessTokens(secret, [...this.#byDigest.values()], this.#clock);
  }

  /** A token in the place of this key. Throws UNAUTHENTICATED where it is none. Without access control any token does, as none does. */
  tokenFor(key: string): AccessToken {
    if (this.#tokens === null) return { token: 'local', expiresInSeconds: accessTokenMsMax / 1000 };
    return this.#tokens.issue(this.#keyOf(key));
  }

  /** A token that holds for longer than this one. Throws UNAUTHENTICATED where it no longer holds, or the key has to be shown again. */
  renewedToken(token: string): AccessToken {
    return this.#tokens === null ? this.tokenFor(token) : this.#tokens.renew(token);
  }

  /** False where callers are not told apart and all are LOCAL. */
  get inForce(): boolean {
    return this.#byDigest !== null;
  }

  /**
   * The caller behind an `Authorization` header (invariant 8), which bears a key or a token in its place. Throws UNAUTHENTICATED where the
   * header is missing or malformed, or the key or token is unknown or has expired. Without access control: the LOCAL caller, whatever the header.
   */
  authenticate(header: string | null | undefined): Caller {
    if (this.#byDigest === null) return localCaller;
    const credential = bearer(header);
    const isKey = this.#byDigest.has(hex(sha256Bytes(credential)));
    const tokens = !isKey && AccessTokens.isOne(credential) ? this.#tokens : null;
    const key = tokens === null ? this.#keyOf(credential) : tokens.keyOf(credential);
    return {
      actor: { id: key.subject, name: key.name, kind: key.kind },
      roles: new Set(key.roles),
      assurance: 'CREDENTIAL',
    };
  }

  #keyOf(text: string): ApiKey {
    const key = this.#byDigest?.get(hex(sha256Bytes(text)));
    if (key === undefined) throw unauthenticated('The API key is not known to this server; ask its operator for one.');
    if (key.expiresAtMicros !== null && this.#clock.nowMicros() >= key.expiresAtMicros) {
      const on = printTimestamp(key.expiresAtMicros, 'micros', false);
      throw unauthenticated(`The key expired on ${on}Z (subject ${key.subject}); ask the server's operator for a new one.`);
    }
    return key;
  }
}

function parseKeys(text: string, where: string): readonly ApiKey[] {
  const list = parseListed(text, where);
  const keys = list.map((item, index) => parseApiKey(item, `${where}[${index}]`));
  const seen = new Map<string, number>();
  keys.forEach((key, index) => {
    const first = seen.get(hex(key.digest));
    if (first !== undefined) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `${where}: the entries ${first} and ${index} have the same key; each caller needs its own.`,
      );
    }
    seen.set(hex(key.digest), index);
    // A second key of a subject is how keys are changed without a gap; a second kind would make one actor two.
    const other = keys.find((candidate) => candidate.subject === key.subject && candidate.kind !== key.kind);
    if (other === undefined) return;
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${where}: ${key.subject} is both ${key.kind} and ${other.kind}; give them two subjects.`,
    );
  });
  return keys;
}

function parseListed(text: string, where: string): readonly unknown[] {
  let value: unknown;
  try {
    value = parseJson(text);
  } catch {
    // The parser's message quotes the text, which holds secrets.
    throw new IcecoreError('BAD_USER_INPUT', `${where} is not valid JSON; write a list of {"key", "subject", "kind", "roles"}.`);
  }
  if (Array.isArray(value) && value.length > 0) return value;
  throw new IcecoreError('BAD_USER_INPUT', `${where} must be a list of at least one {"key", "subject", "kind", "roles"}.`);
}

async function readKeys(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new IcecoreError('NOT_FOUND', `ICECORE_API_KEYS names the file ${path}, which cannot be read.`, { cause });
  }
}

function bearer(header: string | null | undefined): string {
  const match = /^Bearer +([\x21-\x7e]+) *$/i.exec(header ?? '');
  if (match?.[1] !== undefined) return match[1];
  throw unauthenticated('This server knows its callers by API keys: send the header `Authorization: Bearer KEY`.');
}

function unauthenticated(message: string): IcecoreError {
  return new IcecoreError('UNAUTHENTICATED', message);
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
