import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { catalogBusyMsMax, catalogBusySliceMs, catalogTrimEntriesMax } from '../limits.ts';
import type {
  Catalog,
  CatalogChange,
  CatalogCommit,
  ChainHead,
  CommitEvent,
  JournalEntry,
  LeaseHolder,
  Namespace,
  StoredAnswer,
  SystemTableState,
  TablePointer,
  ViewPointer,
} from './catalog.ts';
import type { PointerKind } from './refusals.ts';
import { claimKey, loadAnswer, trimAnswers } from './sqlite/answers.ts';
import { CommitWatch } from './sqlite/commit-watch.ts';
import { Database, isBusy, isNoDatabase, isSqliteError } from './sqlite/database.ts';
import {
  appendEntries,
  chainHead,
  checkGuards,
  entriesAfter,
  headSeq,
  markFlushed,
  pendingEntries,
  pendingTables,
  subjectSeq,
  trimJournal,
  trimmedThroughSeq,
} from './sqlite/journal.ts';
import { acquireLease, checkFences, leaseHolder, releaseLease, renewLease, trimLeases } from './sqlite/leases.ts';
import { migrate } from './sqlite/migrations.ts';
import { changeNamespaces, listNamespaces, loadNamespace } from './sqlite/namespaces.ts';
import { changePointers, listPointers, listPointersIn, loadPointer, loadPointerByUuid } from './sqlite/pointers.ts';
import { WriteQueue } from './sqlite/write-queue.ts';

/**
 * The embedded catalog: one SQLite file on a local disk, which several processes of one machine may share.
 * A write is on disk when its promise resolves. Reads see every commit that was acknowledged before them.
 */
export class SqliteCatalog implements Catalog {
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #writes: WriteQueue;
  readonly #watch: CommitWatch;

