import { join } from 'node:path';
import type { Catalog, JournalDraft, JournalEntry } from '../catalog/catalog.ts';
import { leaseOwner } from '../catalog/lease-owner.ts';
import { isBusy, isDiskFull, isSqliteError } from '../catalog/sqlite/database.ts';
import { IcecoreError } from '../errors.ts';
import { journalFlushIntervalMs, ledgerBatchRowsMax } from '../limits.ts';
import { LedgerCodec } from './ledger-codec.ts';
import { LedgerFlusher } from './ledger-flusher.ts';
import { identifierOf } from './ledger-identifier.ts';
import { LedgerIndex, removeIndex } from './ledger-index.ts';
import type { LedgerQuery } from './ledger-query.ts';
import type { LedgerStore, SequencedRow } from './ledger-store.ts';
import type { AnyLedgerTable, LedgerRow, LedgerTable } from './ledger-table.ts';

export interface LedgerOptions {
  readonly catalog: Catalog;
  readonly store: LedgerStore;
  /** Where the local index lives; may be lost at any time, and may be shared by the processes of one machine. */
  readonly indexDirectory: string;
  readonly tables: readonly AnyLedgerTable[];
  /** How often entries move to Iceberg; null: only by `flush`. */
  readonly flushIntervalMs?: number | null;
}

