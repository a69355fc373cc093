import { IcecoreError } from '../errors.ts';

/** What a damaged Avro file is refused with. */
export function damaged(what: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `The Avro file is damaged: ${what}.`);
}

/**
 * A place in Avro's binary encoding (Avro spec: "Binary Encoding"). Every read is checked against the bytes that are there:
 * manifests are written by anyone who may write a table.
 */
export class AvroCursor {
  readonly #bytes: Buffer;
  #position = 0;
  #more = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get atEnd(): boolean {
    return this.#position >= this.#bytes.length;
  }

  get bytesLeft(): number {
    return this.#bytes.length - this.#position;
  }

  readByte(): number {
    const byte = this.#bytes[this.#position++];
    if (byte === undefined) throw damaged('it ends in the middle of a value');
    return byte;
  }

  /** A zigzag varint, which Avro uses for int and long alike. */
  readLong(): bigint {
    // In groups of four bytes, 28 bits: what bitwise operators on numbers can do; bigints are ten times slower.
    const low = this.#readGroup();
    if (!this.#more) return BigInt((low >>> 1) ^ -(low & 1));
    const middle = this.#readGroup();
    const high = this.#more ? this.#readGroup() : 0;
    if (this.#more || high > 0xff) throw damaged('an integer takes more than 64 bits');
    if (high === 0) {
      const value = middle * 0x1000_0000 + low;
      if (value <= Number.MAX_SAFE_INTEGER) return BigInt(low & 1 ? -(value + 1) / 2 : value / 2);
    }
    const value = (BigInt(high) << 56n) | (BigInt(middle) << 28n) | BigInt(low);
    return BigInt.asIntN(64, (value >> 1n) ^ -(value & 1n));
  }

  /** The same for an integer that must be small enough for a number: ints, lengths, counts. */
  readInt(): number {
    const start = this.#position;
    const low = this.#readGroup();
    if (!this.#more) return (low >>> 1) ^ -(low & 1);
    this.#position = start;
    const value = this.readLong();
    if (value > Number.MAX_SAFE_INTEGER || value < Number.MIN_SAFE_INTEGER) throw damaged(`${value} is no length, count or int`);
    return Number(value);
  }

  skipLong(): void {
    while (this.readByte() >= 0x80);
  }

  /** Half of a manifest's bytes are integers that nobody asked for. */
  skipLongs(count: number): void {
    const bytes = this.#bytes;
    let at = this.#position;
    for (let left = count; left > 0; left--) {
      while ((bytes[at++] ?? 0) >= 0x80);
    }
    if (at > bytes.length) throw damaged('it ends in the middle of a value');
    this.#position = at;
  }

  /** So many pairs of an integer and bytes: the bounds in a manifest. */
  skipKeyedBytes(count: number): void {
    const bytes = this.#bytes;
    for (let left = count; left > 0; left--) {
      let at = this.#position;
      while ((bytes[at++] ?? 0) >= 0x80);
      const length = bytes[at] ?? 0x80;
      this.#position = at;
      // Zigzag of a length below 64 is twice the length, in one byte.
      if (length < 0x80 && (length & 1) === 0) this.#position = at + 1 + (length >> 1);
      else this.skip(this.readInt());
      if (this.#position > bytes.length) throw damaged('it ends in the middle of a value');
    }
  }

  /** Where the cursor stands, in bytes from the beginning. */
  get position(): number {
    return this.#position;
  }

  /** Goes to a position that it had before. */
  seek(position: number): void {
    this.#position = position;
  }

  /** What lies between a position and this one, a character for each byte. */
  textSince(position: number): string {
    return this.#bytes.toString('latin1', position, this.#position);
  }

  readFloat(): number {
    return this.#bytes.readFloatLE(this.#advance(4));
  }

  readDouble(): number {
    return this.#bytes.readDoubleLE(this.#advance(8));
  }

  /** A view, not a copy: who keeps it keeps the block. */
  readFixed(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  readBytes(): Uint8Array {
    return this.readFixed(this.readInt());
  }

  readString(): string {
    const length = this.readInt();
    const start = this.#advance(length);
    return this.#bytes.toString('utf8', start, start + length);
  }

  skip(length: number): void {
    this.#advance(length);
  }

  /**
   * The next block of an array or map: how many items it holds, 0 at the end. Every item of what Iceberg writes takes a byte
   * at least, so a count beyond the bytes left is damage, not a reason to allocate.
   */
  readItemCount(): number {
    const count = this.readInt();
    if (count < 0) this.skipLong();
    if (Math.abs(count) > this.bytesLeft)
      throw damaged(`an array says it holds ${count} items where ${this.bytesLeft} bytes are left`);
    return Math.abs(count);
  }

  /** Up to four bytes of a varint; `#more` says whether it goes on. */
  #readGroup(): number {
    let group = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.readByte();
      group |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        this.#more = false;
        return group;
      }
    }
    this.#more = true;
    return group;
  }

  #advance(length: number): number {
    const start = this.#position;
    if (length < 0 || length > this.bytesLeft) throw damaged(`a value of ${length} bytes where ${this.bytesLeft} are left`);
    this.#position = start + length;
    return start;
  }
}
