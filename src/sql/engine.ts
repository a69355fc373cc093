import type { DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

/** How DuckDB says that an instance is of no more use, on every statement since what it calls a fatal or an internal error. */
const invalidated = /database has been invalidated/;

export function isInvalidated(error: unknown): boolean {
  return error instanceof Error && invalidated.test(error.message);
}

/**
 * A DuckDB instance, and another in its stead once an error within DuckDB has ended it: a damaged file must not end the reading of others.
 * What ran on the old one fails.
 */
export class Engine {
  readonly #open: () => Promise<DuckDBInstance>;
  #instance: DuckDBInstance;
  #reopening: Promise<void> | null = null;
  #isClosed = false;

  private constructor(open: () => Promise<DuckDBInstance>, instance: DuckDBInstance) {
    this.#open = open;
    this.#instance = instance;
  }

  /** `open` makes an instance, set up and ready; called again for each that ended. */
  static async open(open: () => Promise<DuckDBInstance>): Promise<Engine> {
    return new Engine(open, await open());
  }

  /** A connection on which a first statement has been run. */
  async connect(first = 'SELECT 1'): Promise<DuckDBConnection> {
    for (let attempt = 1; ; attempt++) {
      const instance = this.#instance;
      const connection = await instance.connect();
      try {
        await connection.run(first);
        return connection;
      } catch (error) {
        connection.closeSync();
        if (!isInvalidated(error) || attempt > 1) throw error;
        await this.#reopen(instance);
      }
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#instance.closeSync();
  }

  /** Once, however many meet the end of the same instance. */
  async #reopen(ended: DuckDBInstance): Promise<void> {
    if (this.#instance !== ended) return;
    this.#reopening ??= this.#open()
      .then((instance) => {
        // Connections that are still open keep what they need of it.
        ended.closeSync();
        if (this.#isClosed) instance.closeSync();
        else this.#instance = instance;
      })
      .finally(() => {
        this.#reopening = null;
      });
    await this.#reopening;
  }
}
