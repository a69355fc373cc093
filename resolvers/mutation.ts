import { createHash } from 'node:crypto';
import type { Call } from '../src/access/call.ts';
import { IcecoreError } from '../src/errors.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';

interface MutationInput {
  readonly idempotencyKey?: Given<string>;
}

/** Refusals that say something about the caller, and so belong in the audit log (semantics, section 8). */
const audited: ReadonlySet<string> = new Set(['FORBIDDEN', 'PINNED']);

/** Runs a mutation as the caller's call, under its idempotency key; an attempt that the caller was not allowed is recorded. */
export async function mutate<Payload>(
  { icecore, caller }: ApiContext,
  mutation: string,
  input: MutationInput,
  run: (call: Call) => Promise<Payload>,
): Promise<Payload> {
  try {
    return await run({ caller, key: input.idempotencyKey ?? null, input: comparable(input) });
  } catch (error) {
    if (IcecoreError.is(error) && audited.has(error.code)) await icecore.audit.refused(caller, mutation, subjectOf(input), error);
    throw error;
  }
}

/** The input as repetitions are compared by: JSON, bytes by their digest. */
function comparable(value: unknown): unknown {
  if (value instanceof Uint8Array) return { sha256: createHash('sha256').update(value).digest('hex') };
  if (Array.isArray(value)) return value.map(comparable);
  if (typeof value === 'number' && !Number.isFinite(value)) return String(value);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, comparable(member)]));
}

/** What an attempt was about, by the names in its input. */
function subjectOf(input: object): string {
  const named = new Map(Object.entries(input));
  for (const [member, kind] of [
    ['modelVersion', 'model'],
    ['model', 'model'],
    ['table', 'table'],
    ['featureTable', 'table'],
    ['name', 'name'],
    ['id', 'id'],
  ] as const) {
    const value: unknown = named.get(member);
    if (typeof value === 'string') return `${kind}/${value}`;
    if (typeof value === 'object' && value !== null && 'model' in value) return `${kind}/${String(value.model)}`;
  }
  return 'server';
}
