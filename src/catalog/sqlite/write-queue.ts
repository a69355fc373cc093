import { setTimeout as pause } from 'node:timers/promises';
import { IcecoreError } from '../../errors.ts';
import { catalogBatchCommitsMax, catalogBusyMsMax, catalogQueueCommitsMax } from '../../limits.ts';
import { catalogClosed, tooManyWaiting } from '../refusals.ts';
import { type Database, isBusy, isDiskFull, isSqliteError } from './database.ts';

interface Waiting {
  /** Runs inside the transaction; gives what tells the caller once it is on disk. */
  readonly write: () => () => void;
  readonly fail: (error: unknown) => void;
}

/**
 * Group commit: writes asked for while the event loop was busy share one transaction and so one fsync. Each runs
 * within its own savepoint and fails alone; all of them hear of success only after the transaction is on disk.
 */
export class WriteQueue {
  readonly #database: Database;
  #waiting: Waiting[] = [];
  #draining: Promise<void> | null = null;
  #closed = false;

  constructor(database: Database) {
    this.#database = database;
  }

  /** What `write` gave, durable; `committed` is called with it before anything else can run. Throws what `write` threw. */
  enqueue<T>(write: () => T, committed?: (result: T) => void): Promise<T> {
    if (this.#closed) return Promise.reject(catalogClosed());
    if (this.#waiting.length >= catalogQueueCommitsMax) return Promise.reject(tooManyWaiting(this.#waiting.length));
    return new Promise<T>((resolve, fail) => {
      this.#waiting.push({
        write: () => {
          const result = write();
          return () => {
            committed?.(result);
            resolve(result);
          };
        },
        fail,
      });
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
      let batch: readonly Waiting[] = [];
      try {
        await this.#begin();
        batch = this.#waiting.splice(0, catalogBatchCommitsMax);
        this.#write(batch);
      } catch (error) {
        if (batch.length === 0) batch = this.#waiting.splice(0);
        const reason = writeError(error);
        for (const waiting of batch) waiting.fail(reason);
      }
    }
    this.#draining = null;
  }

  /** The write lock, waited for without holding up the event loop for long. */
  async #begin(): Promise<void> {
    const started = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      try {
        return void this.#database.run('BEGIN IMMEDIATE');
      } catch (error) {
        if (!isBusy(error) || performance.now() - started > catalogBusyMsMax) throw error;
        await pause(Math.random() * Math.min(50, 2 ** attempt));
      }
    }
  }

  #write(batch: readonly Waiting[]): void {
    const outcomes: (() => void)[] = [];
    try {
      for (const waiting of batch) outcomes.push(this.#writeOne(waiting));
      this.#database.run('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) this.#database.run('ROLLBACK');
      throw error;
    }
    for (const tell of outcomes) tell();
  }

  /** How to tell the caller what came of it. A refusal waits too: it may rest on a write before it in the batch. */
  #writeOne(waiting: Waiting): () => void {
    this.#database.run('SAVEPOINT one');
    try {
      const acknowledge = waiting.write();
      this.#database.run('RELEASE one');
      return acknowledge;
    } catch (error) {
      // A full disk ends SQLite's whole transaction: then nobody's write is there, and everybody must hear it.
      if (!this.#database.inTransaction) throw error;
      this.#database.run('ROLLBACK TO one');
      this.#database.run('RELEASE one');
      return () => waiting.fail(writeError(error));
    }
  }
}

function writeError(error: unknown): unknown {
  if (!isSqliteError(error)) return error;
  if (isBusy(error)) {
    return new IcecoreError(
      'OVERLOADED',
      `Other processes held the catalog's write lock for ${catalogBusyMsMax / 1000} s; nothing was written. Repeat the call.`,
      { cause: error, retryable: true },
    );
  }
  if (isDiskFull(error)) {
    return new IcecoreError(
      'OVERLOADED',
      'The disk under the catalog is full; nothing was written. Free space and repeat the call.',
      {
        cause: error,
      },
    );
  }
  return new IcecoreError('INTERNAL', 'The catalog could not be written; nothing was written.', { cause: error });
}
