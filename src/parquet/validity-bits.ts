import { type ByteCursor, readVarint } from './hybrid.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged } from './parquet-error.ts';

/** Which slots of a column are not null, a bit each. */
export class ValidityBits {
  #bits: Uint8Array<ArrayBuffer> | null = null;
  length = 0;
  nullCount = 0;
  readonly #expected: number;

  constructor(expected: number) {
    this.#expected = expected;
  }

  /** The next `count` slots, none of them null. */
  appendValid(count: number): void {
    const [start, end] = [this.length, this.length + count];
    this.length = end;
    if (this.#bits !== null) setBits(this.#reach(start, end), start, end);
  }

  /** The next `count` slots, a byte each: 1 for those that are not null. Gives how many these are. */
  append(valid: Uint8Array, count: number): number {
    const [start, end] = [this.length, this.length + count];
    this.length = end;
    const bits = this.#reach(start, end);
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
    return set;
  }

  /**
   * The next `count` slots from levels that are 0 or 1, whose runs and packed bits are what is wanted already, but for where they begin
   * (format: "Encodings", RLE/Bit-Packing Hybrid). Gives how many are not null.
   */
  appendLevels(cursor: ByteCursor, count: number): number {
    const [start, end] = [this.length, this.length + count];
    this.length = end;
    const bits = this.#reach(start, end);
    for (let at = start; at < end; ) {
      const header = readVarint(cursor);
      const length = Math.floor(header / 2);
      if (length === 0) throw damaged('a page has an empty run');
      const isPacked = header % 2 === 1;
      const taken = Math.min(isPacked ? length * 8 : length, end - at);
      const size = isPacked ? (taken + 7) >> 3 : 1;
      if (cursor.at + size > cursor.end) throw damaged('a page ends too early');
      const level = cursor.bytes[cursor.at] as number;
      if (isPacked) copyBits(cursor.bytes, cursor.at, bits, at, taken);
      else if (level > 1) throw damaged('a value is nested deeper than its column');
      else if (level === 1) setBits(bits, at, at + taken);
      cursor.at = Math.min(cursor.end, cursor.at + (isPacked ? length : 1));
      at += taken;
    }
    const set = countBits(bits, start, end);
    this.nullCount += count - set;
    return set;
  }

  /** All bits so far, and behind them zeros; only where a slot was not given as valid. */
  get bits(): Uint8Array {
    return this.#bits ?? noBits;
  }

  /** The bits, where any slot is null. */
  get bitmap(): Uint8Array<ArrayBuffer> | undefined {
    return this.nullCount === 0 ? undefined : (this.#bits ?? undefined);
  }

  #reach(start: number, end: number): Uint8Array<ArrayBuffer> {
    const needed = (end + 7) >> 3;
    const held = this.#bits;
    if (held !== null && held.length >= needed) return held;
    const bits = newBytes(Math.max(needed, held === null ? (this.#expected + 7) >> 3 : held.length * 2)).fill(0);
    if (held === null) {
      setBits(bits, 0, start);
    } else {
      bits.set(held);
      freeBytes(held);
    }
    this.#bits = bits;
    return bits;
  }
}

const noBits = new Uint8Array();

/** In a loop, since most runs are of a few bytes: to fill them by a call takes longer. */
function setBits(bits: Uint8Array, start: number, end: number): void {
  if (start >= end) return;
  const [first, last] = [start >> 3, (end - 1) >> 3];
  const from = (0xff << (start & 7)) & 0xff;
  const upTo = 0xff >> (7 - ((end - 1) & 7));
  if (first === last) {
    bits[first] = (bits[first] as number) | (from & upTo);
    return;
  }
  bits[first] = (bits[first] as number) | from;
  for (let byte = first + 1; byte < last; byte++) bits[byte] = 0xff;
  bits[last] = (bits[last] as number) | upTo;
}

/** Copies bits that begin with a byte to where zeros are. */
function copyBits(source: Uint8Array, from: number, bits: Uint8Array, at: number, count: number): void {
  const shift = at & 7;
  let to = at >> 3;
  for (let done = 0; done < count; done += 8, to++) {
    const left = count - done;
    const byte = (source[from + (done >> 3)] as number) & (left < 8 ? (1 << left) - 1 : 0xff);
    bits[to] = (bits[to] as number) | (byte << shift);
    // Behind the last bit there may be no byte.
    if (shift + Math.min(left, 8) > 8) bits[to + 1] = byte >> (8 - shift);
  }
}

function countBits(bits: Uint8Array, start: number, end: number): number {
  let count = 0;
  let at = start;
  for (; at < end && (at & 7) !== 0; at++) count += ((bits[at >> 3] as number) >> (at & 7)) & 1;
  // Behind the end are zeros.
  for (let byte = at >> 3; byte < (end + 7) >> 3; byte++) {
    let sum = bits[byte] as number;
    sum -= (sum >> 1) & 0x55;
    sum = (sum & 0x33) + ((sum >> 2) & 0x33);
    count += (sum + (sum >> 4)) & 0x0f;
  }
  return count;
}

/** A bit for each byte that is 1. */
export function packBits(values: Uint8Array, count: number): Uint8Array<ArrayBuffer> {
  const bits = new Uint8Array((count + 7) >> 3);
  for (let index = 0; index < count; index++)
    bits[index >> 3] = (bits[index >> 3] as number) | ((values[index] as number) << (index & 7));
  return bits;
}
