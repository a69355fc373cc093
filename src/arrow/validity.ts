import { GrowableBytes } from './growable-bytes.ts';

/** Which cells are not null, a bit each, the lowest of a byte first: so in DuckDB's vectors and in Arrow's buffers. */
export class Validity {
  /** Empty until the first vector with a null. */
  readonly #bits = new GrowableBytes(1024);
  length = 0;
  nullCount = 0;

  /** `bits` are those of a vector, null where all its cells are valid. */
  append(bits: Uint8Array | null, from: number, count: number): void {
    if (bits === null && this.#bits.length === 0) {
      this.length += count;
      return;
    }
    this.#extend(count);
    if (bits !== null && from % 8 === 0 && this.length % 8 === 0) this.#appendBytes(bits, from, count);
    else this.#appendBits(bits, from, count);
    this.length += count;
  }

  #extend(count: number): void {
    if (this.#bits.length === 0) {
      // No null so far.
      this.#bits.extend((this.length + 7) >> 3);
      this.#bits.bytes.fill(0xff, 0, this.length >> 3);
      if (this.length % 8 > 0) this.#bits.bytes[this.length >> 3] = (1 << (this.length & 7)) - 1;
    }
    this.#bits.extend(((this.length + count + 7) >> 3) - this.#bits.length);
  }

  #appendBytes(bits: Uint8Array, from: number, count: number): void {
    const [target, start, bytes] = [this.#bits.bytes, this.length >> 3, (count + 7) >> 3];
    target.set(bits.subarray(from >> 3, (from >> 3) + bytes), start);
    // The bits behind the last cell are anything.
    if (count % 8 > 0) target[start + bytes - 1] = (target[start + bytes - 1] ?? 0) & ((1 << (count & 7)) - 1);
    let valid = 0;
    for (let index = start; index < start + bytes; index++) {
      for (let byte = target[index] ?? 0; byte > 0; byte &= byte - 1) valid++;
    }
    this.nullCount += count - valid;
  }

  #appendBits(bits: Uint8Array | null, from: number, count: number): void {
    const target = this.#bits.bytes;
    for (let index = 0; index < count; index++) {
      const at = this.length + index;
      if (isValid(bits, from + index)) target[at >> 3] = (target[at >> 3] ?? 0) | (1 << (at & 7));
      else this.nullCount++;
    }
  }

  /** The bits, or undefined where nothing was null; begins anew. */
  take(): { readonly length: number; readonly nullCount: number; readonly nullBitmap: Uint8Array | undefined } {
    const { length, nullCount } = this;
    const bits = this.#bits.length === 0 ? undefined : this.#bits.take();
    this.length = 0;
    this.nullCount = 0;
    return { length, nullCount, nullBitmap: nullCount === 0 ? undefined : bits };
  }
}

export function isValid(bits: Uint8Array | null, index: number): boolean {
  return bits === null || (((bits[index >> 3] ?? 0) >> (index & 7)) & 1) === 1;
}
