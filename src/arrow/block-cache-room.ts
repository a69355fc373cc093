import { statfs } from 'node:fs/promises';
import { IcecoreError } from '../errors.ts';
import { feedCacheBytesDefaultMax, feedCacheDiskShare } from '../limits.ts';
import type { CacheFile } from './block-cache-files.ts';

/** Bytes that the disk of a directory has left for this process. */
export async function freeBytes(directory: string): Promise<number> {
  try {
    const { bavail, bsize } = await statfs(directory);
    return bavail * bsize;
  } catch {
    // The directory is gone; whoever writes makes it again.
    return Number.POSITIVE_INFINITY;
  }
}

/** What a cache may hold that nobody set a limit for. */
export async function defaultBytes(directory: string, files: readonly CacheFile[]): Promise<number> {
  const held = files.reduce((sum, { bytes }) => sum + bytes, 0);
  return Math.min(feedCacheBytesDefaultMax, Math.floor(((await freeBytes(directory)) + held) * feedCacheDiskShare));
}

/** OVERLOADED that says how many bytes there are, and what to do. */
export function noRoom(
  directory: string,
  context: { readonly bytesNeeded: number; readonly bytesAvailable: number; readonly bytesMax: number },
): IcecoreError {
  const { bytesNeeded, bytesAvailable, bytesMax } = context;
  return new IcecoreError(
    'OVERLOADED',
    `The feed cache ${directory} has no room for ${bytesNeeded} bytes: ${bytesAvailable} of its ${bytesMax} can be had beside what other feeds use. Raise ICECORE_FEED_CACHE_BYTES, make room on the disk, ask for fewer columns, or try again when other feeds have ended.`,
    { context, retryable: true },
  );
}
