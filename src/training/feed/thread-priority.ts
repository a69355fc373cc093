import { readlinkSync } from 'node:fs';
import { constants, getPriority, setPriority } from 'node:os';
import { feedWorkerNiceness } from '../../limits.ts';

/**
 * The calling thread gives way to the server's others where there is not enough processor for all: its event loop, that answers everybody,
 * waited for threads that decode and shuffle. On Linux, where each thread has a priority of its own; elsewhere nothing changes.
 */
export function giveWay(): void {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1);
    setPriority(Number(thread), Math.min(getPriority() + feedWorkerNiceness, constants.priority.PRIORITY_LOW));
  } catch {
    // It works as it did, only later.
  }
}
