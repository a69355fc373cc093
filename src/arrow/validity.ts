import { GrowableBytes } from './growable-bytes.ts';

/** Which cells are not null, a bit each, the lowest of a byte first: so in DuckDB's vectors and in Arrow's buffers. */
export class Validity {
  readonly #bits = new GrowableBytes(1024);
  length = 0;
  nullCount = 0;

  /** `bits` are those of a vector, null where all its cells are valid. */
  append(bits: Uint8Array | null, from: number, count: number): void {
    this.#bits.extend(((this.length + count + 7) >> 3) - this.#bits.length);
    const target = this.#bits.bytes;
    for (let index = 0; index < count; index++) {
      const at = this.length + index;
      if (isValid(bits, from + index)) target[at >> 3] = (target[at >> 3] ?? 0) | (1 << (at & 7));
      else this.nullCount++;
    }
    this.length += count;
  }

  /** The bits, or undefined where nothing was null; begins anew. */
  take(): { readonly length: number; readonly nullCount: number; readonly nullBitmap: Uint8Array | undefined } {
    const { length, nullCount } = this;
    const bits = this.#bits.take();
    this.length = 0;
    this.nullCount = 0;
    return { length, nullCount, nullBitmap: nullCount === 0 ? undefined : bits };
  }
}

export function isValid(bits: Uint8Array | null, index: number): boolean {
  return bits === null || (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}
