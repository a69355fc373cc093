import { setImmediate } from 'node:timers/promises';
import { type Data, Int32, makeData, type Schema } from 'apache-arrow';
import type { BlockFile } from '../../arrow/block-file.ts';
import { BlockFileWriter } from '../../arrow/block-file-writer.ts';
import type { CheckedParts } from '../../arrow/checked-parts.ts';
import { gatheredColumn } from '../../arrow/gathered-column.ts';
import { MessageMemory } from '../../arrow/message-memory.ts';
import type { RowPick } from '../../arrow/row-pick.ts';
import { fullShuffleRoundBytes } from '../../limits.ts';
import { inversePermutation } from '../order/permutation.ts';
import { dealtKey, dealtSchema, type FullShufflePlan } from './full-shuffle-plan.ts';

export interface DealerOptions {
  readonly plan: FullShufflePlan;
  readonly schema: Schema;
  /** Which of how many dealers this is: each has groups of its own. */
  readonly dealer: number;
  readonly dealers: number;
  /** The buckets that are wanted; rows of others are left out. */
  readonly buckets: readonly number[];
  /** Where the file of a key lies. */
  readonly pathOf: (key: string) => string;
  /** Of the decoded rows that are held until they are worth a round over all buckets. */
  readonly roundBytes?: number;
  readonly checked?: CheckedParts;
}

export interface DealtFile {
  readonly path: string;
  readonly bytes: number;
}

/** What is written before others of the thread have their turn. */
const bytesPerTurn = 8 * 1024 * 1024;

/** A block that is held until there are enough for a round. */
interface HeldBlock {
  /** Its rows by their buckets. */
  readonly columns: readonly Data[];
  /** Where the rows of each wanted bucket begin, and where the last end. */
  readonly starts: Uint32Array;
}

/**
 * Deals rows to buckets by their positions, the first pass of a full shuffle. Groups come in any order. Blocks are held until they are
 * worth a round over all buckets: memory is bounded whatever the table. All but `abandon` throw OVERLOADED where the disk is full; then
 * it has to be abandoned.
 */
export class FullShuffleDealer {
  readonly #options: DealerOptions;
  readonly #positionOf: (row: number) => number;
  /** Of each bucket, which of the wanted ones it is, or -1. */
  readonly #turns: Int32Array;
  readonly #writers: BlockFileWriter[] = [];
  readonly #roundBytes: number;
  /** What the blocks of a round lie on is used for those of the next. */
  readonly #memory: MessageMemory;
  #taken: ArrayBuffer[] = [];
  #blockMemory = new ArrayBuffer(0);
  #held: HeldBlock[] = [];
  #heldBytes = 0;

  constructor(options: DealerOptions) {
    const { plan, buckets } = options;
    this.#options = options;
    this.#roundBytes = options.roundBytes ?? fullShuffleRoundBytes;
    this.#memory = new MessageMemory(this.#roundBytes);
    this.#positionOf = inversePermutation(plan.rows, plan.words);
    this.#turns = new Int32Array(plan.buckets).fill(-1);
    for (const [turn, bucket] of buckets.entries()) this.#turns[bucket] = turn;
  }

  /**
   * Deals the blocks of a group from block `from` on; `firstRow` is the group's first row among all of the epoch. Gives how many blocks
   * are dealt: fewer than there are where the file is no longer what it was.
   */
  async add(file: BlockFile, firstRow: number, from = 0, signal?: AbortSignal): Promise<number> {
    let row = firstRow + file.rowCounts.slice(0, from).reduce((sum, rowCount) => sum + rowCount, 0);
    for (let block = from; block < file.rowCounts.length; block++) {
      signal?.throwIfAborted();
      const columns = file.read(block, undefined, (bytes) => this.#blockMemoryOf(bytes));
      if (columns === null) return block;
      const rowCount = file.rowCounts[block] ?? 0;
      this.#hold(columns, row, rowCount);
      row += rowCount;
      if (this.#heldBytes >= this.#roundBytes) await this.#deal(signal);
      // Others of this thread have their turn.
      await setImmediate();
    }
    return file.rowCounts.length;
  }

  /** The files of all wanted buckets, which are in their places then, also those without a row. */
  async finish(signal?: AbortSignal): Promise<readonly DealtFile[]> {
    await this.#deal(signal);
    this.#memory.clear();
    return this.#options.buckets.map((_, turn) => {
      const writer = this.#writer(turn);
      return { path: writer.path, bytes: writer.finish() };
    });
  }

