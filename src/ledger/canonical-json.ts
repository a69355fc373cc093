import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { IcecoreError } from '../errors.ts';

/**
 * The canonical JSON text of a value (RFC 8785). Bigints become decimal strings, members that are undefined are left out. Throws
 * BAD_USER_INPUT for what JSON cannot say: NaN, infinities, half of a surrogate pair.
 */
export function canonicalJson(value: unknown): string {
  try {
    const text = canonicalize(withoutBigints(value));
    if (text !== undefined) return text;
  } catch (cause) {
    throw new IcecoreError('BAD_USER_INPUT', `The value has no canonical JSON form: ${reasonOf(cause)}.`, { cause });
  }
  throw new IcecoreError('BAD_USER_INPUT', 'The value has no canonical JSON form: it is undefined.');
}

/** SHA-256 in lower-case hex; text is taken as UTF-8. */
export function sha256Hex(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest('hex');
}

function withoutBigints(value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return value.map(withoutBigints);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withoutBigints(item)]));
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
