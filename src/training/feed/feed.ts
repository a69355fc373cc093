import { join } from 'node:path';
import type { Schema } from 'apache-arrow';
import { BatchEncoder } from '../../arrow/batch-encoder.ts';
import { BlockCache } from '../../arrow/block-cache.ts';
import { IcecoreError } from '../../errors.ts';
import { feedEncodedBytesMax, feedsReadAtOnceMax } from '../../limits.ts';
import type { StorageOptions } from '../../storage/routed-storage.ts';
import { FullShuffles } from '../full-shuffle/full-shuffles.ts';
import { KeptGroups } from '../groups/kept-groups.ts';
import { BatchesAhead } from './batches-ahead.ts';
import { type EncodedBatch, EncodedBatches } from './encoded-batches.ts';
import { FeedBatches, type FeedEngine } from './feed-batches.ts';
import { printFeedCursor } from './feed-cursor.ts';
import { type DecodeCounts, FeedDecodes } from './feed-decodes.ts';
import { feedCompression, feedShare, type TrainingFeedInput } from './feed-input.ts';
import { FeedPool } from './feed-pool.ts';
import { feedSchema } from './feed-schema.ts';
import { type FeedSources, resolveFeedRows } from './feed-source.ts';

export interface TrainingFeedsOptions extends FeedSources {
  /** Local disk that can be lost at any time; decoded groups lie below it. */
  readonly cacheDirectory: string;
  /** Of what is decoded; a share of the free disk where left out. */
  readonly cacheBytesMax?: number | undefined;
  /** How worker threads reach the files of tables. */
  readonly storage: Omit<StorageOptions, 'environment' | 'cacheDir'>;
  /** As many as there are cores where left out. */
  readonly workers?: number;
  /** Read at the same time. */
  readonly feedsMax?: number;
}

export interface TrainingFeedBatch {
  /** An encapsulated record batch message: a stream of the schema's message, this, and the end's is whole. Good until the next is asked for. */
  readonly message: EncodedBatch;
  /** That of the message. */
  readonly metadata: ReadonlyMap<string, string>;
  readonly rowCount: number;
  /** Counted from the cursor that was given. */
  readonly globalBatch: bigint;
  /** The end of this global batch: the same on every rank. */
  readonly cursor: string;
  /** True on this rank's last batch of the epoch. A stream that ends without it was cut. */
  readonly last: boolean;
}

export interface TrainingFeed {
  /** With `icecore.snapshot-id`, `icecore.rows-total` and `icecore.epoch` in its metadata. */
  readonly schema: Schema;
  readonly schemaMessage: Uint8Array;
  readonly endMessage: Uint8Array;
  /** Rows of the whole epoch, over all ranks. */
  readonly rowsTotal: bigint;
  /** Null for a table without one. */
  readonly snapshotId: bigint | null;
  readonly epoch: number;
  /** Pulled, and one is made ahead of the reader. Leaving it ends what is under way. Read once. */
  readonly batches: AsyncGenerator<TrainingFeedBatch, void, undefined>;
}

/** What feeds did since the server began. */
export interface FeedCounts extends DecodeCounts {
  readonly open: number;
  readonly rows: number;
  readonly batches: number;
  /** Batches of stalled clients that were let go. */
  readonly dropped: number;
}

/**
 * Rows of a training set or table as Arrow batches of exact size, in the order of docs/order.md (semantics, section 2). Groups are decoded
 * once into a cache on local disk, and gathered from there, both in worker threads.
 */
export class TrainingFeeds {
  /** What plans share with feeds. */
  readonly groups: KeptGroups;
  readonly sources: FeedSources;
  readonly #options: TrainingFeedsOptions;
  readonly #pool: FeedPool;
  readonly #encoded = new EncodedBatches(feedEncodedBytesMax);
  #engine: Promise<FeedEngine> | null = null;
  #decodes: FeedDecodes | null = null;
  #reading = 0;
  #rows = 0;
  #batchCount = 0;

