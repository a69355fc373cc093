const rowsPerCount = 512;
const bytesPerCount = rowsPerCount / 8;

/**
 * Which rows of a group are live and match: a bit a row, the lowest bit of a byte first, as in Arrow's bitmaps. Maps an index among the
 * matching rows to a row of the group; holds 4 bytes for 512 rows beside the bits.
 */
export class LiveRows {
  /** Matching rows. */
  readonly count: number;
  readonly #bits: Uint8Array;
  /** Matching rows before each run of 512. */
  readonly #before: Uint32Array;

  /** `bits` is copied; bits behind `rowCount` do not count. */
  constructor(bits: Uint8Array, rowCount: number) {
    const used = bits.slice(0, Math.ceil(rowCount / 8));
    const spare = rowCount % 8;
    if (spare > 0) used[used.length - 1] = (used.at(-1) ?? 0) & ((1 << spare) - 1);
    this.#bits = used;
    this.#before = new Uint32Array(Math.ceil(used.length / bytesPerCount));
    let count = 0;
    for (const [byte, value] of used.entries()) {
      if (byte % bytesPerCount === 0) this.#before[byte / bytesPerCount] = count;
      count += bitsSet(value);
    }
    this.count = count;
  }

  /** The rows of the group at the indices [from, to) among its matching rows, ascending. */
  rows(from: number, to: number): Uint32Array {
    const rows = new Uint32Array(Math.max(0, Math.min(to, this.count) - from));
    let byte = this.#runOf(from) * bytesPerCount;
    let index = this.#before[byte / bytesPerCount] ?? 0;
    for (let found = 0; found < rows.length; byte++) {
      let value = this.#bits[byte] ?? 0;
      for (; value !== 0; value &= value - 1) {
        if (index++ < from || found === rows.length) continue;
        rows[found++] = byte * 8 + 31 - Math.clz32(value & -value);
      }
    }
    return rows;
  }

  #runOf(index: number): number {
    let [low, high] = [0, this.#before.length];
    while (high - low > 1) {
      const middle = (low + high) >>> 1;
      if ((this.#before[middle] ?? 0) <= index) low = middle;
      else high = middle;
    }
    return low;
  }
}

function bitsSet(value: number): number {
  let [left, count] = [value, 0];
  for (; left !== 0; left &= left - 1) count++;
  return count;
}
