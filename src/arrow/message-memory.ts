/** Memory that is larger than this many times what is needed is not used for it: what is held should be what is used. */
const sizeRatioMax = 2;
/** New memory is rounded up to this, so that what is a little longer than the last fits where that was. */
const roundedToBytes = 4096;

/** Memory for messages and blocks. It is not cleared, and what is given back is used again: pages that are new to the process are slow to write. */
export class MessageMemory {
  #keptBytesMax: number;
  #kept: ArrayBuffer[] = [];
  #keptBytes = 0;

  constructor(keptBytesMax: number) {
    this.#keptBytesMax = keptBytesMax;
  }

  /** `length` bytes on an ArrayBuffer of their own, which may be larger. What they hold is anything. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const size = Math.ceil(Math.max(length, 1) / roundedToBytes) * roundedToBytes;
    const fitting = this.#kept.findLastIndex(({ byteLength }) => byteLength >= size && byteLength <= size * sizeRatioMax);
    const [kept] = fitting < 0 ? [] : this.#kept.splice(fitting, 1);
    if (kept !== undefined) this.#keptBytes -= kept.byteLength;
    return new Uint8Array(kept ?? (Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer), 0, length);
  }

  /** For what is to come. The oldest is let go of where all would be more than may be kept. */
  give(memory: ArrayBufferLike): void {
    if (!(memory instanceof ArrayBuffer) || memory.detached || memory.byteLength === 0) return;
    this.#kept.push(memory);
    this.#keptBytes += memory.byteLength;
    this.keepAtMost(this.#keptBytesMax);
  }

  /** Keeps so many bytes from now on. What is beyond them is freed at once: the collector would leave it until it has more of it. */
  keepAtMost(bytes: number): void {
    this.#keptBytesMax = bytes;
    while (this.#keptBytes > bytes) {
      const oldest = this.#kept.shift();
      this.#keptBytes -= oldest?.byteLength ?? this.#keptBytes;
      oldest?.transfer(0);
    }
  }

  /** Frees all that is kept. */
  clear(): void {
    const bytes = this.#keptBytesMax;
    this.keepAtMost(0);
    this.keepAtMost(bytes);
  }
}
