import type { CellRuns } from './row-pick.ts';

/** Longer ones are worth a call of the engine's own copy, which costs as much as some two hundred bytes. */
const wordBytesMax = 256;

/** Copies runs of cells, `width` bytes each. */
export function copyRuns(source: Uint8Array, target: Uint8Array, { starts, lengths, ats }: CellRuns, width: number): void {
  const [from, to] = [wordsOf(source), wordsOf(target)];
  for (let run = 0; run < starts.length; run++) {
    const start = (starts[run] as number) * width;
    copyBytes(source, target, from, to, start, start + (lengths[run] as number) * width, (ats[run] as number) * width);
  }
}

/** Bytes [start, end) of the source to place `at` of the target. `reads` and `writes` are the same bytes, for words that lie anywhere. */
export function copyBytes(
  source: Uint8Array,
  target: Uint8Array,
  reads: DataView,
  writes: DataView,
  start: number,
  end: number,
  at: number,
): void {
  if (end - start > wordBytesMax) {
    target.set(source.subarray(start, end), at);
    return;
  }
  // Not by destructuring, which would make an array a value.
  let read = start;
  let write = at;
  for (; read + 4 <= end; read += 4, write += 4) writes.setInt32(write, reads.getInt32(read, true), true);
  if (read === end) return;
  if (end - start < 4) {
    for (; read < end; read++, write++) target[write] = source[read] as number;
    return;
  }
  // The last word once more, from where it ends: bytes one by one would cost more than those that are copied twice.
  const back = end - read - 4;
  writes.setInt32(write + back, reads.getInt32(read + back, true), true);
}

export function wordsOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