/** Icecore's own tables (semantics, section 7): rows enter with the commit of a change, and every read sees what was committed before it. */
export class Ledger {
  readonly #catalog: Catalog;
  readonly #store: LedgerStore;
  readonly #codecs: ReadonlyMap<string, LedgerCodec>;
  /** Of the tables that the local index holds. */
  readonly #indexed: ReadonlyMap<string, LedgerCodec>;
  readonly #indexPath: string;
  readonly #identity: string;
  readonly #flusher: LedgerFlusher;
  #index: LedgerIndex;
  #queries = 0;
  #refreshing: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  private constructor(options: LedgerOptions, identity: string) {
    this.#catalog = options.catalog;
    this.#store = options.store;
    this.#codecs = new Map(options.tables.map((table) => [table.name, new LedgerCodec(table)]));
    this.#indexed = new Map([...this.#codecs].filter(([, { table }]) => table.isIndexed !== false));
    this.#indexPath = join(options.indexDirectory, 'ledger.sqlite');
    this.#identity = identity;
    this.#index = LedgerIndex.open(this.#indexPath, this.#indexed, identity);
    this.#flusher = new LedgerFlusher(options.catalog, options.store, options.tables, leaseOwner());
    const intervalMs = options.flushIntervalMs === undefined ? journalFlushIntervalMs : options.flushIntervalMs;
    if (intervalMs !== null) this.#flusher.start(intervalMs);
  }

  /** Makes missing tables, and brings the index up to the journal's head. */
  static async open(options: LedgerOptions): Promise<Ledger> {
    const uuids = await options.store.ensure(options.tables);
    const ledger = new Ledger(options, uuids.join(' '));
    await ledger.refresh();
    return ledger;
  }

  /** The entry that adds a row, to be committed with the change it belongs to. Throws INTERNAL where the row does not fit. */
  draft<Row extends LedgerRow>(table: LedgerTable<Row>, row: Row): JournalDraft {
    return { table: table.name, subject: table.subject(row), row: this.#codec(table).toJournal(row) };
  }

  /** The rows that match, of everything that was committed before the call. */
  async select<Row extends LedgerRow>(table: LedgerTable<Row>, query: LedgerQuery<Row> = {}): Promise<readonly Row[]> {
    try {
      await this.refresh();
      return this.selectNow<Row>(table, query);
    } catch (error) {
      if (!(error instanceof DamagedIndex)) throw error;
      await this.refresh();
      return this.selectNow(table, query);
    }
  }

  /** The one row with these values, the newest of several, or null. */
  async find<Row extends LedgerRow>(table: LedgerTable<Row>, where: NonNullable<LedgerQuery<Row>['where']>): Promise<Row | null> {
    const rows = await this.select<Row>(table, { where, orderBy: 'journal_seq DESC', limit: 1 });
    return rows[0] ?? null;
  }

  async count<Row extends LedgerRow>(table: LedgerTable<Row>, query: LedgerQuery<Row> = {}): Promise<bigint> {
    this.#indexedCodec(table);
    await this.refresh();
    this.#queries++;
    return this.#reading((index) => index.count(table.name, query as LedgerQuery<LedgerRow>));
  }

  /** As `select`, of what the last refresh saw: for several reads that must see the same. */
  selectNow<Row extends LedgerRow>(table: LedgerTable<Row>, query: LedgerQuery<Row> = {}): readonly Row[] {
    const codec = this.#indexedCodec(table);
    this.#queries++;
    return this.#reading((index) => index.select(table.name, query as LedgerQuery<LedgerRow>)).map(
      (cells) => codec.fromIndex(cells) as Row,
    );
  }

  /** Reads answered since the start: tests assert by it that answers cost a bounded number of them. */
  get queries(): number {
    return this.#queries;
  }

  /** The journal's sequence number through which the last refresh saw everything. */
  get appliedSeq(): bigint {
    return this.#reading((index) => index.appliedSeq);
  }

  /** Resolves when the index holds everything that was committed before the call. */
  refresh(): Promise<void> {
    if (this.#refreshing === null) return this.#begin();
    // What runs may have looked before the caller's commit: one more, shared by all who wait.
    this.#next ??= this.#refreshing.then(
      () => this.#begin(),
      () => this.#begin(),
    );
    return this.#next;
  }

  /**
   * Every row of a table from where it is kept for good, not from the local index, in batches in no particular order; the entries that
   * still wait in the journal come last. What the audit chain is checked on.
   */
  async *recorded<Row extends LedgerRow>(
    table: LedgerTable<Row>,
  ): AsyncIterable<readonly { readonly seq: bigint; readonly row: Row }[]> {
    const codec = this.#codec(table);
    const { pointer, entries } = await this.#catalog.systemTable(table.name, identifierOf(table.name));
    if (pointer !== null) {
      for await (const batch of this.#store.rowsAfter(codec.table, pointer, 0n))
        yield batch as readonly { seq: bigint; row: Row }[];
    }
    yield entries.map((entry) => ({ seq: entry.seq, row: codec.fromJournal(entry.row) as Row }));
  }

  /** Resolves when all that was committed before the call is in the Iceberg tables, of one table where it is named. */
  flush(table?: string): Promise<void> {
    return this.#flusher.flush(table);
  }

  /** Flushes what is left, and lets go of the index. */
  async close(): Promise<void> {
    await this.#flusher.close();
    try {
      await this.flush();
    } finally {
      await this.#refreshing?.catch(() => undefined);
      this.#index.close();
    }
  }

  #codec<Row extends LedgerRow>(table: LedgerTable<Row>): LedgerCodec {
    const codec = this.#codecs.get(table.name);
    if (codec !== undefined) return codec;
    throw new IcecoreError('INTERNAL', `${table.name} is not among the tables that the ledger was opened with.`);
  }

  #indexedCodec<Row extends LedgerRow>(table: LedgerTable<Row>): LedgerCodec {
    if (table.isIndexed !== false) return this.#codec(table);
    throw new IcecoreError('INTERNAL', `${table.name} is read by SQL alone: it has no local index.`);
  }

  #begin(): Promise<void> {
    this.#next = null;
    this.#refreshing = this.#catchUp().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  async #catchUp(): Promise<void> {
    // Before the head: another process that shares the index may commit and apply in between.
    const appliedBefore = this.appliedSeq;
    const head = await this.#catalog.headSeq();
    // A catalog that was put back to an earlier state: its history is not the one that was copied.
    if (appliedBefore > head) this.#reading((index) => index.clear());
    for (let applied = this.appliedSeq; applied < head; applied = this.appliedSeq) {
      const { entries, trimmedThroughSeq } = await this.#catalog.journalAfter(applied, ledgerBatchRowsMax);
      const last = entries.at(-1);
      if (applied < trimmedThroughSeq) await this.#catchUpFromTables(applied);
      else if (last === undefined) throw new IcecoreError('INTERNAL', `The journal ends before its head ${head}, at ${applied}.`);
      else this.#reading((index) => index.apply(this.#byTable(entries), last.seq));
    }
  }

  /** What the journal has forgotten is in the Iceberg tables: those first, then what waits on top. */
  async #catchUpFromTables(applied: bigint): Promise<void> {
    const head = await this.#catalog.headSeq();
    for (const [name, { table }] of this.#indexed) {
      const { pointer, entries } = await this.#catalog.systemTable(name, identifierOf(name));
      if (pointer !== null) {
        for await (const rows of this.#store.rowsAfter(table, pointer, applied)) {
          this.#reading((index) => index.apply(new Map([[name, rows]]), null));
        }
      }
      this.#reading((index) => index.apply(this.#byTable(entries), null));
    }
    this.#reading((index) => index.apply(new Map(), head));
  }

  #byTable(entries: readonly JournalEntry[]): ReadonlyMap<string, readonly SequencedRow[]> {
    const rows = new Map<string, SequencedRow[]>();
    for (const { table, seq, row } of entries) {
      const codec = this.#indexed.get(table);
      if (codec === undefined) continue;
      const list = rows.get(table) ?? [];
      list.push({ seq, row: codec.fromJournal(row) });
      rows.set(table, list);
    }
    return rows;
  }

  /** A damaged index is thrown away: the next refresh makes it again. */
  #reading<T>(read: (index: LedgerIndex) => T): T {
    try {
      return read(this.#index);
    } catch (error) {
      if (!isSqliteError(error) || isBusy(error) || isDiskFull(error)) throw error;
      this.#index.close();
      removeIndex(this.#indexPath);
      this.#index = LedgerIndex.open(this.#indexPath, this.#indexed, this.#identity);
      throw new DamagedIndex(error);
    }
  }
}

class DamagedIndex extends IcecoreError {
  constructor(cause: unknown) {
    super('OVERLOADED', 'The local index of the ledger was damaged and is being made again; repeat the call.', {
      cause,
      retryable: true,
    });
  }
}
