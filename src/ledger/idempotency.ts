import type { Caller } from '../access/caller.ts';
import type { Catalog, IdempotencyRecord } from '../catalog/catalog.ts';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { idempotencyKeyBytesMax, idempotencyKeyLifetimeMs } from '../limits.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';

/** Whose key it is: keys are scoped to caller and mutation (contract, `Mutation`). */
export interface IdempotentCall {
  readonly caller: Caller;
  readonly mutation: string;
  readonly key: string;
  /** The mutation's input; its key may be in it or not, as long as it is so each time. */
  readonly input: unknown;
  /** How long the key is remembered; as long as the contract says where left out. */
  readonly keyLifetimeMs?: number;
}

/** The claim to commit together with the effect. `answer` is what the payload is made from again: ids, names, versions; no rows. */
export function claimFor(call: IdempotentCall, answer: unknown, clock: Clock): IdempotencyRecord {
  checkKey(call.key);
  return {
    scope: scopeOf(call),
    key: call.key,
    inputSha256: inputDigest(call.input),
    answer: canonicalJson(answer),
    expiresAtMs: nowMs(clock) + (call.keyLifetimeMs ?? idempotencyKeyLifetimeMs),
  };
}

/**
 * The answer of the call that used this key first, as parsed JSON with 64-bit integers as strings; null where there was none.
 * Throws CONFLICT where the key was used with another input, BAD_USER_INPUT where it is no key.
 */
export async function replay(catalog: Catalog, call: IdempotentCall): Promise<unknown> {
  checkKey(call.key);
  const stored = await catalog.answer(scopeOf(call), call.key);
  if (stored === null) return null;
  if (stored.inputSha256 === inputDigest(call.input)) return JSON.parse(stored.answer) as unknown;
  throw new IcecoreError(
    'CONFLICT',
    `The idempotency key '${call.key}' was used for ${call.mutation} with another input; give every new call a key of its own.`,
    { context: { idempotencyKey: call.key, mutation: call.mutation } },
  );
}

function scopeOf({ caller, mutation }: IdempotentCall): string {
  return JSON.stringify([caller.actor.id, mutation]);
}

function inputDigest(input: unknown): string {
  return sha256Hex(canonicalJson(input));
}

function checkKey(key: string): void {
  const bytes = Buffer.byteLength(key);
  if (bytes > 0 && bytes <= idempotencyKeyBytesMax) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `An idempotency key has 1 to ${idempotencyKeyBytesMax} bytes, this one ${bytes}; a random UUID is a good one.`,
  );
}
