import type { Data } from 'apache-arrow';
import { arrowSchema } from '../../arrow/arrow-type.ts';
import { BatchEncoder } from '../../arrow/batch-encoder.ts';
import type { RowPick } from '../../arrow/row-pick.ts';
import { IcecoreError } from '../../errors.ts';
import type { NestedField } from '../../iceberg/type.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import { type EpochOrder, epochOrder, type OrderSegments } from '../order/epoch-order.ts';
import type { OrderSegment } from '../order/lane-segments.ts';
import type { OrderSpan } from '../order/rank-batches.ts';
import { allColumns, type ColumnRange } from './column-ranges.ts';
import type { BlockOrder, BlockPiece, FeedBlocks } from './feed-blocks.ts';
import type { FeedCompression } from './feed-input.ts';
import type {
  BatchesAnswer,
  BatchesRequest,
  ColumnsAnswer,
  ColumnsRequest,
  FeedDescription,
  GroupFile,
} from './feed-worker-messages.ts';

/** A feed in a worker: makes any batch of it, or some columns of one, from its block files. Holds 16 bytes a group and no block. */
export class FeedJob {
  readonly #order: EpochOrder;
  readonly #matchingRows: Uint32Array;
  readonly #columns: readonly NestedField[];
  readonly #compression: FeedCompression;
  /** By their columns. */
  readonly #encoders = new Map<string, BatchEncoder>();
  readonly #blocks: FeedBlocks;
  /** What decides about the rows of a block besides its key; empty where they stay as they stand. */
  readonly #epoch: string;

  constructor({ matchingRows, order, columns, compression }: FeedDescription, blocks: FeedBlocks) {
    this.#matchingRows = matchingRows;
    this.#order = epochOrder(matchingRows, order);
    this.#columns = columns;
    this.#compression = compression;
    this.#blocks = blocks;
    this.#epoch = order.shuffle === 'WINDOWED' ? `${order.seed} ${order.epoch}` : '';
  }

