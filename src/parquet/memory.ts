import type { Data } from 'apache-arrow';
import { parquetKeptBytesMax } from '../limits.ts';

/** Freed memory of this thread, the longest unused first. */
const kept: ArrayBuffer[] = [];
let keptBytes = 0;

/** What is smaller costs no more than to look for it here. */
const keptBytesMin = 16 * 1024;

/**
 * Bytes at the beginning of an ArrayBuffer of their own, whose length is a multiple of eight. What they hold is anything: whoever hands
 * them out has written each.
 */
export function newBytes(size: number): Uint8Array<ArrayBuffer> {
  const needed = sizeClass(size);
  const found = kept.findIndex(({ byteLength }) => byteLength === needed);
  // No Buffer is handed out: code that meets both kinds of arrays asks at each byte which it has.
  if (found < 0) return new Uint8Array(Buffer.allocUnsafeSlow(needed).buffer, 0, size);
  const [memory] = kept.splice(found, 1) as [ArrayBuffer];
  keptBytes -= needed;
  return new Uint8Array(memory, 0, size);
}

/**
 * Takes back the memory of bytes that `newBytes` gave, or that are all of their ArrayBuffer; nobody can read them any more. A megabyte
 * that is left to the garbage collector costs ten times what one costs that is used again: the collector runs again and again for memory
 * outside of its heap, and each new array lies in pages that the kernel has to clear.
 */
export function freeBytes({ buffer, byteOffset, byteLength }: ArrayBufferView): void {
  if (!(buffer instanceof ArrayBuffer) || buffer.detached || byteOffset !== 0) return;
  if (buffer.byteLength === byteLength || buffer.byteLength === sizeClass(byteLength)) free(buffer);
}

/** The same of a column that `openRowGroup` or `readRowGroup` gave, for whoever is done with all of it: no other column has its arrays. */
export function freeColumn(data: Data): void {
  for (const view of [data.values, data.valueOffsets, data.nullBitmap]) {
    if (ArrayBuffer.isView(view) && view.buffer instanceof ArrayBuffer && !view.buffer.detached) free(view.buffer);
  }
  for (const child of data.children) freeColumn(child);
}

/** Whoever still had it has nothing then: an array that is used again is another one. */
function free(buffer: ArrayBuffer): void {
  const size = buffer.byteLength;
  // Arrow has empty arrays that columns share.
  if (size === 0) return;
  if (size < keptBytesMin || size > parquetKeptBytesMax || size !== sizeClass(size)) {
    buffer.transfer(0);
    return;
  }
  kept.push(buffer.transfer());
  keptBytes += size;
  while (keptBytes > parquetKeptBytesMax) keptBytes -= dropOldest();
}

/** Frees all that this thread keeps. */
export function freeKept(): void {
  while (kept.length > 0) keptBytes -= dropOldest();
}

function dropOldest(): number {
  const oldest = kept.shift();
  const size = oldest?.byteLength ?? 0;
  oldest?.transfer(0);
  return size;
}

/** Eight sizes between a power of two and the next: what is almost as large fits too, and little is wasted. */
function sizeClass(size: number): number {
  if (size < keptBytesMin) return (size + 7) & ~7;
  const step = 2 ** (Math.floor(Math.log2(size)) - 3);
  return Math.ceil(size / step) * step;
}
