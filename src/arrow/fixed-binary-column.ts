import duckdb from '@duckdb/node-bindings';
import { type Data, type FixedSizeBinary, makeData } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { validityOf, withoutUndefined } from './boolean-column.ts';
import type { ColumnBuilder } from './column-builder.ts';
import { GrowableBytes } from './growable-bytes.ts';
import { isValid, Validity } from './validity.ts';
import { cellBytes, cellContent } from './variable-width-column.ts';

/** Bytes of one length, which DuckDB keeps as any others. */
export class FixedBinaryColumn implements ColumnBuilder {
  readonly #type: FixedSizeBinary;
  readonly #validity = new Validity();
  readonly #bytes = new GrowableBytes(16 * 1024);

  constructor(type: FixedSizeBinary) {
    this.#type = type;
  }

  append(vector: duckdb.Vector, from: number, count: number): void {
    const cells = duckdb.vector_get_data(vector, (from + count) * cellBytes);
    const bits = validityOf(vector, from + count);
    const width = this.#type.byteWidth;
    for (let row = from; row < from + count; row++) {
      const start = this.#bytes.extend(width);
      if (!isValid(bits, row)) continue;
      const content = cellContent(cells, row);
      if (content.length !== width) {
        throw new IcecoreError('INTERNAL', `A cell of a fixed[${width}] column holds ${content.length} bytes.`);
      }
      this.#bytes.bytes.set(content, start);
    }
    this.#validity.append(bits, from, count);
  }

  take(): Data {
    return makeData({ type: this.#type, data: this.#bytes.take(), ...withoutUndefined(this.#validity.take()) });
  }
}
