import duckdb from '@duckdb/node-bindings';
import { type Data, type DataType, makeData, Null } from 'apache-arrow';
import { validityOf, withoutUndefined } from './boolean-column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { Offsets } from './offsets.ts';
import { isValid, Validity } from './validity.ts';

/** Each field is a vector of its own, as long as the struct's. */
export class StructColumn implements ColumnBuilder {
  readonly #type: DataType;
  readonly #children: readonly ColumnBuilder[];
  readonly #validity = new Validity();

  constructor(type: DataType, children: readonly ColumnBuilder[]) {
    this.#type = type;
    this.#children = children;
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    for (const [index, child] of this.#children.entries()) {
      child.append(duckdb.struct_vector_get_child(vector, index), from, count);
    }
    this.#validity.append(validityOf(vector, from + count), from, count);
  }

  take(): Data {
    const children = this.#children.map((child) => child.take());
    return makeData({ type: this.#type, children, ...withoutUndefined(this.#validity.take()) } as never);
  }
}

/** Lists, maps (lists of entries) and arrays of a fixed length: a list's cell is where it begins in the child, and how long it is. */
export class ListColumn implements ColumnBuilder {
  readonly #type: DataType;
  readonly #child: ColumnBuilder;
  readonly #arrayLength: number | undefined;
  readonly #validity = new Validity();
  readonly #offsets = new Offsets();
  #end = 0;

  constructor(type: DataType, child: ColumnBuilder, arrayLength?: number) {
    this.#type = type;
    this.#child = child;
    this.#arrayLength = arrayLength;
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    const bits = validityOf(vector, from + count);
    const length = this.#arrayLength;
    const child = length === undefined ? duckdb.list_vector_get_child(vector) : duckdb.array_vector_get_child(vector);
    const entries = length === undefined ? duckdb.vector_get_data(vector, (from + count) * 16) : null;
    const view = entries === null ? null : new DataView(entries.buffer, entries.byteOffset, entries.byteLength);
    // Lists mostly lie one behind the other: runs of them are copied at once.
    let [runStart, runLength] = [0, 0];
    for (let row = from; row < from + count; row++) {
      if (isValid(bits, row)) {
        const start = view === null ? row * (length ?? 0) : Number(view.getBigUint64(row * 16, true));
        const cells = view === null ? (length ?? 0) : Number(view.getBigUint64(row * 16 + 8, true));
        if (runStart + runLength !== start) {
          if (runLength > 0) this.#child.append(child, runStart, runLength);
          [runStart, runLength] = [start, 0];
        }
        runLength += cells;
        this.#end += cells;
      }
      this.#offsets.append(this.#end);
    }
    if (runLength > 0) this.#child.append(child, runStart, runLength);
    this.#validity.append(bits, from, count);
  }

  take(): Data {
    const [valueOffsets, child] = [this.#offsets.take(), this.#child.take()];
    this.#end = 0;
    return makeData({ type: this.#type, valueOffsets, child, ...withoutUndefined(this.#validity.take()) } as never);
  }
}

/** A column of nulls alone has no buffers. */
export class NullColumn implements ColumnBuilder {
  #length = 0;

  append(_vector: duckdb.Vector, _from: number, count: number): void {
    this.#length += count;
  }

  take(): Data {
    const length = this.#length;
    this.#length = 0;
    return makeData({ type: new Null(), length });
  }
}