  batches({ parts, files }: BatchesRequest): BatchesAnswer {
    const messages: Uint8Array[] = [];
    const lost = new Set<number>();
    let [reading, gathering] = [0, 0];
    const range = allColumns(this.#columns);
    const encoder = this.#encoder(range);
    for (const { span, metadata } of parts) {
      const started = performance.now();
      const batch = new BatchBlocks(files, range, this.#blocks);
      try {
        const picks = this.#picks(span, batch);
        for (const place of batch.lost) lost.add(place);
        if (lost.size > 0) continue;
        const read = performance.now();
        messages.push(encoder.encode(batch.columns, picks, span.rows, metadata));
        batch.leave();
        reading += read - started;
        gathering += performance.now() - read;
      } finally {
        // Also where it was not made.
        this.#blocks.settle();
      }
    }
    if (lost.size > 0) return { lost: [...lost] };
    return { ...this.#joined(messages), seconds: { reading: reading / 1000, gathering: gathering / 1000 } };
  }

  columns({ part: { span }, files, range, headBytes }: ColumnsRequest): ColumnsAnswer {
    const started = performance.now();
    const batch = new BatchBlocks(files, range, this.#blocks);
    try {
      const picks = this.#picks(span, batch);
      if (batch.lost.size > 0) return { lost: [...batch.lost] };
      const read = performance.now();
      const body = this.#encoder(range).encodeBody(batch.columns, picks, span.rows, headBytes);
      batch.leave();
      return { body, seconds: { reading: (read - started) / 1000, gathering: (performance.now() - read) / 1000 } };
    } finally {
      this.#blocks.settle();
    }
  }

  #encoder({ from, to }: ColumnRange): BatchEncoder {
    const { memory, scratch } = this.#blocks;
    const name = `${from} ${to}`;
    const known = this.#encoders.get(name);
    if (known !== undefined) return known;
    const encoder = new BatchEncoder(arrowSchema(this.#columns.slice(from, to)), this.#compression, memory, scratch);
    this.#encoders.set(name, encoder);
    return encoder;
  }

  /** Messages one behind the other, each at a multiple of eight as it was by itself. */
  #joined(messages: readonly Uint8Array[]): { readonly messages: Uint8Array; readonly ends: readonly number[] } {
    let end = 0;
    const ends = messages.map(({ byteLength }) => {
      end += byteLength;
      return end;
    });
    const [first] = messages;
    if (first !== undefined && messages.length === 1) return { messages: first, ends };
    const joined = this.#blocks.memory.take(end);
    for (const [index, message] of messages.entries()) {
      joined.set(message, ends[index - 1] ?? 0);
      this.#blocks.memory.give(message.buffer);
    }
    return { messages: joined, ends };
  }

  #picks(span: OrderSpan, batch: BatchBlocks): readonly RowPick[] {
    const { segments } = this.#order;
    if (segments === null) throw new IcecoreError('INTERNAL', 'A batch of FULL is read from its shuffle, in the order NONE.');
    const lanes = Math.min(span.endLane, this.#order.lanes) - span.firstLane;
    return segments.of(span).flatMap((segment) => {
      const { place, block, blockRows, at, stride } = segment;
      const file = batch.fileOf(place);
      const order = this.#blockOrder(segments, segment);
      const { range } = batch;
      const pieceRows = order === null ? blockRows : this.#blocks.pieceRows({ file, block, range }, lanes);
      const picks: RowPick[] = [];
      const end = segment.from + segment.count;
      for (let row = segment.from; row < end; ) {
        const from = row - (row % pieceRows);
        const to = Math.min(from + pieceRows, blockRows);
        const count = Math.min(to, end) - row;
        const isFinished = row + count === to;
        const index = batch.indexOf({ file, block, range, order, from, to }, isFinished);
        picks.push({ block: index, rows: null, from: row - from, count, at: at + (row - segment.from) * stride, stride });
        row += count;
        if (isFinished && to === blockRows && this.#isLastBlock(place, block)) batch.finish(file);
      }
      return picks;
    });
  }

  #isLastBlock(place: number, block: number): boolean {
    return (block + 1) * blockRowsMax >= (this.#matchingRows[place] ?? 0);
  }

  #blockOrder(segments: OrderSegments, segment: OrderSegment): BlockOrder | null {
    if (this.#epoch === '') return null;
    const { key, blockRows } = segment;
    return { name: `${this.#epoch} ${key} ${blockRows}`, rows: () => segments.rows(segment) ?? new Uint16Array() };
  }
}

/** The pieces of blocks that one batch has rows of, each once. */
class BatchBlocks {
  readonly columns: (readonly Data[])[] = [];
  /** Places of groups whose file is not there. */
  readonly lost = new Set<number>();
  readonly range: ColumnRange;
  readonly #files: ReadonlyMap<number, GroupFile>;
  readonly #blocks: FeedBlocks;
  readonly #finished: BlockPiece[] = [];
  readonly #finishedFiles: GroupFile[] = [];

  constructor(files: readonly GroupFile[], range: ColumnRange, blocks: FeedBlocks) {
    this.range = range;
    this.#files = new Map(files.map((file) => [file.place, file]));
    this.#blocks = blocks;
  }

  fileOf(place: number): GroupFile {
    const file = this.#files.get(place);
    if (file === undefined) throw new IcecoreError('INTERNAL', `A batch has rows of group ${place}, whose file is not given.`);
    return file;
  }

  /** The index of a piece among `columns`; no later batch has rows of one that is finished. */
  indexOf(piece: BlockPiece, isFinished: boolean): number {
    const columns = this.#blocks.columns(piece);
    if (columns === null) this.lost.add(piece.file.place);
    if (isFinished) this.#finished.push(piece);
    return this.columns.push(columns ?? []) - 1;
  }

  /** No later batch has rows of this file. */
  finish(file: GroupFile): void {
    this.#finishedFiles.push(file);
  }

  /** The batch is made. */
  leave(): void {
    for (const piece of this.#finished) this.#blocks.drop(piece);
    for (const { path } of this.#finishedFiles) this.#blocks.closeFile(path);
  }
}
