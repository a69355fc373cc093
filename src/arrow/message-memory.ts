/** Messages of one feed differ little in size: memory that is larger than this share of what is needed is not used for it. */
const sizeRatioMax = 2;
/** A feed makes one or two messages ahead. */
const keptMax = 2;
/** New memory is rounded up to this, so that a message a little longer than the last fits where that was. */
const roundedToBytes = 64 * 1024;

/** Memory for messages. It is not cleared, and what is given back is used again: pages that are new to the process are slow to write. */
export class MessageMemory {
  #kept: ArrayBuffer[] = [];

  /** `length` bytes on an ArrayBuffer of their own, which may be larger. What they hold is anything. */
  take(length: number): Uint8Array<ArrayBuffer> {
    const fitting = this.#kept.findIndex(
      ({ byteLength }) => byteLength >= length && byteLength <= Math.max(length, roundedToBytes) * sizeRatioMax,
    );
    const [kept] = fitting < 0 ? [] : this.#kept.splice(fitting, 1);
    if (kept !== undefined) return new Uint8Array(kept, 0, length);
    const size = Math.ceil(Math.max(length, 1) / roundedToBytes) * roundedToBytes;
    const memory = Buffer.allocUnsafeSlow(size).buffer as ArrayBuffer;
    return new Uint8Array(memory, 0, length);
  }

  /** For messages to come. */
  give(memory: ArrayBufferLike): void {
    if (!(memory instanceof ArrayBuffer) || memory.detached || memory.byteLength === 0) return;
    this.#kept.push(memory);
    if (this.#kept.length > keptMax) this.#kept.shift();
  }
}
