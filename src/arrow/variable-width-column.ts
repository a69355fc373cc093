import type { DuckDBEnumType } from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import duckdb from '@duckdb/node-bindings';
import { type Data, type DataType, makeData, Utf8 } from 'apache-arrow';
import { validityOf, withoutUndefined } from './boolean-column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { Offsets } from './offsets.ts';
import { isValid, Validity } from './validity.ts';

/**
 * Text and bytes. A cell of DuckDB's is 16 bytes: its length in 4, then up to 12 bytes of it, or the first 4 and a pointer to
 * all of it.
 */
export const cellBytes = 16;
const inlineBytesMax = 12;

/** The bytes of a cell that is not null, valid as long as the vector is. */
export function cellContent(cells: Uint8Array, row: number): Uint8Array {
  const at = row * cellBytes;
  const length = new DataView(cells.buffer, cells.byteOffset + at, 4).getUint32(0, true);
  if (length <= inlineBytesMax) return cells.subarray(at + 4, at + 4 + length);
  return duckdb.get_data_from_pointer(cells.buffer as ArrayBuffer, cells.byteOffset + at + 8, length);
}

export class VariableWidthColumn implements ColumnBuilder {
  readonly #type: DataType;
  readonly #validity = new Validity();
  readonly #offsets = new Offsets();
  readonly #bytes = new GrowableBytes(16 * 1024);

  constructor(type: DataType) {
    this.#type = type;
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    const cells = duckdb.vector_get_data(vector, (from + count) * cellBytes);
    const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
    const bits = validityOf(vector, from + count);
    for (let row = from; row < from + count; row++) {
      // The pointer of a null points nowhere.
      if (isValid(bits, row)) this.#appendCell(cells, view, row * cellBytes);
      this.#offsets.append(this.#bytes.length);
    }
    this.#validity.append(bits, from, count);
  }

  #appendCell(cells: Uint8Array, view: DataView, at: number): void {
    const length = view.getUint32(at, true);
    if (length > inlineBytesMax) {
      this.#bytes.append(duckdb.get_data_from_pointer(cells.buffer as ArrayBuffer, cells.byteOffset + at + 8, length));
      return;
    }
    const start = this.#bytes.extend(length);
    const target = this.#bytes.bytes;
    for (let index = 0; index < length; index++) target[start + index] = cells[at + 4 + index] ?? 0;
  }

  take(): Data {
    const [valueOffsets, data] = [this.#offsets.take(), this.#bytes.take()];
    return makeData({ type: this.#type, valueOffsets, data, ...withoutUndefined(this.#validity.take()) } as never);
  }
}

const enumBytes: Partial<Record<DuckDBTypeId, number>> = {
  [DuckDBTypeId.UTINYINT]: 1,
  [DuckDBTypeId.USMALLINT]: 2,
  [DuckDBTypeId.UINTEGER]: 4,
};

/** An enumeration as text: DuckDB keeps the number of each value. */
export class EnumColumn implements ColumnBuilder {
  readonly #values: readonly Uint8Array[];
  readonly #indexBytes: number;
  readonly #validity = new Validity();
  readonly #offsets = new Offsets();
  readonly #bytes = new GrowableBytes(16 * 1024);

  constructor(type: DuckDBEnumType) {
    this.#values = type.values.map((value) => new TextEncoder().encode(value));
    this.#indexBytes = enumBytes[type.internalTypeId] ?? 4;
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    const cells = duckdb.vector_get_data(vector, (from + count) * this.#indexBytes);
    const bits = validityOf(vector, from + count);
    for (let row = from; row < from + count; row++) {
      const value = isValid(bits, row) ? this.#values[indexAt(cells, row, this.#indexBytes)] : undefined;
      if (value !== undefined) this.#bytes.append(value);
      this.#offsets.append(this.#bytes.length);
    }
    this.#validity.append(bits, from, count);
  }

  take(): Data {
    const [valueOffsets, data] = [this.#offsets.take(), this.#bytes.take()];
    return makeData({ type: new Utf8(), valueOffsets, data, ...withoutUndefined(this.#validity.take()) });
  }
}

function indexAt(cells: Uint8Array, row: number, bytes: number): number {
  let index = 0;
  for (let byte = bytes - 1; byte >= 0; byte--) index = index * 256 + (cells[row * bytes + byte] ?? 0);
  return index;
}
