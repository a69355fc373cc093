import { setTimeout as pause } from 'node:timers/promises';
import { feedTryAgainMs } from '../../limits.ts';

/** Gives who empties the cache time to come to an end: nothing before the first try, and twice as much before each further one. */
export async function restBeforeTry(tries: number, signal?: AbortSignal): Promise<void> {
  if (tries > 0) await pause(feedTryAgainMs * 2 ** (tries - 1), undefined, signal === undefined ? {} : { signal });
}
