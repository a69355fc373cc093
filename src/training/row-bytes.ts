/** Bytes of one row as it is encoded, in a buffer that is used again for the next. All numbers are little-endian. */
export class RowBytes {
  #bytes = Buffer.allocUnsafe(4096);
  length = 0;

  clear(): void {
    this.length = 0;
  }

  written(): Buffer {
    return this.#bytes.subarray(0, this.length);
  }

  uint8(value: number): void {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
  }

  uint32(value: number): void {
    this.#reserve(4);
    this.length = this.#bytes.writeUInt32LE(value, this.length);
  }

  int32(value: number): void {
    this.#reserve(4);
    this.length = this.#bytes.writeInt32LE(value, this.length);
  }

  int64(value: bigint): void {
    this.#reserve(8);
    this.length = this.#bytes.writeBigInt64LE(value, this.length);
  }

  float32(value: number): void {
    this.#reserve(4);
    // What a NaN carries differs between engines; the canonical one is written.
    this.length = Number.isNaN(value)
      ? this.#bytes.writeUInt32LE(0x7fc00000, this.length)
      : this.#bytes.writeFloatLE(value, this.length);
  }

  float64(value: number): void {
    this.#reserve(8);
    if (Number.isNaN(value)) {
      this.#bytes.writeUInt32LE(0, this.length);
      this.length = this.#bytes.writeUInt32LE(0x7ff80000, this.length + 4);
    } else {
      this.length = this.#bytes.writeDoubleLE(value, this.length);
    }
  }

  utf8(text: string): void {
    this.#reserve(text.length * 3);
    this.length += this.#bytes.write(text, this.length, 'utf8');
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  /** Writes what `write` writes behind its length. */
  withLength(write: () => void): void {
    const at = this.openLength();
    write();
    this.closeLength(at);
  }

  openLength(): number {
    this.#reserve(4);
    const at = this.length;
    this.length += 4;
    return at;
  }

  closeLength(at: number): void {
    this.#bytes.writeUInt32LE(this.length - at - 4, at);
  }

  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + count));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }
}
