import { dirname } from 'node:path';
import { IcecoreError } from '../errors.ts';

/**
 * What became of writing a block file: OVERLOADED for a disk without room, FAILED_PRECONDITION that can be tried again for a file that
 * somebody removed, with `context.emptied`; others as they are.
 */
export function diskError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const directory = dirname(path);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    return new IcecoreError(
      'OVERLOADED',
      `The disk that holds the feed cache is full: ${directory}. Make room there, set ICECORE_CACHE_DIR to a larger disk, or lower ICECORE_FEED_CACHE_BYTES.`,
      { context: { directory }, cause: error, retryable: true },
    );
  }
  if (code !== 'ENOENT') return error;
  return new IcecoreError('FAILED_PRECONDITION', `The feed cache ${directory} was emptied while a file of it was written.`, {
    context: { emptied: directory },
    cause: error,
    retryable: true,
  });
}

/** Whether the cache was emptied under who wrote: what was being written can be written again. */
export function isEmptied(error: unknown): boolean {
  return IcecoreError.is(error, 'FAILED_PRECONDITION') && typeof error.context.emptied === 'string';
}
