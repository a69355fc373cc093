import type { BlockCache } from '../../arrow/block-cache.ts';
import { IcecoreError } from '../../errors.ts';
import type { NestedField } from '../../iceberg/type.ts';
import { feedAheadRows, feedBatchTriesMax, feedGroupsAheadBytes, feedGroupsAheadPerWorker } from '../../limits.ts';
import type { FullShuffles } from '../full-shuffle/full-shuffles.ts';
import type { FeedGroups } from '../groups/feed-groups.ts';
import { type EpochOrder, epochOrder } from '../order/epoch-order.ts';
import { type OrderSpan, type RankBatch, type RankBatches, rankBatches } from '../order/rank-batches.ts';
import { estimatedRowBytes } from '../row-bytes-estimate.ts';
import { BatchMakers } from './batch-makers.ts';
import type { FeedDecodes } from './feed-decodes.ts';
import type { FeedCompression, FeedOrder, FeedShare } from './feed-input.ts';
import type { FeedPool } from './feed-pool.ts';
import { FeedTimes } from './feed-times.ts';
import { FeedWindow } from './feed-window.ts';
import type { BatchPart, GroupFile } from './feed-worker-messages.ts';
import type { MessageChunks } from './message-chunks.ts';
import { restBeforeTry } from './rest-before-try.ts';

/** What batches are made by. */
export interface FeedEngine {
  readonly cache: BlockCache;
  readonly pool: FeedPool;
  readonly decodes: FeedDecodes;
  readonly shuffles: FullShuffles;
}

/** Those of a full shuffle are not made again one by one, and rest in the cache. */
type FilesOfGroups = Pick<FeedWindow, 'files' | 'lose' | 'close'> & Partial<Pick<FeedWindow, 'rest'>>;

/** The block files that rows are read from, in an order by runs of them: those of the groups, or those of a full shuffle. */
interface BatchFiles extends Pick<FeedWindow, 'files' | 'lose' | 'rest' | 'close'> {
  readonly matchingRows: Uint32Array;
  readonly order: FeedOrder;
  readonly epoch: EpochOrder;
}

/** The rows of one reader, in their order. */
export interface FeedReading {
  readonly groups: FeedGroups;
  readonly order: FeedOrder;
  readonly share: FeedShare;
  readonly compression: FeedCompression;
  readonly columns: readonly NestedField[];
  /** Rows of the order before the first batch. */
  readonly start: number;
  readonly cursorAt: (position: number) => string;
}

/** A batch as bytes, which can be made again. */
export interface MadeBatch {
  readonly batch: RankBatch;
  readonly cursor: string;
  /** Of the message. */
  readonly metadata: ReadonlyMap<string, string>;
  /** An encapsulated record batch message, on memory of its own, or of a run of small ones. */
  readonly message: MessageChunks;
}

let feedsOpened = 0;

/** Makes the batches of one feed, any of them at any time: the order is a function, and holds nothing between two batches. */
export class FeedBatches {
  readonly #engine: FeedEngine;
  readonly #reading: FeedReading;
  readonly #order: EpochOrder;
  readonly #feed = ++feedsOpened;
  readonly #controller = new AbortController();
  readonly #signal: AbortSignal;
  readonly #times = new FeedTimes();
  readonly batches: RankBatches;
  /** Seconds that it took to prepare the batch to come. */
  #prepared = 0;
  #files: Promise<BatchFiles> | null = null;
  #makers: BatchMakers | null = null;
  /** Groups of the last batch, and those behind them that are read ahead. */
  #now: ReadonlySet<number> = new Set();
  #soon: readonly number[] = [];

  /** Throws BAD_USER_INPUT where the start lies behind the last row. */
  constructor(engine: FeedEngine, reading: FeedReading, signal: AbortSignal | undefined) {
    this.#engine = engine;
    this.#reading = reading;
    this.#order = epochOrder(reading.groups.matchingRows, reading.order);
    this.batches = rankBatches(this.#order, reading.share, reading.start);
    this.#signal = signal === undefined ? this.#controller.signal : AbortSignal.any([signal, this.#controller.signal]);
    // What is under way for a reader that is gone is of no use.
    this.#signal.addEventListener(
      'abort',
      () => this.#files?.then((files) => files.close(this.#signal.reason)).catch(() => undefined),
      {
        once: true,
      },
    );
  }

