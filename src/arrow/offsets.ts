/** Where each cell of variable length ends; Arrow's begin with a zero. */
export class Offsets {
  #ends = new Int32Array(2048);
  #count = 1;

  append(end: number): void {
    if (this.#count === this.#ends.length) {
      const grown = new Int32Array(this.#ends.length * 2);
      grown.set(this.#ends);
      this.#ends = grown;
    }
    this.#ends[this.#count++] = end;
  }

  /** One more than there are cells, on memory of its own; begins anew. */
  take(): Int32Array<ArrayBuffer> {
    const taken = this.#ends.subarray(0, this.#count);
    this.#ends = new Int32Array(this.#ends.length);
    this.#count = 1;
    return taken;
  }
}
