import { dirname } from 'node:path';
import { IcecoreError } from '../errors.ts';

/** OVERLOADED for a disk without room; others as they are. */
export function diskError(path: string, error: unknown): unknown {
  const { code } = error as NodeJS.ErrnoException;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new IcecoreError(
    'OVERLOADED',
    `The disk that holds the feed cache is full: ${dirname(path)}. Make room there, set ICECORE_CACHE_DIR to a larger disk, or lower ICECORE_FEED_CACHE_BYTES.`,
    { context: { directory: dirname(path) }, cause: error, retryable: true },
  );
}

/** FAILED_PRECONDITION that can be tried again for a file that somebody removed; others as they are. */
export function removedMeanwhile(path: string, error: unknown): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return error;
  return new IcecoreError('FAILED_PRECONDITION', `The feed cache ${dirname(path)} was emptied while a file of it was written.`, {
    cause: error,
    retryable: true,
  });
}
