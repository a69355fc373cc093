import type { Caller } from './caller.ts';

/** One mutation as it came: who, under which idempotency key, with which input. */
export interface Call {
  readonly caller: Caller;
  readonly key: string | null;
  /** How long the key is remembered; as long as the contract says where left out. */
  readonly keyLifetimeMs?: number;
  /** The mutation's whole input, which a repetition has to equal. */
  readonly input: unknown;
}

/** A place in a list by name, and how much of it is wanted. */
export interface Page {
  readonly first: number;
  readonly after: string | null;
}
