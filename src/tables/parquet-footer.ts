import { IcecoreError } from '../errors.ts';

/** A column of nanoseconds in the footer of a Parquet file. */
export interface NanosColumn {
  readonly fieldId: number | null;
  /** Whether its values are instants (Parquet: "TIMESTAMP", `isAdjustedToUTC`). */
  readonly isInstant: boolean;
  /** Of the byte in the footer whose lower half says so. */
  readonly offset: number;
}

/** Types of Thrift's compact protocol. */
const kind = { true: 1, false: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8, list: 9, set: 10, map: 11, struct: 12 };
const depthMax = 64;

/** The lower half of that byte: in a struct of the compact protocol a boolean is the type of its field. */
export function instantBit(isInstant: boolean): number {
  return isInstant ? kind.true : kind.false;
}

/**
 * The nanosecond columns of a footer, a Thrift `FileMetaData` in the compact protocol (Parquet: "File format"). Throws FAILED_PRECONDITION
 * where it is none.
 */
export function nanosColumns(footer: Uint8Array): readonly NanosColumn[] {
  const cursor = new CompactCursor(footer);
  const found: NanosColumn[] = [];
  cursor.struct((field, type) => {
    if (field !== 2 || type !== kind.list) return false;
    cursor.list(() => found.push(...schemaElement(cursor)));
    return 'last';
  });
  return found;
}

/** Parquet's `SchemaElement`: its field id is field 9, its logical type field 10. */
function schemaElement(cursor: CompactCursor): readonly NanosColumn[] {
  let fieldId: number | null = null;
  let instant: { readonly isInstant: boolean; readonly offset: number } | null = null;
  let isNanos = false;
  cursor.struct((field, type) => {
    if (field === 9 && type === kind.i32) {
      fieldId = cursor.int();
      return true;
    }
    if (field !== 10 || type !== kind.struct) return false;
    cursor.struct((logical, logicalType) => {
      if (logical !== 8 || logicalType !== kind.struct) return false;
      cursor.struct((member, memberType, offset) => {
        if (member === 1) {
          instant = { isInstant: memberType === kind.true, offset };
          return true;
        }
        if (member !== 2 || memberType !== kind.struct) return false;
        cursor.struct((unit) => {
          isNanos ||= unit === 3;
          return false;
        });
        return true;
      });
      return true;
    });
    return true;
  });
  const { isInstant, offset } = instant ?? { isInstant: false, offset: -1 };
  return isNanos && offset >= 0 ? [{ fieldId, isInstant, offset }] : [];
}

class CompactCursor {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Calls for each field with its id, its type and the offset of its header: whether it was read there, and the last one of interest. */
  struct(read: (field: number, type: number, offset: number) => boolean | 'last', depth = 0): void {
    if (depth > depthMax) throw broken();
    for (let field = 0; ; ) {
      const offset = this.#at;
      const header = this.#byte();
      if (header === 0) return;
      const type = header & 0x0f;
      field = header >> 4 === 0 ? this.int() : field + (header >> 4);
      const isRead = read(field, type, offset);
      if (isRead === 'last') return;
      if (!isRead) this.#skip(type, depth);
    }
  }

  list(read: () => void): void {
    const header = this.#byte();
    const size = header >> 4 === 15 ? this.#varint() : header >> 4;
    if ((header & 0x0f) !== kind.struct) throw broken();
    for (let at = 0; at < size; at++) read();
  }

  /** Zigzag. */
  int(): number {
    const value = this.#varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }

  #skip(type: number, depth: number): void {
    switch (type) {
      case kind.true:
      case kind.false:
        return;
      case kind.byte:
        this.#at++;
        return;
      case kind.i16:
      case kind.i32:
      case kind.i64:
        this.#varint();
        return;
      case kind.double:
        this.#at += 8;
        return;
      case kind.binary: {
        const length = this.#varint();
        this.#at += length;
        return;
      }
      case kind.list:
      case kind.set: {
        const header = this.#byte();
        const size = header >> 4 === 15 ? this.#varint() : header >> 4;
        const element = header & 0x0f;
        // Booleans in lists take a byte each.
        for (let at = 0; at < size; at++) this.#skip(element <= kind.false ? kind.byte : element, depth + 1);
        return;
      }
      case kind.struct:
        this.struct(() => false, depth + 1);
        return;
      default:
        throw broken();
    }
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++];
    if (byte === undefined) throw broken();
    return byte;
  }

  /** Numbers beyond 2^53 are skipped, never used. */
  #varint(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}

function broken(): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', 'The footer of the Parquet file is damaged.');
}
