import type { Catalog, IdempotencyRecord } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import { claimFor, type IdempotentCall, replay } from './idempotency.ts';

/** Makes the claim to commit with the effect, from the answer that a repetition is to get; null where the caller gave no key. */
export type Claim = (answer: unknown) => IdempotencyRecord | null;

/**
 * Runs `effect` once for each idempotency key: a repetition gets the first answer, as JSON, and has no effect. `effect` must commit the
 * claim in one transaction with what it does. Without a key it simply runs.
 */
export async function once<Answer>(
  { catalog, clock }: { readonly catalog: Catalog; readonly clock: Clock },
  call: Omit<IdempotentCall, 'key'> & { readonly key: string | null },
  effect: (claim: Claim) => Promise<Answer>,
): Promise<Answer> {
  const { key } = call;
  if (key === null) return await effect(() => null);
  const keyed: IdempotentCall = { ...call, key };
  const before = await replay(catalog, keyed);
  if (before !== null) return before as Answer;
  try {
    return await effect((answer) => claimFor(keyed, answer, clock));
  } catch (error) {
    // The same call came twice at once and the other one was first: its answer is this one's too.
    const other = IcecoreError.is(error) ? await replay(catalog, keyed) : null;
    if (other !== null) return other as Answer;
    throw error;
  }
}
