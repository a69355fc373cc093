import type { Data } from 'apache-arrow';
import { arrowSchema } from '../arrow/arrow-type.ts';
import { BatchEncoder } from '../arrow/batch-encoder.ts';
import type { RowPick } from '../arrow/row-pick.ts';
import { IcecoreError } from '../errors.ts';
import type { BlockOrder, FeedBlocks } from './feed-blocks.ts';
import type { BatchAnswer, BatchRequest, FeedDescription, GroupFile } from './feed-worker-messages.ts';
import { type EpochOrder, epochOrder, type OrderSegments } from './order/epoch-order.ts';
import type { OrderSegment } from './order/lane-segments.ts';
import type { OrderSpan } from './order/rank-batches.ts';

const asTheyStand: BlockOrder = { name: '', rows: () => null };

/** A feed in a worker: makes any batch of it, from its block files. Holds 16 bytes a group and no block. */
export class FeedJob {
  readonly #order: EpochOrder;
  readonly #encoder: BatchEncoder;
  readonly #blocks: FeedBlocks;
  /** What decides about the rows of a block besides its key; empty where they stay as they stand. */
  readonly #epoch: string;

  constructor({ matchingRows, order, columns, compression }: FeedDescription, blocks: FeedBlocks) {
    this.#order = epochOrder(matchingRows, order);
    this.#encoder = new BatchEncoder(arrowSchema(columns), compression, blocks.memory, blocks.scratch);
    this.#blocks = blocks;
    this.#epoch = order.shuffle === 'WINDOWED' ? `${order.seed} ${order.epoch}` : '';
  }

  batch({ span, metadata, files }: BatchRequest): BatchAnswer {
    const started = performance.now();
    const { segments } = this.#order;
    if (segments === null) throw new IcecoreError('INTERNAL', 'A batch of FULL is read from its shuffle, in the order NONE.');
    const batch = new BatchBlocks(files, this.#blocks);
    const picks = this.#picks(segments, span, batch);
    if (batch.lost.size > 0) return { lost: [...batch.lost] };
    const read = performance.now();
    const message = this.#encoder.encode(batch.columns, picks, span.rows, metadata);
    batch.leave();
    return { message, seconds: { reading: (read - started) / 1000, gathering: (performance.now() - read) / 1000 } };
  }

  /** Memory of a message that has been sent, for one to come. */
  recycle(memory: ArrayBuffer): void {
    this.#encoder.recycle(memory);
  }

  #picks(segments: OrderSegments, span: OrderSpan, batch: BatchBlocks): readonly RowPick[] {
    return segments.of(span).map((segment): RowPick => {
      const { place, block, blockRows, from, count, at, stride } = segment;
      const order = this.#orderOf(segments, segment);
      if (from + count === blockRows) batch.finish(place, block, order);
      return { block: batch.of(place, block, order), rows: null, from, count, at, stride };
    });
  }

  #orderOf(segments: OrderSegments, segment: OrderSegment): BlockOrder {
    if (this.#epoch === '') return asTheyStand;
    return { name: `${this.#epoch} ${segment.key} ${segment.blockRows}`, rows: () => segments.rows(segment) };
  }
}

/** The blocks that one batch has rows of, each once. */
class BatchBlocks {
  readonly columns: (readonly Data[])[] = [];
  /** Places of groups whose file is not there. */
  readonly lost = new Set<number>();
  readonly #files: ReadonlyMap<number, GroupFile>;
  readonly #blocks: FeedBlocks;
  readonly #indices = new Map<number, number>();
  readonly #finished: (readonly [place: number, block: number, order: BlockOrder])[] = [];

  constructor(files: readonly GroupFile[], blocks: FeedBlocks) {
    this.#files = new Map(files.map((file) => [file.place, file]));
    this.#blocks = blocks;
  }

  finish(place: number, block: number, order: BlockOrder): void {
    this.#finished.push([place, block, order]);
  }

  /** The batch is made. */
  leave(): void {
    for (const [place, block, order] of this.#finished) {
      const file = this.#files.get(place);
      if (file !== undefined) this.#blocks.drop(file, block, order);
    }
    this.#blocks.settle();
  }

  /** The index of a group's block among `columns`. */
  of(place: number, block: number, order: BlockOrder): number {
    // A group has fewer than 2^15 blocks: its rows are fewer than 2^31.
    const name = place * 2 ** 15 + block;
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.columns.length;
    this.#indices.set(name, index);
    const file = this.#files.get(place);
    if (file === undefined) throw new IcecoreError('INTERNAL', `A batch has rows of group ${place}, whose file is not given.`);
    const columns = this.#blocks.block(file, block, order);
    if (columns === null) this.lost.add(place);
    this.columns.push(columns ?? []);
    return index;
  }
}