  private constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#writes = new WriteQueue(database);
    this.#watch = new CommitWatch(database);
  }

  /** Makes the file and its directory where missing. Throws FAILED_PRECONDITION where the file cannot be used. */
  static async open(path: string, clock: Clock): Promise<SqliteCatalog> {
    await mkdir(dirname(path), { recursive: true });
    const started = performance.now();
    for (;;) {
      try {
        return new SqliteCatalog(openDatabase(path, clock), clock);
      } catch (error) {
        // Turning the write-ahead log on does not wait for another process that is doing the same.
        const given = performance.now() - started > catalogBusyMsMax;
        if (!isBusy(error) || given) throw isSqliteError(error) ? unusable(path, error) : error;
        await pause(10 + Math.random() * 20);
      }
    }
  }

  async load(identifier: TableIdentifier): Promise<TablePointer | null> {
    return loadPointer(this.#database, 'table', identifier);
  }

  async loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]> {
    return this.#database.reading(() => identifiers.map((identifier) => loadPointer(this.#database, 'table', identifier)));
  }

  async loadByUuid(uuid: string): Promise<TablePointer | null> {
    return loadPointerByUuid(this.#database, uuid);
  }

  async loadManyByUuid(uuids: readonly string[]): Promise<readonly (TablePointer | null)[]> {
    return this.#database.reading(() => uuids.map((uuid) => loadPointerByUuid(this.#database, uuid)));
  }

  async list(options: {
    readonly kind?: PointerKind;
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]> {
    return listPointers(this.#database, options);
  }

  async listTablesIn(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]> {
    return listPointersIn(this.#database, 'table', options);
  }

  async loadView(identifier: TableIdentifier): Promise<ViewPointer | null> {
    return loadPointer(this.#database, 'view', identifier);
  }

  async listViews(options: {
    readonly namespace: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly ViewPointer[]> {
    return listPointersIn(this.#database, 'view', options);
  }

  async loadNamespace(parts: readonly string[]): Promise<Namespace | null> {
    return loadNamespace(this.#database, parts);
  }

  async listNamespaces(options: {
    readonly parent: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly Namespace[]> {
    return listNamespaces(this.#database, options);
  }

  commit(change: CatalogChange): Promise<CatalogCommit> {
    return this.#writes.enqueue(
      () => this.#apply(change),
      ({ head }) => this.#watch.emit({ pointers: change.pointers ?? [], headSeq: head }),
    );
  }

  async journalAfter(seq: bigint, limit: number): Promise<{ entries: readonly JournalEntry[]; trimmedThroughSeq: bigint }> {
    return this.#database.reading(() => ({
      entries: entriesAfter(this.#database, seq, limit),
      trimmedThroughSeq: trimmedThroughSeq(this.#database),
    }));
  }

  async systemTable(table: string, identifier: TableIdentifier): Promise<SystemTableState> {
    return this.#database.reading(() => ({
      pointer: loadPointer(this.#database, 'table', identifier),
      entries: pendingEntries(this.#database, table),
    }));
  }

  async pendingTables(): Promise<readonly string[]> {
    return pendingTables(this.#database);
  }

  /** `olderThanMs` is an age, counted from the flush. */
  async trim(olderThanMs: number): Promise<void> {
    const now = nowMs(this.#clock);
    await this.#writes.enqueue(() => {
      trimAnswers(this.#database, now);
      trimLeases(this.#database, now);
    });
    // A few at a time, so that commits get their turn.
    const trimSome = () => trimJournal(this.#database, now - olderThanMs, catalogTrimEntriesMax);
    while (!(await this.#writes.enqueue(trimSome)));
  }

  async headSeq(): Promise<bigint> {
    return headSeq(this.#database);
  }

  async subjectSeq(subject: string): Promise<bigint> {
    return subjectSeq(this.#database, subject);
  }

  async chainHead(chain: string): Promise<ChainHead> {
    return chainHead(this.#database, chain);
  }

  async answer(scope: string, key: string): Promise<StoredAnswer | null> {
    return loadAnswer(this.#database, scope, key, nowMs(this.#clock));
  }

  acquireLease(lease: string, owner: string, ttlMs: number): Promise<bigint | null> {
    return this.#writes.enqueue(() => acquireLease(this.#database, lease, owner, ttlMs, nowMs(this.#clock)));
  }

  renewLease(lease: string, owner: string, fence: bigint, ttlMs: number): Promise<boolean> {
    return this.#writes.enqueue(() => renewLease(this.#database, lease, owner, fence, ttlMs, nowMs(this.#clock)));
  }

  releaseLease(lease: string, owner: string, fence: bigint): Promise<void> {
    return this.#writes.enqueue(() => releaseLease(this.#database, lease, owner, fence));
  }

  async leaseHolder(lease: string): Promise<LeaseHolder | null> {
    return leaseHolder(this.#database, lease, nowMs(this.#clock));
  }

  onCommit(listener: (event: CommitEvent) => void): () => void {
    return this.#watch.add(listener);
  }

  async close(): Promise<void> {
    await this.#writes.close();
    this.#watch.close();
    this.#database.close();
  }

  #apply(change: CatalogChange): CatalogCommit & { readonly head: bigint } {
    const database = this.#database;
    const now = nowMs(this.#clock);
    checkFences(database, change.fences ?? [], now);
    for (const claim of change.claims ?? []) claimKey(database, claim, now);
    checkGuards(database, change.guards ?? []);
    changeNamespaces(database, change.namespaces ?? []);
    changePointers(database, { table: change.pointers ?? [], view: change.views ?? [] });
    const seqs = appendEntries(database, change.entries ?? [], change.links ?? []);
    for (const { table, throughSeq } of change.flushed ?? []) markFlushed(database, table, throughSeq, now);
    return { seqs, head: headSeq(database) };
  }
}

function openDatabase(path: string, clock: Clock): Database {
  const database = new Database(path, catalogBusySliceMs);
  try {
    database.execute('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');
    migrate(database, path, clock);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

function unusable(path: string, cause: unknown): IcecoreError {
  const what = isNoDatabase(cause) ? 'is not a SQLite database, or is damaged' : 'cannot be opened';
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The catalog file ${path} ${what}: name another file with --catalog sqlite:FILE, or see that this one can be written.`,
    { context: { catalog: path }, cause },
  );
}
