import duckdb from '@duckdb/node-bindings';
import { type Data, type DataType, makeData } from 'apache-arrow';
import { validityOf, withoutUndefined } from './boolean-column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { isValid, Validity } from './validity.ts';
import type { CellCopy } from './vector-layout.ts';

/** Numbers, dates, instants, decimals and uuids: mostly one copy of memory a vector. */
export class FixedWidthColumn implements ColumnBuilder {
  readonly #type: DataType;
  readonly #copy: CellCopy;
  readonly #validity = new Validity();
  readonly #cells: GrowableBytes;

  constructor(type: DataType, copy: CellCopy) {
    this.#type = type;
    this.#copy = copy;
    this.#cells = new GrowableBytes(2048 * copy.targetBytes);
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    const { sourceBytes, targetBytes, convert } = this.#copy;
    const source = duckdb.vector_get_data(vector, (from + count) * sourceBytes).subarray(from * sourceBytes);
    const start = this.#cells.extend(count * targetBytes);
    const target = this.#cells.bytes.subarray(start, start + count * targetBytes);
    if (convert === undefined) target.set(source);
    else convert(viewOf(source), viewOf(target), count);
    const bits = validityOf(vector, from + count);
    if (bits !== null) clearNulls(bits, from, count, target, targetBytes);
    this.#validity.append(bits, from, count);
  }

  take(): Data {
    const bytes = this.#cells.take();
    const cells = new this.#type.ArrayType(bytes.buffer, 0, bytes.byteLength / this.#type.ArrayType.BYTES_PER_ELEMENT);
    return makeData({ type: this.#type, data: cells, ...withoutUndefined(this.#validity.take()) } as never);
  }
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Behind a null lies whatever the engine had there before: nobody else is to see it. */
function clearNulls(bits: Uint8Array, from: number, count: number, cells: Uint8Array, cellBytes: number): void {
  for (let index = 0; index < count; index++) {
    if (!isValid(bits, from + index)) cells.fill(0, index * cellBytes, (index + 1) * cellBytes);
  }
}
