/** The bits in another order, lowest first: DuckDB's BIT has the first row in the highest. */
const reversed = Uint8Array.from({ length: 256 }, (_, byte) => {
  let turned = 0;
  for (let bit = 0; bit < 8; bit++) if ((byte & (1 << bit)) !== 0) turned |= 0x80 >> bit;
  return turned;
});
const ones = Uint8Array.from({ length: 256 }, (_, byte) => {
  let count = 0;
  for (let left = byte; left !== 0; left &= left - 1) count++;
  return count;
});

/** Which rows of a file are live and match: a bit a row, the lowest of a byte first. */
export class LiveBits {
  readonly rowCount: number;
  readonly #bits: Uint8Array;

  /** None of them is, to begin with. */
  constructor(rowCount: number) {
    this.rowCount = rowCount;
    this.#bits = new Uint8Array(Math.ceil(rowCount / 8));
  }

  /**
   * Takes a BIT of DuckDB's for the rows from `from` on, a multiple of 8: how many bits of its first byte do not count, which must be none,
   * then the bits. Gives false where it holds a row that the file has not.
   */
  take(bit: Uint8Array, from: number): boolean {
    let fits = bit[0] === 0;
    for (let index = 1, at = from / 8; index < bit.length; index++, at++) {
      const byte = reversed[bit[index] as number] as number;
      if (at < this.#bits.length) this.#bits[at] = (this.#bits[at] as number) | byte;
      else if (byte !== 0) fits = false;
    }
    const spare = this.rowCount % 8;
    return fits && (spare === 0 || (this.#bits.at(-1) ?? 0) >> spare === 0);
  }

  /** Takes the rows of a BIT out, from row `from` on, a multiple of 8; what lies behind the last row does not matter. */
  takeOut(bit: Uint8Array, from: number): void {
    for (let index = 1, at = from / 8; index < bit.length && at < this.#bits.length; index++, at++) {
      this.#bits[at] = (this.#bits[at] as number) & ~(reversed[bit[index] as number] as number);
    }
  }

  /** Takes a row out. */
  clear(row: number): void {
    this.#bits[row >> 3] = (this.#bits[row >> 3] as number) & ~(1 << (row & 7));
  }

  /** All of them are. */
  setAll(): void {
    this.#bits.fill(0xff);
    const spare = this.rowCount % 8;
    if (spare > 0) this.#bits[this.#bits.length - 1] = (1 << spare) - 1;
  }

  /** The bits of a run of rows, as bits of their own, and how many are set. */
  slice(from: number, rowCount: number): { readonly bits: Uint8Array; readonly count: number } {
    const bits = new Uint8Array(Math.ceil(rowCount / 8));
    const shift = from & 7;
    const first = from >> 3;
    const spare = rowCount % 8;
    let count = 0;
    for (let at = 0; at < bits.length; at++) {
      const low = (this.#bits[first + at] ?? 0) >> shift;
      const high = shift === 0 ? 0 : ((this.#bits[first + at + 1] ?? 0) << (8 - shift)) & 0xff;
      let byte = low | high;
      if (at === bits.length - 1 && spare > 0) byte &= (1 << spare) - 1;
      bits[at] = byte;
      count += ones[byte] as number;
    }
    return { bits, count };
  }
}
