import type { RecordBatch } from 'apache-arrow';

/** Which rows of the soak's table have come: a bit each. A row that comes twice, or with other values than its own, is refused. */
export class SeenRows {
  readonly #rows: number;
  readonly #bits: Uint8Array;
  #count = 0;
  #sum = 0n;

  constructor(rows: number) {
    this.#rows = rows;
    this.#bits = new Uint8Array(Math.ceil(rows / 8));
  }

  get count(): number {
    return this.#count;
  }

  add(batch: RecordBatch): void {
    const ids = words(valuesOf(batch, 'id'));
    const labels = valuesOf(batch, 'label');
    const values = valuesOf(batch, 'value');
    const weights = valuesOf(batch, 'weight');
    let sum = 0;
    for (let row = 0; row < batch.numRows; row++) {
      const id = ids[2 * row] ?? -1;
      const bit = 1 << (id & 7);
      const isItself =
        ids[2 * row + 1] === 0 &&
        id < this.#rows &&
        Number(labels[row]) === id % 10 &&
        Number(values[row]) === id / 4 &&
        Number(weights[row]) === id % 1000;
      const byte = this.#bits[id >>> 3] ?? 0;
      if (!isItself) throw new Error(`row ${id} came with ${labels[row]}, ${values[row]} and ${weights[row]}`);
      if ((byte & bit) !== 0) throw new Error(`row ${id} came twice`);
      this.#bits[id >>> 3] = byte | bit;
      sum += id;
    }
    this.#count += batch.numRows;
    this.#sum += BigInt(sum);
  }

  /** Throws unless each has come. */
  requireAll(): void {
    const rows = BigInt(this.#rows);
    const sum = (rows * (rows - 1n)) / 2n;
    if (this.#count === this.#rows && this.#sum === sum) return;
    throw new Error(`${this.#count} of ${this.#rows} rows came, of ids that sum to ${this.#sum}, not ${sum}`);
  }
}

type Values = ArrayLike<number | bigint>;

function valuesOf(batch: RecordBatch, name: string): Values {
  const data = batch.getChild(name)?.data[0];
  if (data === undefined) throw new Error(`the batch has no column ${name}`);
  return data.values as Values;
}

/** The halves of 64-bit integers, the lower one first: numbers of bigint would take a soak of their own. */
function words(values: Values): Uint32Array {
  if (!(values instanceof BigInt64Array)) throw new Error('the ids are no 64-bit integers');
  return new Uint32Array(values.buffer, values.byteOffset, values.length * 2);
}