  constructor(options: TrainingFeedsOptions) {
    this.#options = options;
    this.sources = options;
    this.groups = new KeptGroups({ tables: options.tables, directory: join(options.cacheDirectory, 'feeds') });
    this.#pool = new FeedPool({
      storage: { ...options.storage, cacheDir: join(options.cacheDirectory, 'feed-workers') },
      ...(options.workers === undefined ? {} : { workers: options.workers }),
    });
  }

  get counts(): FeedCounts {
    const decodes = this.#decodes?.counts ?? { decoded: 0, bySql: 0, seconds: 0 };
    return {
      ...decodes,
      open: this.#reading,
      rows: this.#rows,
      batches: this.#batchCount,
      dropped: this.#encoded.dropped,
    };
  }

  /**
   * Settles what is read and counts it. Throws BAD_USER_INPUT, NOT_FOUND, CONFLICT where the cursor was made with something else, OVERLOADED
   * where too many feeds are read, FAILED_PRECONDITION where these are closed.
   */
  async open(input: TrainingFeedInput, signal?: AbortSignal): Promise<TrainingFeed> {
    this.#refuseBeyondLimit();
    const share = feedShare(input);
    const compression = feedCompression(input);
    // Its threads start while the table's metadata is read, also those that ended since there was no work for them.
    this.#pool.workers();
    const opened = this.#opened();
    opened.catch(() => undefined);
    const rows = await resolveFeedRows(this.#options, input, signal);
    const [engine, groups] = await Promise.all([opened, this.groups.open(rows, signal)]);
    const { order, columns, snapshot } = rows;
    const cursorAt = (position: number) => printFeedCursor({ ...rows.cursor, position: BigInt(position) });
    const reading = { groups, order, share, compression, columns, start: Number(rows.start), cursorAt };
    const feed = new FeedBatches(engine, reading, signal);
    const snapshotId = snapshot?.snapshotId ?? null;
    const rowsTotal = BigInt(feed.rowsTotal);
    const schema = feedSchema(rows, rowsTotal);
    const encoder = new BatchEncoder(schema, compression);
    const [schemaMessage, endMessage] = [encoder.schemaMessage(), encoder.endMessage()];
    return { schema, schemaMessage, endMessage, rowsTotal, snapshotId, epoch: order.epoch, batches: this.#batches(feed, signal) };
  }

  /** Ends the worker threads. Feeds that are being read fail, and can be resumed. */
  async close(): Promise<void> {
    await this.#pool.close();
  }

  async *#batches(feed: FeedBatches, signal: AbortSignal | undefined): AsyncGenerator<TrainingFeedBatch, void, undefined> {
    this.#refuseBeyondLimit();
    this.#reading++;
    const ahead = new BatchesAhead(feed, this.#encoded, signal);
    let held: EncodedBatch | null = null;
    try {
      for (let next = await ahead.next(); next !== null; next = await ahead.next()) {
        const { made, message } = next;
        held = message;
        const { batch, cursor, metadata } = made;
        const { last, globalBatch, span } = batch;
        this.#rows += span.rows;
        this.#batchCount++;
        const given = performance.now();
        yield { message, metadata, rowCount: span.rows, globalBatch: BigInt(globalBatch), cursor, last };
        feed.taken((performance.now() - given) / 1000);
        signal?.throwIfAborted();
        message.release();
      }
    } finally {
      this.#reading--;
      held?.release();
      ahead.close();
      feed.close();
    }
  }

  #opened(): Promise<FeedEngine> {
    this.#engine ??= this.#start();
    return this.#engine;
  }

  async #start(): Promise<FeedEngine> {
    const { cacheDirectory, cacheBytesMax } = this.#options;
    const cache = await BlockCache.open(join(cacheDirectory, 'feeds'), cacheBytesMax);
    this.#decodes = new FeedDecodes(cache, this.#pool);
    const made = { cache, pool: this.#pool, decodes: this.#decodes };
    return { ...made, shuffles: new FullShuffles(made) };
  }

  #refuseBeyondLimit(): void {
    if (this.#reading < (this.#options.feedsMax ?? feedsReadAtOnceMax)) return;
    throw new IcecoreError(
      'OVERLOADED',
      `${this.#reading} training feeds are being read from this server already. Try again later.`,
      { retryable: true },
    );
  }
}
