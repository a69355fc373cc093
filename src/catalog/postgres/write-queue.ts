import { catalogBatchCommitsMax, catalogQueueCommitsMax } from '../../limits.ts';
import type { CatalogChange, CatalogCommit } from '../catalog.ts';
import { catalogClosed, tooManyWaiting } from '../refusals.ts';
import type { Outcome } from './commit-batch.ts';

interface Waiting {
  readonly change: CatalogChange;
  readonly tell: (outcome: Outcome) => void;
}

/** Writes a batch in one transaction. Throws where all of it failed. */
export type WriteBatch = (changes: readonly CatalogChange[]) => Promise<readonly Outcome[]>;

/**
 * Group commit: what is asked for while a transaction is under way shares the next one, and so its round trips and its fsync. Each change
 * has its own outcome; all hear of it only after the transaction is on disk.
 */
export class WriteQueue {
  readonly #write: WriteBatch;
  readonly #spoils: (error: unknown) => boolean;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #closed = false;

  /** `spoils` says of an error that one change of the batch may have caused it for all: then each is written alone. */
  constructor(write: WriteBatch, spoils: (error: unknown) => boolean) {
    this.#write = write;
    this.#spoils = spoils;
  }

  /** Resolves once it is durable; `committed` is called with the head of the journal before anything else can run. */
  enqueue(change: CatalogChange, committed: (headSeq: bigint) => void): Promise<CatalogCommit> {
    if (this.#closed) return Promise.reject(catalogClosed());
    if (this.#waiting.length >= catalogQueueCommitsMax) return Promise.reject(tooManyWaiting(this.#waiting.length));
    return new Promise<CatalogCommit>((resolve, fail) => {
      const tell = (outcome: Outcome): void => {
        if (outcome.kept) {
          committed(outcome.headSeq);
          resolve(outcome.commit);
        } else {
          fail(outcome.error);
        }
      };
      this.#waiting.push({ change, tell });
      this.#draining ??= this.#drain();
    });
  }

  /** Finishes what waits; what comes later is refused. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#draining;
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      // One turn of the event loop, so that everybody whose input has arrived is in the batch.
      await new Promise((turn) => setImmediate(turn));
      await this.#writeAll(this.#waiting.splice(0, catalogBatchCommitsMax));
    }
    this.#draining = null;
  }

  async #writeAll(batch: readonly Waiting[]): Promise<void> {
    try {
      const outcomes = await this.#write(batch.map(({ change }) => change));
      outcomes.forEach((outcome, index) => {
        batch[index]?.tell(outcome);
      });
    } catch (error) {
      if (batch.length > 1 && this.#spoils(error)) {
        for (const waiting of batch) await this.#writeAll([waiting]);
        return;
      }
      for (const { tell } of batch) tell({ kept: false, error });
    }
  }
}
