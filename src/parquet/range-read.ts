import { parquetRangeBytesMax, parquetUnderWayBytesMax } from '../limits.ts';
import type { ByteRange } from '../storage/storage.ts';
import { type ParquetFile, readExactly } from './file-metadata.ts';
import { freeBytes, newBytes } from './memory.ts';

/** Requests of one long range: as many as may be under way. */
const partsMax = parquetUnderWayBytesMax / parquetRangeBytesMax;

/**
 * The bytes of a range: in memory that was used before, where the store can; what is longer than a request may be, by several at once.
 * Throws what reading throws, and FAILED_PRECONDITION that names the file where it is shorter.
 */
export async function readRange(file: ParquetFile, { start, end }: ByteRange): Promise<Uint8Array> {
  const into = newBytes(end - start);
  if (into.length <= parquetRangeBytesMax) {
    const bytes = await readExactly(file, { start, end }, into);
    if (bytes.buffer !== into.buffer) freeBytes(into);
    return bytes;
  }
  let next = start;
  const readParts = async (): Promise<void> => {
    while (next < end) {
      const part = { start: next, end: Math.min(end, next + parquetRangeBytesMax) };
      next = part.end;
      const target = into.subarray(part.start - start, part.end - start);
      const bytes = await readExactly(file, part, target).catch((error: unknown) => {
        next = end;
        throw error;
      });
      if (bytes.buffer !== into.buffer) target.set(bytes);
    }
  };
  await Promise.all(Array.from({ length: partsMax }, readParts));
  return into;
}
