import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { duckDbInterruptIntervalMs, duckDbWaitingMax } from '../limits.ts';

/**
 * Leases of connections to one DuckDB instance, at most `leasesMax` at a time. Each lease is a connection of its own, so its
 * temporary tables, views and transaction end with it. Others wait their turn, up to a bound.
 */
export class ConnectionPool {
  readonly #instance: DuckDBInstance;
  readonly #leasesMax: number;
  readonly #setup: string | undefined;
  readonly #waiting: (() => void)[] = [];
  #leased = 0;

  /** `setup` is a statement that each connection begins with. */
  constructor(instance: DuckDBInstance, leasesMax: number, setup?: string) {
    this.#instance = instance;
    this.#setup = setup;
    this.#leasesMax = leasesMax;
  }

  /** Connections in use. */
  get leased(): number {
    return this.#leased;
  }

  /**
   * Gives what `work` gives, over a connection that is its own until it settles. When `signal` aborts, whatever runs is
   * interrupted and the signal's reason is thrown. Throws OVERLOADED where too many wait already.
   */
  async use<T>(work: (connection: DuckDBConnection) => Promise<T>, signal?: AbortSignal): Promise<T> {
    await this.#acquire(signal);
    try {
      const connection = await this.#instance.connect();
      try {
        if (this.#setup !== undefined) await connection.run(this.#setup);
        return await interruptible(connection, work, signal);
      } finally {
        connection.closeSync();
      }
    } finally {
      this.#leased--;
      this.#waiting.shift()?.();
    }
  }

  async #acquire(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#leased >= this.#leasesMax) {
      if (this.#waiting.length >= duckDbWaitingMax) {
        throw new IcecoreError('OVERLOADED', `${this.#waiting.length} statements wait for the engine already. Try again later.`, {
          retryable: true,
        });
      }
      await new Promise<void>((resolve, reject) => {
        const turn = () => {
          signal?.removeEventListener('abort', giveUp);
          resolve();
        };
        const giveUp = () => {
          this.#waiting.splice(this.#waiting.indexOf(turn), 1);
          reject(signal?.reason);
        };
        this.#waiting.push(turn);
        signal?.addEventListener('abort', giveUp, { once: true });
      });
    }
    this.#leased++;
  }
}

/** An interrupt hits only the statement that is running, so it is repeated until the work has noticed. */
async function interruptible<T>(
  connection: DuckDBConnection,
  work: (connection: DuckDBConnection) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  if (signal === undefined) return work(connection);
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), duckDbInterruptIntervalMs);
  };
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    return await work(connection);
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    signal.removeEventListener('abort', interrupt);
    clearInterval(timer);
  }
}
