import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';

let scratchTables = 0;

/** The temporary tables of one computation on a connection; `clear` drops them. They spill to disk as DuckDB's memory fills. */
export class Scratch {
  readonly #connection: DuckDBConnection;
  readonly #signal: AbortSignal | undefined;
  readonly #tables: string[] = [];

  constructor(connection: DuckDBConnection, signal?: AbortSignal) {
    this.#connection = connection;
    this.#signal = signal;
  }

  /** The name of a new temporary table that holds the rows of a SELECT. */
  async table(select: string): Promise<string> {
    const name = `icecore_scratch_${++scratchTables}`;
    await this.run(`CREATE TEMP TABLE ${name} AS ${select}`);
    this.#tables.push(name);
    return name;
  }

  /** The rows of a SELECT whose answer is known to be small. */
  async rows(select: string): Promise<readonly (readonly DuckDBValue[])[]> {
    return this.#interruptible(async () => (await this.#connection.runAndReadAll(select)).getRows());
  }

  async run(statement: string): Promise<void> {
    await this.#interruptible(() => this.#connection.run(statement));
  }

  async clear(): Promise<void> {
    for (const name of this.#tables.splice(0)) await this.#connection.run(`DROP TABLE IF EXISTS ${name}`);
  }

  async #interruptible<T>(work: () => Promise<T>): Promise<T> {
    this.#signal?.throwIfAborted();
    const interrupt = () => this.#connection.interrupt();
    this.#signal?.addEventListener('abort', interrupt, { once: true });
    try {
      return await work();
    } catch (error) {
      this.#signal?.throwIfAborted();
      throw error;
    } finally {
      this.#signal?.removeEventListener('abort', interrupt);
    }
  }
}
