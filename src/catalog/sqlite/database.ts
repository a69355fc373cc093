import { DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from 'node:sqlite';

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** One connection with its prepared statements. Integers come back as bigint. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(path: string, busyMs: number) {
    this.#connection = new DatabaseSync(path, { timeout: busyMs, readBigInts: true, allowExtension: false });
  }

  /** For statements without parameters that run once, or open and close transactions. */
  execute(sql: string): void {
    this.#connection.exec(sql);
  }

  /** The number of rows changed. */
  run(sql: string, ...parameters: SQLInputValue[]): bigint {
    return BigInt(this.#statement(sql).run(...parameters).changes);
  }

  row(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    return this.#statement(sql).get(...parameters);
  }

  rows(sql: string, ...parameters: SQLInputValue[]): readonly Row[] {
    return this.#statement(sql).all(...parameters);
  }

  /** Several reads that see one state of the database. */
  reading<T>(read: () => T): T {
    this.run('BEGIN DEFERRED');
    try {
      return read();
    } finally {
      this.run('COMMIT');
    }
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  close(): void {
    this.#statements.clear();
    this.#connection.close();
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

const sqliteBusy = 5;
const sqliteFull = 13;
const sqliteCorrupt = 11;
const sqliteNotADatabase = 26;

/** Another connection holds the write lock. */
export function isBusy(error: unknown): boolean {
  return primaryCode(error) === sqliteBusy;
}

export function isDiskFull(error: unknown): boolean {
  return primaryCode(error) === sqliteFull;
}

export function isNoDatabase(error: unknown): boolean {
  const code = primaryCode(error);
  return code === sqliteNotADatabase || code === sqliteCorrupt;
}

/** SQLite's own error, as against one that a change was refused with. */
export function isSqliteError(error: unknown): boolean {
  return primaryCode(error) !== null;
}

/** Extended result codes keep the primary one in their low byte. */
function primaryCode(error: unknown): number | null {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return null;
  return error.errcode & 0xff;
}
