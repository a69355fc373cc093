import type { Caller } from '../src/access/caller.ts';
import type { Icecore } from '../src/icecore.ts';

/** What every resolver is given. DataLoaders are kept beside it, by identity, for the time of one request or one event. */
export interface ApiContext {
  readonly icecore: Icecore;
  /** From the credential alone. */
  readonly caller: Caller;
  /** Aborts when the client has left or the time is up. */
  readonly signal: AbortSignal;
}
