import { mkdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { SQLOutputValue } from 'node:sqlite';
import { integer } from '../catalog/row.ts';
import { Database, isSqliteError } from '../catalog/sqlite/database.ts';
import { ledgerIndexBusyMsMax } from '../limits.ts';
import { sha256Hex } from './canonical-json.ts';
import { indexType, journalSeqColumn, type LedgerCodec } from './ledger-codec.ts';
import { type LedgerQuery, quoted, selectStatement } from './ledger-query.ts';
import type { SequencedRow } from './ledger-store.ts';
import type { LedgerRow } from './ledger-table.ts';

type Codecs = ReadonlyMap<string, LedgerCodec>;

/**
 * A local copy of the ledger's rows in SQLite, searchable by the columns that each table declares. A cache: lose it, and it is made
 * again from the Iceberg tables and the journal (invariant 6). Holds every entry through `appliedSeq`, and nothing of a later prefix
 * is ever missing in between.
 */
export class LedgerIndex {
  readonly #database: Database;
  readonly #codecs: Codecs;
  #closed = false;

  private constructor(database: Database, codecs: Codecs) {
    this.#database = database;
    this.#codecs = codecs;
  }

  /** `identity` tells the catalog: an index of another one, of other columns or damaged is emptied. */
  static open(path: string, codecs: Codecs, identity: string): LedgerIndex {
    mkdirSync(dirname(path), { recursive: true });
    try {
      return LedgerIndex.#openOnce(path, codecs, identity);
    } catch (error) {
      if (!isSqliteError(error)) throw error;
      removeIndex(path);
      return LedgerIndex.#openOnce(path, codecs, identity);
    }
  }

  static #openOnce(path: string, codecs: Codecs, identity: string): LedgerIndex {
    const database = new Database(path, ledgerIndexBusyMsMax);
    try {
      database.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
      const index = new LedgerIndex(database, codecs);
      index.#prepare(identity);
      return index;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  get appliedSeq(): bigint {
    const row = this.#database.row('SELECT applied_seq FROM state');
    return row === undefined ? 0n : integer(row, 'applied_seq');
  }

  /** Takes rows over, whatever their order: of two rows with one key the later stays. `throughSeq` is where the prefix now ends. */
  apply(rowsByTable: ReadonlyMap<string, readonly SequencedRow[]>, throughSeq: bigint | null): void {
    this.#writing(() => {
      for (const [table, rows] of rowsByTable) {
        const codec = this.#codecs.get(table);
        // A table of a newer version of Icecore on the same catalog: not ours to read.
        if (codec === undefined) continue;
        const insert = insertStatement(codec);
        for (const { seq, row } of rows) this.#database.run(insert, seq, ...codec.toIndex(row));
      }
      if (throughSeq !== null) this.#database.run('UPDATE state SET applied_seq = max(applied_seq, ?)', throughSeq);
    });
  }

  /** Forgets everything: the catalog's history is not the one that was copied. */
  clear(): void {
    this.#writing(() => {
      for (const table of this.#codecs.keys()) this.#database.run(`DELETE FROM ${quoted(table)}`);
      this.#database.run('UPDATE state SET applied_seq = 0');
    });
  }

  select(table: string, query: LedgerQuery<LedgerRow>): readonly Readonly<Record<string, SQLOutputValue>>[] {
    const { text, args } = selectStatement(table, '*', query);
    return this.#database.rows(text, ...args);
  }

  count(table: string, query: LedgerQuery<LedgerRow>): bigint {
    const { text, args } = selectStatement(table, 'count(*) AS total', { ...query, orderBy: '1' });
    const row = this.#database.row(text, ...args);
    return row === undefined ? 0n : integer(row, 'total');
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#database.close();
  }

  #prepare(identity: string): void {
    const version = sha256Hex(identity, JSON.stringify([...this.#codecs.values()].map((codec) => tableStatements(codec))));
    this.#writing(() => {
      this.#database.run('CREATE TABLE IF NOT EXISTS state (version TEXT NOT NULL, applied_seq INTEGER NOT NULL)');
      const state = this.#database.row('SELECT version FROM state');
      if (state?.version === version) return;
      const tables = this.#database.rows(`SELECT name FROM sqlite_schema WHERE type = 'table'`);
      for (const { name } of tables) this.#database.execute(`DROP TABLE ${quoted(String(name))}`);
      this.#database.execute('CREATE TABLE state (version TEXT NOT NULL, applied_seq INTEGER NOT NULL)');
      for (const codec of this.#codecs.values()) for (const sql of tableStatements(codec)) this.#database.execute(sql);
      this.#database.execute(`INSERT INTO state VALUES ('${version}', 0)`);
    });
  }

  #writing(write: () => void): void {
    this.#database.execute('BEGIN IMMEDIATE');
    try {
      write();
      this.#database.execute('COMMIT');
    } catch (error) {
      if (this.#database.inTransaction) this.#database.execute('ROLLBACK');
      throw error;
    }
  }
}

export function removeIndex(path: string): void {
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true });
}

function tableStatements({ table, columns }: LedgerCodec): readonly string[] {
  const cells = columns.map(({ name, type }) => `${quoted(name)} ${indexType(type)}`).join(', ');
  const key = table.key.map(quoted).join(', ');
  const primary = table.mode === 'upsert' ? `, PRIMARY KEY (${key})` : '';
  const seq = table.mode === 'upsert' ? 'INTEGER NOT NULL' : 'INTEGER PRIMARY KEY';
  const indexes = table.mode === 'upsert' ? table.indexes : [table.key, ...table.indexes];
  return [
    `CREATE TABLE ${quoted(table.name)} (${journalSeqColumn} ${seq}, ${cells}${primary})`,
    ...indexes.map(
      (list, at) => `CREATE INDEX ${quoted(`${table.name} ${at}`)} ON ${quoted(table.name)} (${list.map(quoted).join(', ')})`,
    ),
  ];
}

function insertStatement({ table, columns }: LedgerCodec): string {
  const names = [journalSeqColumn, ...columns.map(({ name }) => name)].map(quoted);
  const into = `INSERT INTO ${quoted(table.name)} (${names.join(', ')}) VALUES (${names.map(() => '?').join(', ')})`;
  if (table.mode === 'append') return `${into} ON CONFLICT DO NOTHING`;
  const updates = names.map((name) => `${name} = excluded.${name}`).join(', ');
  const later = `excluded.${journalSeqColumn} > ${quoted(table.name)}.${journalSeqColumn}`;
  return `${into} ON CONFLICT (${table.key.map(quoted).join(', ')}) DO UPDATE SET ${updates} WHERE ${later}`;
}
