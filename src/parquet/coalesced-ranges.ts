import { parquetGapBytesMax, parquetRangeBytesMax, storageRequestsMax } from '../limits.ts';
import type { ByteRange } from '../storage/storage.ts';
import { type ParquetFile, readExactly } from './file-metadata.ts';

/** A range to request, and the wanted ones that lie in it. */
export interface CoalescedRange extends ByteRange {
  readonly wanted: readonly ByteRange[];
}

/** Joins ranges that lie so close that one request is cheaper than two: with the gap between them, and up to a size. */
export function coalesceRanges(wanted: readonly ByteRange[]): readonly CoalescedRange[] {
  const sorted = [...wanted].sort((a, b) => a.start - b.start || a.end - b.end);
  const joined: { start: number; end: number; wanted: ByteRange[] }[] = [];
  for (const range of sorted) {
    const last = joined.at(-1);
    const end = Math.max(last?.end ?? 0, range.end);
    if (last !== undefined && range.start - last.end <= parquetGapBytesMax && end - last.start <= parquetRangeBytesMax) {
      last.end = end;
      last.wanted.push(range);
    } else {
      joined.push({ start: range.start, end: range.end, wanted: [range] });
    }
  }
  return joined;
}

/** The bytes of each wanted range, some of them views of one request's. */
export async function readRanges(
  file: ParquetFile,
  wanted: readonly ByteRange[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<ByteRange, Uint8Array>> {
  const found = new Map<ByteRange, Uint8Array>();
  const requests = coalesceRanges(wanted).values();
  const work = async () => {
    for (const request of requests) {
      signal?.throwIfAborted();
      const bytes = await readExactly(file, { start: request.start, end: request.end });
      for (const range of request.wanted)
        found.set(range, bytes.subarray(range.start - request.start, range.end - request.start));
    }
  };
  await Promise.all(Array.from({ length: storageRequestsMax }, work));
  return found;
}
