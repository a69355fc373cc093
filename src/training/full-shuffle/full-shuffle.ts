import { isEmptied } from '../../arrow/block-file-failure.ts';
import { IcecoreError } from '../../errors.ts';
import { feedDecodeTriesMax } from '../../limits.ts';
import type { FeedWorker } from '../feed/feed-pool.ts';
import type { GroupFile } from '../feed/feed-worker-messages.ts';
import { restBeforeTry } from '../feed/rest-before-try.ts';
import type { DealtFile } from './full-shuffle-dealer.ts';
import { dealGroups, type FullShuffleEngine, type FullShuffleRows } from './full-shuffle-dealing.ts';
import { bucketKey, bucketRowCounts, dealtKey, fullShuffleBytes } from './full-shuffle-plan.ts';

interface BucketPaths {
  readonly key: string;
  readonly path: string;
  /** What its rows are dealt to. */
  readonly dealt: readonly string[];
}

/**
 * The rows of one epoch in their full shuffle, in the block cache: those of each bucket of positions as a block file, made when it is first
 * asked for, for whoever reads them. On the main thread.
 */
export class FullShuffle {
  /** Rows of each bucket. */
  readonly rowCounts: Uint32Array;
  readonly #engine: FullShuffleEngine;
  readonly #rows: FullShuffleRows;
  readonly #dealers: number;
  readonly #buckets: readonly BucketPaths[];
  readonly #controller = new AbortController();
  readonly #making = new Map<number, Promise<void>>();
  readonly #unpins: (() => void)[] = [];
  #dealing: Promise<void> | null = null;
  #dealtRows = 0;

  constructor(engine: FullShuffleEngine, rows: FullShuffleRows) {
    this.#engine = engine;
    this.#rows = rows;
    this.#dealers = engine.pool.size;
    this.rowCounts = bucketRowCounts(rows.plan);
    const { cache } = engine;
    const { plan } = rows;
    this.#buckets = Array.from(this.rowCounts, (_, bucket) => {
      const key = bucketKey(plan, bucket);
      const dealt = Array.from({ length: this.#dealers }, (_, dealer) =>
        cache.pathOf(dealtKey(plan, bucket, dealer, this.#dealers)),
      );
      return { key, path: cache.pathOf(key), dealt };
    });
    for (const { path, dealt } of this.#buckets) this.#unpins.push(...[path, ...dealt].map((each) => cache.pin(each)));
  }

  /** How far the rows are dealt, of all: the first batch waits for that. */
  get progress(): { readonly rowsDealt: number; readonly rows: number } {
    return { rowsDealt: this.#dealtRows, rows: this.#rows.plan.rows };
  }

  /**
   * The file of a bucket, whole. Throws OVERLOADED, before anything is written, where the cache or the disk has too little room for all rows,
   * and as decoding does.
   */
  async file(bucket: number): Promise<GroupFile> {
    const paths = this.#buckets[bucket];
    if (paths === undefined)
      throw new IcecoreError('INTERNAL', `A full shuffle of ${this.#buckets.length} buckets has no bucket ${bucket}.`);
    const known = this.#making.get(bucket);
    const making = known ?? this.#make(bucket, paths);
    if (known === undefined) {
      this.#making.set(bucket, making);
      making.finally(() => this.#making.delete(bucket)).catch(() => undefined);
    }
    await making;
    return { place: bucket, path: paths.path, key: paths.key };
  }

  /** Ends what is under way; what is made stays in the cache as long as others need no room. */
  close(): void {
    this.#controller.abort(new IcecoreError('INTERNAL', 'Nobody reads this shuffle any more.', { retryable: true }));
    for (const unpin of this.#unpins.splice(0)) unpin();
  }

  async #make(bucket: number, paths: BucketPaths): Promise<void> {
    const { cache } = this.#engine;
    for (let tries = 0; tries < feedDecodeTriesMax; tries++) {
      this.#controller.signal.throwIfAborted();
      await restBeforeTry(tries, this.#controller.signal);
      if (cache.touch(paths.path)) return;
      try {
        if (this.#isDealt(paths) && (await this.#sort(bucket, paths))) return;
        await this.#deal();
      } catch (error) {
        if (!isEmptied(error)) throw error;
      }
    }
    throw new IcecoreError(
      'INTERNAL',
      `The feed cache ${cache.directory} lost the rows of a full shuffle again and again. Look after its disk, and resume from the last cursor.`,
      { retryable: true },
    );
  }

  async #sort(bucket: number, { path, dealt }: BucketPaths): Promise<boolean> {
    const { cache } = this.#engine;
    const { plan, columns } = this.#rows;
    const request = { plan, columns, bucket, dealers: this.#dealers, directory: cache.directory };
    // It needs no room of its own: what it was dealt to leaves for it.
    const answer = await this.#onWorker((worker) => worker.call('sort-bucket', request, this.#controller.signal));
    for (const each of dealt) cache.touch(each);
    if (answer === null) return false;
    await cache.admit(path, answer.bytes);
    return true;
  }

  /** Deals the rows of all buckets that there is nothing of; for all who wait for one of them at once. */
  async #deal(): Promise<void> {
    this.#dealing ??= this.#dealMissing().finally(() => {
      this.#dealing = null;
    });
    await this.#dealing;
  }

  async #dealMissing(): Promise<void> {
    const { cache } = this.#engine;
    const { plan, groups } = this.#rows;
    const isMissing = (paths: BucketPaths) => !cache.touch(paths.path) && !this.#isDealt(paths);
    const buckets = this.#buckets.flatMap((paths, bucket) => (isMissing(paths) ? [bucket] : []));
    if (buckets.length === 0) return;
    const largest = groups.matchingRows.reduce((most, count) => Math.max(most, count), 0);
    const room = await cache.room(Math.ceil((fullShuffleBytes(plan, largest) * buckets.length) / plan.buckets));
    this.#dealtRows = 0;
    const dealt: DealtFile[] = [];
    try {
      const onDealt = (rowCount: number) => {
        this.#dealtRows += rowCount;
      };
      await dealGroups(this.#engine, { ...this.#rows, buckets, dealers: this.#dealers, onDealt, dealt }, this.#controller.signal);
    } finally {
      room.release();
      for (const { path, bytes } of dealt) await cache.admit(path, bytes);
    }
  }

  #isDealt({ dealt }: BucketPaths): boolean {
    return dealt.every((path) => this.#engine.cache.touch(path));
  }

  async #onWorker<T>(work: (worker: FeedWorker) => Promise<T>): Promise<T> {
    const [worker] = this.#engine.pool.workers().toSorted((a, b) => a.decodes - b.decodes || a.feeds - b.feeds);
    if (worker === undefined) throw new IcecoreError('INTERNAL', 'There is no worker for training feeds.');
    worker.decodes++;
    try {
      return await work(worker);
    } finally {
      worker.decodes--;
    }
  }
}
