import { setTimeout as pause } from 'node:timers/promises';
import { commitPauseMsMax, commitPauseMsMin } from '../limits.ts';

/** Waits between two attempts at a commit that lost a race: longer after each, and jittered, so that those who raced do not meet again. */
export async function pauseAfterAttempt(attempt: number): Promise<void> {
  const longest = Math.min(commitPauseMsMax, commitPauseMsMin * 2 ** (attempt - 1));
  await pause(longest * (0.5 + Math.random() / 2));
}
