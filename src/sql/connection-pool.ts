import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { duckDbInterruptIntervalMs, duckDbWaitingMax } from '../limits.ts';

/** A connection of one's own, with what is temporary on it, until it is released. */
export interface Lease {
  readonly connection: DuckDBConnection;
  /** A statement to run at the end, whatever happened; the last one given runs first. */
  defer(statement: string): void;
  release(): Promise<void>;
}

/** What connections come from; each begins with a statement, where one is given. */
export interface Connects {
  connect(first?: string): Promise<DuckDBConnection>;
}

/**
 * Leases of connections to one DuckDB instance, at most `leasesMax` at a time. Each lease is a connection of its own, so its
 * temporary tables, views and transaction end with it. Others wait their turn, up to a bound.
 */
export class ConnectionPool {
  readonly #engine: Connects;
  readonly #leasesMax: number;
  readonly #setup: string | undefined;
  readonly #waiting: (() => void)[] = [];
  #leased = 0;

  /** `setup` is a statement that each connection begins with. */
  constructor(engine: Connects, leasesMax: number, setup?: string) {
    this.#engine = engine;
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
    const lease = await this.lease(signal);
    try {
      return await work(lease.connection);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      await lease.release();
    }
  }

  /** The same for work that does not fit a function, such as a stream. Must be released, once. */
  async lease(signal?: AbortSignal): Promise<Lease> {
    await this.#acquire(signal);
    try {
      const connection = await this.#engine.connect(this.#setup);
      const stopInterrupting = interruptOnAbort(connection, signal);
      const deferred: string[] = [];
      const release = async () => {
        // Only now, so that what cleans up is not interrupted as well.
        stopInterrupting();
        try {
          for (let statement = deferred.pop(); statement !== undefined; statement = deferred.pop())
            await connection.run(statement);
        } finally {
          connection.closeSync();
          this.#free();
        }
      };
      return { connection, defer: (statement) => deferred.push(statement), release };
    } catch (error) {
      this.#free();
      throw error;
    }
  }

  /** Hands the place to whoever waits longest, so that nobody slips in between. */
  #free(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#leased--;
    else next();
  }

  async #acquire(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    if (this.#leased < this.#leasesMax) {
      this.#leased++;
      return;
    }
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
}

/** An interrupt hits only the statement that is running, so it is repeated until the lease ends. Gives how to stop. */
function interruptOnAbort(connection: DuckDBConnection, signal: AbortSignal | undefined): () => void {
  let timer: NodeJS.Timeout | undefined;
  const interrupt = () => {
    connection.interrupt();
    timer = setInterval(() => connection.interrupt(), duckDbInterruptIntervalMs);
  };
  if (signal?.aborted) interrupt();
  else signal?.addEventListener('abort', interrupt, { once: true });
  return () => {
    signal?.removeEventListener('abort', interrupt);
    clearInterval(timer);
  };
}
