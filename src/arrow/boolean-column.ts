import duckdb from '@duckdb/node-bindings';
import { Bool, type Data, makeData } from 'apache-arrow';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { isValid, Validity } from './validity.ts';

/** DuckDB has a byte a boolean, Arrow a bit. */
export class BooleanColumn implements ColumnBuilder {
  readonly #validity = new Validity();
  readonly #bits = new GrowableBytes(1024);

  append(vector: duckdb.Vector, from: number, count: number): void {
    const values = duckdb.vector_get_data(vector, from + count);
    const bits = validityOf(vector, from + count);
    const start = this.#validity.length;
    this.#bits.extend(((start + count + 7) >> 3) - this.#bits.length);
    const target = this.#bits.bytes;
    for (let index = 0; index < count; index++) {
      if (values[from + index] !== 1 || !isValid(bits, from + index)) continue;
      const at = start + index;
      target[at >> 3] = (target[at >> 3] ?? 0) | (1 << (at & 7));
    }
    this.#validity.append(bits, from, count);
  }

  take(): Data {
    return makeData({ type: new Bool(), data: this.#bits.take(), ...withoutUndefined(this.#validity.take()) });
  }
}

/** The validity bits of a vector's first `count` cells; null where none of them is null. */
export function validityOf(vector: duckdb.Vector, count: number): Uint8Array | null {
  // In words of 64 bits.
  return duckdb.vector_get_validity(vector, ((count + 63) >> 6) * 8) ?? null;
}

export function withoutUndefined({ nullBitmap, ...rest }: ReturnType<Validity['take']>): {
  readonly length: number;
  readonly nullCount: number;
  readonly nullBitmap?: Uint8Array;
} {
  return nullBitmap === undefined ? rest : { ...rest, nullBitmap };
}