  /** Before one was made. */
  get estimatedBatchBytes(): number {
    return this.batches.at(0).span.rows * estimatedRowBytes(this.#reading.columns);
  }

  get rowsTotal(): number {
    return this.#order.rows;
  }

  /**
   * What takes long is done when this resolves: the groups that batches need are decoded, or dealt. Others get the memory that batches take
   * meanwhile. Throws as `make`.
   */
  async prepare(batches: readonly RankBatch[]): Promise<void> {
    this.#signal.throwIfAborted();
    const source = await this.#opened();
    const asked = performance.now();
    await this.#filesOf(
      source,
      batches.map(({ span }) => span),
    );
    this.#prepared += (performance.now() - asked) / 1000;
  }

  /**
   * A run of batches of the rank, decoding what they need, on memory that they share. Throws what the signal was aborted with, what decoding
   * throws, and INTERNAL that can be tried again where its worker died.
   */
  async make(batches: readonly RankBatch[]): Promise<readonly MadeBatch[]> {
    const times = this.#times.metadata();
    const run = batches.map((batch) => {
      const cursor = this.#reading.cursorAt(batch.end);
      const metadata = new Map([
        ['icecore.cursor', cursor],
        ['icecore.global-batch', String(batch.globalBatch)],
        ['icecore.last', String(batch.last)],
        ...times,
      ]);
      return { batch, cursor, metadata };
    });
    const messages = await this.#encodeRun(run.map(({ batch: { span }, metadata }) => ({ span, metadata })));
    return run.map((each, index) => ({ ...each, message: messages[index] ?? [] }));
  }

  /** The very bytes of a batch that was made with this metadata. Throws as `make`. */
  async makeAgain(batch: RankBatch, metadata: ReadonlyMap<string, string>): Promise<{ readonly message: MessageChunks }> {
    const [message = []] = await this.#encode([{ span: batch.span, metadata }]);
    return { message };
  }

