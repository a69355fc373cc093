import type { Data } from 'apache-arrow';
import { arrowSchema } from '../arrow/arrow-type.ts';
import { BatchEncoder } from '../arrow/batch-encoder.ts';
import type { RowPick } from '../arrow/row-pick.ts';
import { IcecoreError } from '../errors.ts';
import type { FeedBlocks } from './feed-blocks.ts';
import type { BatchAnswer, BatchRequest, FeedDescription, GroupFile } from './feed-worker-messages.ts';
import { blockRowsMax } from './order/block-shuffle.ts';
import { type EpochOrder, epochOrder } from './order/epoch-order.ts';
import type { OrderSpan } from './order/rank-batches.ts';

/** A feed in a worker: makes any batch of it, from its block files. Holds 16 bytes a group and no block. */
export class FeedJob {
  readonly #order: EpochOrder;
  readonly #encoder: BatchEncoder;
  readonly #blocks: FeedBlocks;
  /** Of what decides about the rows of a shuffled block, besides its key. */
  readonly #epoch: string;

  constructor({ matchingRows, order, columns, compression }: FeedDescription, blocks: FeedBlocks) {
    this.#order = epochOrder(matchingRows, order);
    this.#encoder = new BatchEncoder(arrowSchema(columns), compression);
    this.#blocks = blocks;
    this.#epoch = `${order.shuffle} ${order.seed} ${order.epoch}`;
  }

  batch({ span, metadata, files }: BatchRequest): BatchAnswer {
    const started = performance.now();
    const batch = new BatchBlocks(files, this.#blocks);
    const picks = this.#picks(span, batch);
    if (batch.lost.size > 0) return { lost: [...batch.lost] };
    const read = performance.now();
    const message = this.#encoder.encode(batch.columns, picks, span.rows, metadata);
    batch.dropFinished();
    return { message, seconds: { reading: (read - started) / 1000, gathering: (performance.now() - read) / 1000 } };
  }

  #picks(span: OrderSpan, batch: BatchBlocks): readonly RowPick[] {
    const { segments } = this.#order;
    if (segments === null) return this.#scatteredPicks(span, batch);
    return segments.of(span).map((segment): RowPick => {
      const { place, block, key, blockRows, from, count, at, stride } = segment;
      const rows = this.#blocks.rows(`${this.#epoch} ${key} ${blockRows}`, () => segments.rows(segment));
      if (from + count === blockRows) batch.finish(place, block);
      return { block: batch.of(place, block), rows, from, count, at, stride };
    });
  }

  /** Row by row, for FULL. */
  #scatteredPicks(span: OrderSpan, batch: BatchBlocks): readonly RowPick[] {
    const { groups, indices } = this.#order.reader().read(span);
    return Array.from(groups, (place, at): RowPick => {
      const index = indices[at] ?? 0;
      const block = Math.floor(index / blockRowsMax);
      return { block: batch.of(place, block), rows: null, from: index - block * blockRowsMax, count: 1, at, stride: 1 };
    });
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
  readonly #finished: (readonly [place: number, block: number])[] = [];

  constructor(files: readonly GroupFile[], blocks: FeedBlocks) {
    this.#files = new Map(files.map((file) => [file.place, file]));
    this.#blocks = blocks;
  }

  /** The batch has the last rows of a block. */
  finish(place: number, block: number): void {
    this.#finished.push([place, block]);
  }

  /** Lets go of blocks that no later batch has rows of. */
  dropFinished(): void {
    for (const [place, block] of this.#finished) {
      const file = this.#files.get(place);
      if (file !== undefined) this.#blocks.drop(file, block);
    }
  }

  /** The index of a group's block among `columns`. */
  of(place: number, block: number): number {
    // A group has fewer than 2^15 blocks: its rows are fewer than 2^31.
    const name = place * 2 ** 15 + block;
    const known = this.#indices.get(name);
    if (known !== undefined) return known;
    const index = this.columns.length;
    this.#indices.set(name, index);
    const file = this.#files.get(place);
    if (file === undefined) throw new IcecoreError('INTERNAL', `A batch has rows of group ${place}, whose file is not given.`);
    const columns = this.#blocks.block(file, block);
    if (columns === null) this.lost.add(place);
    this.columns.push(columns ?? []);
    return index;
  }
}
