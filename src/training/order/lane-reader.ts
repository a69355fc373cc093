import { blockRowsMax, shuffledBlock } from './block-shuffle.ts';
import { type GroupSequence, stepOf } from './group-sequence.ts';
import type { OrderGroups } from './order-groups.ts';
import type { RowAddresses } from './row-addresses.ts';

/** A block as a lane reads it: rows [start, end) of the sequence of groups. */
interface OpenBlock {
  readonly start: number;
  readonly end: number;
  /** The place of its group. */
  readonly place: number;
  /** Matching rows of its group that lie before it. */
  readonly base: number;
  /** Indices in the block, in their order; null where rows are read as they stand. */
  readonly rows: Uint16Array | null;
}

const noBlock: OpenBlock = { start: 0, end: 0, place: 0, base: 0, rows: null };

/** Reads a run of the sequence of groups from front to back, one block in hand. */
export class LaneReader {
  readonly #groups: OrderGroups;
  readonly #sequence: GroupSequence;
  readonly #words: Uint32Array | null;
  #block = noBlock;

  /** `words` are the epoch's for rows; null where rows within a block stay as they stand. */
  constructor(groups: OrderGroups, sequence: GroupSequence, words: Uint32Array | null) {
    this.#groups = groups;
    this.#sequence = sequence;
    this.#words = words;
  }

  /** Puts `count` rows of the sequence, from row `from` on, into every `stride`-th place of the target from `at` on. */
  read(from: number, count: number, target: RowAddresses, at: number, stride: number): void {
    let place = at;
    for (let row = from; row < from + count; ) {
      const block = this.#blockAt(row);
      const end = Math.min(block.end, from + count);
      for (; row < end; row++, place += stride) {
        const index = row - block.start;
        target.groups[place] = block.place;
        target.indices[place] = block.base + (block.rows === null ? index : (block.rows[index] ?? 0));
      }
    }
  }

  #blockAt(row: number): OpenBlock {
    if (row >= this.#block.start && row < this.#block.end) return this.#block;
    const { rowCounts, firstBlocks, places } = this.#groups;
    const step = stepOf(this.#sequence, row);
    const key = this.#sequence.keyAt(step);
    const groupStart = this.#sequence.starts[step] ?? 0;
    const ordinal = Math.floor((row - groupStart) / blockRowsMax);
    const base = ordinal * blockRowsMax;
    const rowCount = Math.min((rowCounts[key] ?? 0) - base, blockRowsMax);
    const start = groupStart + base;
    const place = places === null ? key : (places[key] ?? 0);
    const rows = this.#words === null ? null : shuffledBlock(this.#words, (firstBlocks[key] ?? 0) + ordinal, rowCount);
    this.#block = { start, end: start + rowCount, place, base, rows };
    return this.#block;
  }
}
