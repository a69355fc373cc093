const chunkBytes = 1024 * 1024;
const alignment = 64;
/** What is kept for the next batch: that of a million rows may take a hundred times of what others do. */
const keptBytesMax = 32 * 1024 * 1024;

/** Memory for what is worked out while a batch is made: it is handed out piece by piece, all is taken back at once, and nothing is cleared. */
export class ScratchMemory {
  #chunks: ArrayBuffer[] = [];
  #chunk = 0;
  #used = 0;

  /** What it holds is anything. Good until `reset`. */
  bytes(length: number): Uint8Array {
    const [buffer, offset] = this.#take(length);
    return new Uint8Array(buffer, offset, length);
  }

  int32(length: number): Int32Array {
    const [buffer, offset] = this.#take(length * 4);
    return new Int32Array(buffer, offset, length);
  }

  /** Takes back what `use` is handed out when it is through. */
  temporarily<Result>(use: () => Result): Result {
    const [chunk, used] = [this.#chunk, this.#used];
    try {
      return use();
    } finally {
      this.#chunk = chunk;
      this.#used = used;
    }
  }

  /** Takes back all that was handed out. */
  reset(): void {
    let kept = 0;
    this.#chunks = this.#chunks.filter(({ byteLength }) => {
      kept += byteLength;
      return kept <= keptBytesMax;
    });
    this.#chunk = 0;
    this.#used = 0;
  }

  /** Frees all of it. */
  clear(): void {
    for (const chunk of this.#chunks) chunk.transfer(0);
    this.#chunks = [];
    this.#chunk = 0;
    this.#used = 0;
  }

  #take(length: number): readonly [ArrayBuffer, number] {
    const needed = Math.ceil(length / alignment) * alignment;
    for (; this.#chunk < this.#chunks.length; this.#chunk++, this.#used = 0) {
      const buffer = this.#chunks[this.#chunk] as ArrayBuffer;
      if (this.#used + needed > buffer.byteLength) continue;
      const offset = this.#used;
      this.#used += needed;
      return [buffer, offset];
    }
    const buffer = new ArrayBuffer(Math.max(chunkBytes, needed));
    this.#chunks.push(buffer);
    this.#used = needed;
    return [buffer, 0];
  }
}
