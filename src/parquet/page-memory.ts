import { parquetPageKeptBytesMax } from '../limits.ts';
import { newBytes } from './memory.ts';

/**
 * Memory for one page at a time, of one thread: the same again and again, which stays in the processor's cache and costs the garbage
 * collector nothing. Larger pages get memory of their own.
 */
export class PageMemory {
  #kept = new Uint8Array();

  /** At least `size` bytes, of any content. What this gave before is overwritten where they are. */
  room(size: number): Uint8Array<ArrayBuffer> {
    if (size > parquetPageKeptBytesMax) return newBytes(size);
    if (this.#kept.length < size) this.#kept = newBytes(2 ** Math.ceil(Math.log2(size)));
    return this.#kept;
  }
}
