/** Which slots of a column are not null, a bit each, gathered from a byte each. */
export class ValidityBits {
  #bits: Uint8Array<ArrayBuffer> | null = null;
  length = 0;
  nullCount = 0;
  readonly #expected: number;

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** The next `count` slots: 1 for those that are not null; null where none is. */
  append(valid: Uint8Array | null, count: number): void {
    const [start, end] = [this.length, this.length + count];
    this.length = end;
    if (valid === null && this.#bits === null) return;
    const bits = this.#reach(start, end);
    if (valid === null) {
      setBits(bits, start, end);
      return;
    }
    let set = 0;
    let index = 0;
    for (let at = start; index < count && (at & 7) !== 0; index++, at++) {
      const bit = valid[index] as number;
      bits[at >> 3] = (bits[at >> 3] as number) | (bit << (at & 7));
      set += bit;
    }
    for (let byte = (start + index) >> 3; index < count; byte++) {
      let packed = 0;
      for (let bit = 0; bit < 8 && index < count; bit++, index++) {
        const value = valid[index] as number;
        packed |= value << bit;
        set += value;
      }
      bits[byte] = packed;
    }
    this.nullCount += count - set;
  }

  /** The bits, where any slot is null. */
  get bitmap(): Uint8Array<ArrayBuffer> | undefined {
    return this.nullCount === 0 ? undefined : (this.#bits ?? undefined);
  }

  #reach(start: number, end: number): Uint8Array<ArrayBuffer> {
    const needed = (end + 7) >> 3;
    const held = this.#bits;
    if (held !== null && held.length >= needed) return held;
    const bits = new Uint8Array(Math.max(needed, held === null ? (this.#expected + 7) >> 3 : held.length * 2));
    if (held === null) setBits(bits, 0, start);
    else bits.set(held);
    this.#bits = bits;
    return bits;
  }
}

function setBits(bits: Uint8Array, start: number, end: number): void {
  let at = start;
  for (; at < end && (at & 7) !== 0; at++) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
  bits.fill(0xff, at >> 3, end >> 3);
  for (at = Math.max(at, end & ~7); at < end; at++) bits[at >> 3] = (bits[at >> 3] as number) | (1 << (at & 7));
}

/** A bit for each byte that is 1. */
export function packBits(values: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((count + 7) >> 3);
  for (let index = 0; index < count; index++)
    bits[index >> 3] = (bits[index >> 3] as number) | ((values[index] as number) << (index & 7));
  return bits;
}
