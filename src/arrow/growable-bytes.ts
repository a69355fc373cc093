import { IcecoreError } from '../errors.ts';

/** Offsets of Arrow's strings and lists are 32-bit. */
const bytesMax = 2 ** 31 - 1;

/** Bytes that are appended to, in memory that doubles when it is full. New memory is zero. */
export class GrowableBytes {
  #bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Makes room for `count` bytes behind the end, counts them as written, and gives the place where they begin. */
  extend(count: number): number {
    const start = this.length;
    const end = start + count;
    if (end > this.#bytes.length) {
      if (end > bytesMax) {
        throw new IcecoreError('OVERLOADED', 'A column of one batch would hold more than 2 GiB. Ask for smaller batches.');
      }
      const grown = new Uint8Array(Math.min(bytesMax, Math.max(end, this.#bytes.length * 2)));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.length = end;
    return start;
  }

  /** All memory, also what is not written yet; another after `extend`. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  append(source: Uint8Array): void {
    const start = this.extend(source.length);
    this.#bytes.set(source, start);
  }

  /** What was written, on memory of its own from now on: appending begins anew, with as much room. */
  take(): Uint8Array<ArrayBuffer> {
    const taken = this.#bytes.subarray(0, this.length) as Uint8Array<ArrayBuffer>;
    this.#bytes = new Uint8Array(this.#bytes.length);
    this.length = 0;
    return taken;
  }
}
