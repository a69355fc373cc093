import { type GroupSequence, stepOf } from './group-sequence.ts';
import type { OrderGroups } from './order-groups.ts';
import { permutation } from './permutation.ts';
import type { OrderSpan } from './rank-batches.ts';
import { type RowAddresses, rowAddresses } from './row-addresses.ts';

/** Reads a permutation of all rows, each position by itself. */
export class FullReader {
  readonly #groups: OrderGroups;
  readonly #sequence: GroupSequence;
  readonly #rowAt: (position: number) => number;

  /** `sequence` is that of the groups as they stand, `words` are the epoch's for all rows. */
  constructor(groups: OrderGroups, sequence: GroupSequence, words: Uint32Array) {
    this.#groups = groups;
    this.#sequence = sequence;
    this.#rowAt = permutation(groups.rows, words);
  }

  read({ from, to, rows }: OrderSpan): RowAddresses {
    const { places } = this.#groups;
    const target = rowAddresses(rows);
    for (let position = from; position < to; position++) {
      const row = this.#rowAt(position);
      const key = stepOf(this.#sequence, row);
      target.groups[position - from] = places === null ? key : (places[key] ?? 0);
      target.indices[position - from] = row - (this.#sequence.starts[key] ?? 0);
    }
    return target;
  }
}