  /** Leaves nothing of what is not finished. */
  abandon(): void {
    this.#held = [];
    for (const memory of this.#taken.splice(0)) this.#memory.give(memory);
    this.#memory.clear();
    for (const writer of this.#writers) writer?.abandon();
  }

  #hold(columns: readonly Data[], firstRow: number, rowCount: number): void {
    const { plan, buckets } = this.#options;
    const places = new Int32Array(rowCount);
    const turns = new Int32Array(rowCount);
    const starts = new Uint32Array(buckets.length + 1);
    for (let row = 0; row < rowCount; row++) {
      const position = this.#positionOf(firstRow + row);
      const bucket = Math.floor(position / plan.bucketRows);
      const turn = this.#turns[bucket] ?? -1;
      places[row] = position - bucket * plan.bucketRows;
      turns[row] = turn;
      if (turn >= 0) starts[turn + 1] = (starts[turn + 1] ?? 0) + 1;
    }
    for (let turn = 0; turn < buckets.length; turn++) starts[turn + 1] = (starts[turn + 1] ?? 0) + (starts[turn] ?? 0);
    const ends = starts.slice(0, -1);
    const rows = new Uint32Array(starts[buckets.length] ?? 0);
    for (let row = 0; row < rowCount; row++) {
      const turn = turns[row] ?? -1;
      if (turn < 0) continue;
      const place = ends[turn] ?? 0;
      rows[place] = row;
      ends[turn] = place + 1;
    }
    const place = makeData({ type: new Int32(), data: places, length: rowCount, nullCount: 0 });
    // Put in order once, while a column of the block is in the processor's cache; from then on rows of a bucket lie together.
    const all: RowPick = { block: 0, rows, from: 0, count: rows.length, at: 0, stride: 1 };
    const byBucket = [...columns, place].map((column) =>
      gatheredColumn(column.type, [column], [all], rows.length, (bytes) => this.#take(bytes)),
    );
    this.#held.push({ columns: byBucket, starts });
    this.#heldBytes += byBucket.reduce((sum, column) => sum + column.byteLength, 0);
  }

  async #deal(signal?: AbortSignal): Promise<void> {
    const sources = this.#held.map(({ columns }) => columns);
    let written = 0;
    for (const turn of this.#options.buckets.keys()) {
      let at = 0;
      const picks: RowPick[] = [];
      for (const [block, { starts }] of this.#held.entries()) {
        const from = starts[turn] ?? 0;
        const count = (starts[turn + 1] ?? 0) - from;
        if (count > 0) picks.push({ block, rows: null, from, count, at, stride: 1 });
        at += count;
      }
      if (at === 0) continue;
      const writer = this.#writer(turn);
      written -= writer.bytes;
      writer.writePicks(sources, picks, at);
      writer.rest();
      written += writer.bytes;
      if (written < bytesPerTurn) continue;
      written = 0;
      await setImmediate();
      signal?.throwIfAborted();
    }
    this.#held = [];
    this.#heldBytes = 0;
    for (const memory of this.#taken.splice(0)) this.#memory.give(memory);
  }

  #take(bytes: number): Uint8Array<ArrayBuffer> {
    const memory = this.#memory.take(bytes);
    this.#taken.push(memory.buffer);
    return memory;
  }

  /** Of the block that is being dealt: its rows are copied from it at once. */
  #blockMemoryOf(bytes: number): ArrayBuffer {
    if (this.#blockMemory.byteLength < bytes) this.#blockMemory = new ArrayBuffer(bytes);
    return this.#blockMemory;
  }

  #writer(turn: number): BlockFileWriter {
    const known = this.#writers[turn];
    if (known !== undefined) return known;
    const { plan, schema, buckets, dealer, dealers, pathOf, checked } = this.#options;
    const key = dealtKey(plan, buckets[turn] ?? 0, dealer, dealers);
    const writer = BlockFileWriter.create(pathOf(key), key, dealtSchema(schema), Number.MAX_SAFE_INTEGER, checked);
    this.#writers[turn] = writer;
    return writer;
  }
}
