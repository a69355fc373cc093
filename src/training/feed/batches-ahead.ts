import { IcecoreError } from '../../errors.ts';
import { feedAheadBatchesMax, feedAheadBytes } from '../../limits.ts';
import { EncodedBatch, type EncodedBatches } from './encoded-batches.ts';
import type { FeedBatches, MadeBatch } from './feed-batches.ts';

/** A batch as its reader gets it. */
export interface BatchAhead {
  readonly made: Omit<MadeBatch, 'message'>;
  readonly message: EncodedBatch;
}

/** The batches of a feed, one made ahead of its reader, or a run of them where they are small. */
export class BatchesAhead {
  readonly #feed: FeedBatches;
  readonly #encoded: EncodedBatches;
  readonly #signal: AbortSignal | undefined;
  #ready: BatchAhead[] = [];
  #ahead: Promise<readonly BatchAhead[]> | null = null;
  #begun = 0;
  /** Of the batch before, or what it is thought to be. */
  #bytes: number;

  constructor(feed: FeedBatches, encoded: EncodedBatches, signal: AbortSignal | undefined) {
    this.#feed = feed;
    this.#encoded = encoded;
    this.#signal = signal;
    this.#bytes = feed.estimatedBatchBytes;
  }

  /** The next batch; null behind the last. To be released by who takes it. Throws as `FeedBatches.make`. */
  async next(): Promise<BatchAhead | null> {
    if (this.#ready.length === 0) {
      this.#ahead ??= this.#begin(1);
      this.#ready = [...(await this.#ahead)];
      this.#bytes = this.#ready[0]?.message.byteLength ?? 0;
      this.#ahead = this.#begin(Math.min(Math.ceil(feedAheadBytes / Math.max(1, this.#bytes)), feedAheadBatchesMax));
    }
    return this.#ready.shift() ?? null;
  }

  close(): void {
    const release = (run: readonly BatchAhead[]) => {
      for (const { message } of run) message.release();
    };
    release(this.#ready);
    this.#ahead?.then(release).catch(() => undefined);
    this.#ready = [];
  }

  #begin(count: number): Promise<readonly BatchAhead[]> {
    const { batches } = this.#feed;
    const run = Array.from({ length: Math.min(count, batches.count - this.#begun) }, (_, index) => this.#begun + index);
    this.#begun += run.length;
    const ahead = this.#make(run);
    // Whoever asks for it hears of it.
    ahead.catch(() => undefined);
    return ahead;
  }

  async #make(run: readonly number[]): Promise<readonly BatchAhead[]> {
    if (run.length === 0) return [];
    const feed = this.#feed;
    const batches = run.map((index) => feed.batches.at(index));
    await feed.prepare(batches).catch((error: unknown) => {
      // What is too much for a run may be enough for its batches one by one.
      if (!IcecoreError.is(error, 'OVERLOADED')) throw error;
    });
    const made = await this.#encoded.within(this.#bytes * run.length, () => feed.make(batches), this.#signal);
    let unsent = made.length;
    // Nothing here may hold on to a message: it is let go of where its reader stalls.
    return made.map(({ message: bytes, ...each }) => {
      const { batch, metadata } = each;
      const message = new EncodedBatch(this.#encoded, bytes, {
        make: async () => (await feed.makeAgain(batch, metadata)).message,
        recycle: (sent, isFirst) => {
          // The messages of a run lie on the same memory, until one is made again.
          if (!isFirst || --unsent === 0) feed.recycle(sent);
        },
        rest: () => feed.rest(),
      });
      return { made: each, message };
    });
  }
}
