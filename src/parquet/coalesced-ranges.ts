import { parquetGapBytesMax, parquetRangeBytesMax } from '../limits.ts';
import type { ByteRange } from '../storage/storage.ts';

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
