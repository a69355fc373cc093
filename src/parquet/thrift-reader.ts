import { thriftDepthMax } from '../limits.ts';
import { damaged } from './parquet-error.ts';

/** Types of the compact protocol's fields and list elements. */
export const thriftType = {
  stop: 0,
  true: 1,
  false: 2,
  byte: 3,
  i16: 4,
  i32: 5,
  i64: 6,
  double: 7,
  binary: 8,
  list: 9,
  set: 10,
  map: 11,
  struct: 12,
  uuid: 13,
};

/**
 * Reads Thrift's compact protocol from left to right, never behind `end` (thrift-compact-protocol.md). What the caller does not want
 * is skipped. Every method throws FAILED_PRECONDITION where the bytes are no such encoding.
 */
export class ThriftReader {
  readonly #bytes: Uint8Array;
  readonly #end: number;
  #depth = 0;
  /** Where the next byte is read. */
  at: number;

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.at = at;
    this.#end = end;
  }

  /** Calls `visit` for each field of a struct; it reads the field's value and gives true, or gives false, and the value is skipped. */
  struct(visit: (field: number, type: number) => boolean): void {
    if (++this.#depth > thriftDepthMax) throw damaged('structs are nested without end');
    for (let field = 0; ; ) {
      const header = this.#byte();
      const type = header & 15;
      if (type === thriftType.stop) break;
      field = header >> 4 === 0 ? this.int() : field + (header >> 4);
      if (!visit(field, type)) this.#skip(type);
    }
    this.#depth--;
  }

  /** An i16, i32 or i64. Throws for what a number cannot hold: no size or count of an honest file. */
  int(): number {
    let [low, high, shift] = [0, 0, 0];
    for (; ; shift += 7) {
      const byte = this.#byte();
      if (shift < 28) low |= (byte & 0x7f) << shift;
      else if (shift < 63) high += (byte & 0x7f) * 2 ** (shift - 28);
      else if (byte > 1) throw damaged('a number has more than 64 bits');
      else high += byte * 2 ** 35;
      if (byte < 0x80) break;
    }
    // Zigzag: the lowest bit is the sign.
    const half = (low >>> 1) + high * 2 ** 27;
    if (half > Number.MAX_SAFE_INTEGER) throw damaged('a size or a count is beyond all bounds');
    return (low & 1) === 0 ? half : -half - 1;
  }

  /** A size, an offset or a count. */
  size(): number {
    const value = this.int();
    if (value < 0) throw damaged('a size or a count is negative');
    return value;
  }

  text(): string {
    const [start, end] = this.#binary();
    return Buffer.from(this.#bytes.buffer, this.#bytes.byteOffset + start, end - start).toString('utf8');
  }

  /** The value of a boolean field is in its type. */
  boolean(type: number): boolean {
    return type === thriftType.true;
  }

  byte(): number {
    return (this.#byte() << 24) >> 24;
  }

  /** What `read` gives for each element, which is of the type `element`. */
  list<T>(element: number, read: () => T): T[] {
    const [type, length] = this.#listHeader();
    if (type !== element && length > 0) throw damaged('a list has elements of another type');
    const items: T[] = [];
    for (let index = 0; index < length; index++) items.push(read());
    return items;
  }

  #byte(): number {
    if (this.at >= this.#end) throw damaged('a header ends too early');
    return this.#bytes[this.at++] as number;
  }

  #unsigned(): number {
    let value = 0;
    for (let shift = 0; shift <= 28; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw damaged('a length has more than 32 bits');
  }

  #binary(): readonly [number, number] {
    const length = this.#unsigned();
    const start = this.at;
    if (length > this.#end - start) throw damaged('a text is longer than what holds it');
    this.at = start + length;
    return [start, this.at];
  }

  #listHeader(): readonly [number, number] {
    const header = this.#byte();
    const length = header >> 4 === 15 ? this.#unsigned() : header >> 4;
    // An element takes a byte at least, so this bounds what a list can make us allocate.
    if (length > this.#end - this.at) throw damaged('a list is longer than what holds it');
    return [header & 15, length];
  }

  #skip(type: number, isElement = false): void {
    switch (type) {
      case thriftType.true:
      case thriftType.false:
        if (isElement) this.#byte();
        return;
      case thriftType.byte:
        this.#byte();
        return;
      case thriftType.i16:
      case thriftType.i32:
      case thriftType.i64:
        for (let count = 0; this.#byte() >= 0x80; count++) if (count === 10) throw damaged('a number has more than 64 bits');
        return;
      case thriftType.double:
        this.#pass(8);
        return;
      case thriftType.uuid:
        this.#pass(16);
        return;
      case thriftType.binary:
        this.#binary();
        return;
      case thriftType.list:
      case thriftType.set: {
        const [element, length] = this.#listHeader();
        this.#nested(() => {
          for (let index = 0; index < length; index++) this.#skip(element, true);
        });
        return;
      }
      case thriftType.map: {
        const length = this.#unsigned();
        if (length === 0) return;
        const types = this.#byte();
        if (length > this.#end - this.at) throw damaged('a map is longer than what holds it');
        this.#nested(() => {
          for (let index = 0; index < length; index++) {
            this.#skip(types >> 4, true);
            this.#skip(types & 15, true);
          }
        });
        return;
      }
      case thriftType.struct:
        this.struct(() => false);
        return;
      default:
        throw damaged(`a header has a field of the unknown type ${type}`);
    }
  }

  #nested(read: () => void): void {
    if (++this.#depth > thriftDepthMax) throw damaged('lists are nested without end');
    read();
    this.#depth--;
  }

  #pass(count: number): void {
    if (count > this.#end - this.at) throw damaged('a header ends too early');
    this.at += count;
  }
}
