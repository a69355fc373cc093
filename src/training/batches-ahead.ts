import { feedAheadBatchesMax, feedAheadBytes } from '../limits.ts';
import type { EncodedBatch, EncodedBatches } from './encoded-batches.ts';
import type { FeedBatches, MadeBatch } from './feed-batches.ts';

/** A batch as its reader gets it. */
export interface BatchAhead {
  readonly made: Omit<MadeBatch, 'message'>;
  readonly message: EncodedBatch;
}

/** The batches of a feed, one made ahead of its reader, or some where they are small. */
export class BatchesAhead {
  readonly #feed: FeedBatches;
  readonly #encoded: EncodedBatches;
  readonly #signal: AbortSignal | undefined;
  #ahead: Promise<BatchAhead>[] = [];
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
    this.#begin(1);
    const next = await this.#ahead.shift();
    if (next === undefined) return null;
    this.#bytes = next.message.byteLength;
    this.#begin(Math.min(Math.max(1, Math.ceil(feedAheadBytes / Math.max(1, this.#bytes))), feedAheadBatchesMax));
    return next;
  }

  close(): void {
    for (const ahead of this.#ahead) ahead.then(({ message }) => message.release()).catch(() => undefined);
    this.#ahead = [];
  }

  #begin(count: number): void {
    const { batches } = this.#feed;
    while (this.#ahead.length < count && this.#begun < batches.count) {
      const ahead = this.#make(this.#begun++);
      // Whoever asks for it hears of it.
      ahead.catch(() => undefined);
      this.#ahead.push(ahead);
    }
  }

  async #make(index: number): Promise<BatchAhead> {
    const feed = this.#feed;
    const batch = feed.batches.at(index);
    const { made, encoded } = await this.#encoded.make(
      this.#bytes,
      () => feed.make(batch),
      ({ metadata }) => ({
        make: async () => (await feed.make(batch, metadata)).message,
        recycle: (message) => feed.recycle(message),
        rest: () => feed.rest(),
      }),
      this.#signal,
    );
    return { made, message: encoded };
  }
}
