import type { Data } from 'apache-arrow';

/** Bytes on an ArrayBuffer of their own, a multiple of eight. What they hold is anything: whoever hands them out has written each. */
export function newBytes(size: number): Uint8Array<ArrayBuffer> {
  return Buffer.allocUnsafeSlow((size + 7) & ~7);
}

/**
 * Gives the memory of bytes back at once, where they are all of their ArrayBuffer; nobody may read them any more. A megabyte that is left
 * to the garbage collector costs ten times what one costs that is given back: the collector runs again and again for memory outside of its
 * heap, and each new array lies in pages that the kernel has to clear.
 */
export function freeBytes({ buffer, byteLength }: Uint8Array): void {
  if (buffer instanceof ArrayBuffer && buffer.byteLength === byteLength) free(buffer);
}

/** The same of a column that `openRowGroup` or `readRowGroup` gave, for whoever is done with all of it: no other column has its arrays. */
export function freeColumn(data: Data): void {
  for (const view of [data.values, data.valueOffsets, data.nullBitmap]) {
    if (ArrayBuffer.isView(view) && view.buffer instanceof ArrayBuffer) free(view.buffer);
  }
  for (const child of data.children) freeColumn(child);
}

function free(buffer: ArrayBuffer): void {
  if (!buffer.detached) buffer.transfer(0);
}
