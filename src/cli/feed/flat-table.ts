/** A table of a FlatBuffer, read where it lies (flatbuffers.dev, "FlatBuffers Internals"). A field is given by its place in its schema. */
export class FlatTable {
  readonly #view: DataView;
  /** Where the table begins in the buffer. */
  readonly position: number;

  private constructor(view: DataView, position: number) {
    this.#view = view;
    this.position = position;
  }

  /** The table that a buffer is of. Like all reading here, throws RangeError where an offset leads out of the buffer. */
  static root(bytes: Uint8Array): FlatTable {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  byte(field: number): number {
    const at = this.#at(field);
    return at === null ? 0 : this.#view.getUint8(at);
  }

  short(field: number, otherwise = 0): number {
    const at = this.#at(field);
    return at === null ? otherwise : this.#view.getInt16(at, true);
  }

  int(field: number, otherwise = 0): number {
    const at = this.#at(field);
    return at === null ? otherwise : this.#view.getInt32(at, true);
  }

  long(field: number): bigint {
    const at = this.#at(field);
    return at === null ? 0n : this.#view.getBigInt64(at, true);
  }

  /** Null where there is none. */
  text(field: number): string | null {
    const at = this.#target(field);
    if (at === null) return null;
    const { buffer, byteOffset } = this.#view;
    return Buffer.from(buffer, byteOffset + at + 4, this.#count(at, 1)).toString('utf8');
  }

  table(field: number): FlatTable | null {
    const at = this.#target(field);
    return at === null ? null : new FlatTable(this.#view, at);
  }

  tables(field: number): readonly FlatTable[] {
    const at = this.#target(field);
    if (at === null) return [];
    return Array.from({ length: this.#count(at, 4) }, (_, index) => {
      const element = at + 4 + 4 * index;
      return new FlatTable(this.#view, element + this.#view.getUint32(element, true));
    });
  }

  /** The longs of a vector of structs that hold nothing but `width` of them. */
  longs(field: number, width: number): readonly bigint[] {
    const at = this.#target(field);
    if (at === null) return [];
    const count = this.#count(at, 8 * width) * width;
    return Array.from({ length: count }, (_, index) => this.#view.getBigInt64(at + 4 + 8 * index, true));
  }

  /** Of a vector's elements, each of so many bytes. */
  #count(at: number, bytes: number): number {
    const count = this.#view.getUint32(at, true);
    if (at + 4 + count * bytes > this.#view.byteLength) throw new RangeError(`${count} elements do not lie in the buffer`);
    return count;
  }

  #at(field: number): number | null {
    const fields = this.position - this.#view.getInt32(this.position, true);
    const slot = 4 + 2 * field;
    if (slot >= this.#view.getUint16(fields, true)) return null;
    const offset = this.#view.getUint16(fields + slot, true);
    return offset === 0 ? null : this.position + offset;
  }

  #target(field: number): number | null {
    const at = this.#at(field);
    return at === null ? null : at + this.#view.getUint32(at, true);
  }
}