  /** All at once, or one by one where the cache has no room for the groups of all. */
  async #encodeRun(parts: readonly BatchPart[]): Promise<readonly MessageChunks[]> {
    try {
      return await this.#encode(parts);
    } catch (error) {
      if (parts.length === 1 || !IcecoreError.is(error, 'OVERLOADED')) throw error;
      const messages: MessageChunks[] = [];
      for (const part of parts) messages.push(...(await this.#encode([part])));
      return messages;
    }
  }

  async #encode(parts: readonly BatchPart[]): Promise<readonly MessageChunks[]> {
    this.#signal.throwIfAborted();
    const source = await this.#opened();
    this.#signal.throwIfAborted();
    const makers = this.#makersOf(source);
    for (let tries = 0; tries < feedBatchTriesMax; tries++) {
      await restBeforeTry(tries, this.#signal);
      const asked = performance.now();
      const files = await this.#filesOf(
        source,
        parts.map(({ span }) => span),
      );
      const waiting = this.#prepared + (performance.now() - asked) / 1000;
      this.#prepared = 0;
      const answer = await makers.make(parts, files, this.#signal);
      if ('messages' in answer) {
        const rows = parts.reduce((sum, { span }) => sum + span.rows, 0);
        this.#times.add(rows, { ...answer.seconds, waiting });
        return answer.messages;
      }
      // Torn or removed under us: it is decoded anew.
      for (const place of answer.lost) source.lose(place);
    }
    throw new IcecoreError(
      'INTERNAL',
      `The feed cache ${this.#engine.cache.directory} lost the same files again and again. Look after its disk, and resume from the last cursor.`,
      { retryable: true },
    );
  }

  /** What its reader took to take a batch. */
  taken(seconds: number): void {
    this.#times.taken(seconds);
  }

  /** Its reader stalls. */
  rest(): void {
    this.#files?.then((files) => files.rest()).catch(() => undefined);
  }

  /** Takes back the memory of a message that has been sent: without it, every batch would be garbage of the main thread. */
  recycle(message: MessageChunks): void {
    this.#makers?.recycle(message);
  }

  close(): void {
    this.#controller.abort(new IcecoreError('INTERNAL', 'The feed was closed.', { retryable: true }));
    this.#makers?.close();
  }

  #opened(): Promise<BatchFiles> {
    this.#files ??= this.#open().catch((error) => {
      // Such as no room for a full shuffle: there may be some when it is asked for again.
      this.#files = null;
      throw error;
    });
    return this.#files;
  }

  async #open(): Promise<BatchFiles> {
    const { groups, order, columns } = this.#reading;
    const isFull = order.shuffle === 'FULL';
    if (!isFull || this.#order.rows === 0) {
      const window = new FeedWindow(groups, this.#engine.cache, this.#engine.decodes);
      return batchFiles(window, groups.matchingRows, isFull ? { ...order, shuffle: 'NONE' } : order);
    }
    const shuffle = await this.#engine.shuffles.open({ groups, columns, order }, this.#signal);
    if (this.#signal.aborted) shuffle.close();
    // Its files have the rows in their order.
    return batchFiles(shuffle, shuffle.rowCounts, { ...order, shuffle: 'NONE' });
  }

  #makersOf({ matchingRows, order }: BatchFiles): BatchMakers {
    const { columns, compression } = this.#reading;
    this.#makers ??= new BatchMakers(this.#engine.pool, { feed: this.#feed, matchingRows, order, columns, compression });
    return this.#makers;
  }

  /** The block files of the groups that spans have rows of. */
  async #filesOf(source: BatchFiles, spans: readonly OrderSpan[]): Promise<readonly GroupFile[]> {
    const now = new Set(spans.flatMap((span) => [...placesOf(source, span)]));
    const last = spans.at(-1);
    if (last !== undefined && !sameSet(now, this.#now)) {
      this.#now = now;
      this.#soon = this.#placesBehind(source, last, now);
    }
    return await source.files(this.#now, this.#soon);
  }

  /** The next groups that the lanes come to, in the order in which they do. */
  #placesBehind({ epoch }: BatchFiles, span: OrderSpan, now: ReadonlySet<number>): readonly number[] {
    const { segments } = epoch;
    if (segments === null) return [];
    const groupBytes = (estimatedRowBytes(this.#reading.columns) * epoch.rows) / epoch.groups;
    const inBytes = Math.min(2 * now.size, Math.floor(feedGroupsAheadBytes / groupBytes));
    const count = Math.max(now.size, feedGroupsAheadPerWorker * this.#engine.pool.size, inBytes);
    // Far enough for as many groups of ordinary size, whichever lanes they are in.
    const rows = (2 * count * epoch.rows) / epoch.groups;
    const to = Math.min(this.#order.rows, span.to + Math.min(feedAheadRows, Math.ceil(rows)));
    const behind = segments.of({ ...span, from: span.to, to, rows: 0 }).toSorted((a, b) => a.at - b.at);
    const places = new Set(behind.map(({ place }) => place).filter((place) => !now.has(place)));
    return [...places].slice(0, count);
  }
}

function batchFiles(files: FilesOfGroups, matchingRows: Uint32Array, order: FeedOrder): BatchFiles {
  return {
    matchingRows,
    order,
    epoch: epochOrder(matchingRows, order),
    files: (now, soon) => files.files(now, soon),
    lose: (place) => files.lose(place),
    rest: () => files.rest?.(),
    close: (reason) => files.close(reason),
  };
}

function placesOf({ epoch }: BatchFiles, span: OrderSpan): ReadonlySet<number> {
  const { segments } = epoch;
  if (segments !== null) return new Set(segments.of(span).map(({ place }) => place));
  return new Set(epoch.reader().read(span).groups);
}

function sameSet(left: ReadonlySet<number>, right: ReadonlySet<number>): boolean {
  return left.size === right.size && [...left].every((each) => right.has(each));
}
