import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { DatabaseError } from 'pg';
import { type Clock, nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { catalogConnectMsMax, catalogGoodbyeMsMax, catalogTrimEntriesMax } from '../limits.ts';
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
import { parsePostgresAddress } from './postgres/address.ts';
import { loadAnswer, trimAnswers } from './postgres/answers.ts';
import { CommitBatch, type Outcome } from './postgres/commit-batch.ts';
import { CommitWatch, commitChannel } from './postgres/commit-watch.ts';
import { PostgresDatabase } from './postgres/database.ts';
import { nothingWritten, reasonOf, troubleOf } from './postgres/database-error.ts';
import { chainHead, headSeq, journalAfter, pendingTables, subjectSeq, systemTable, trimJournal } from './postgres/journal.ts';
import { acquireLease, leaseHolder, releaseLease, renewLease, trimLeases } from './postgres/leases.ts';
import { migrate } from './postgres/migrations.ts';
import { listNamespaces, loadNamespace } from './postgres/namespaces.ts';
import { listPointers, listPointersIn, loadPointers, loadPointersByUuid } from './postgres/pointers.ts';
import { WriteQueue } from './postgres/write-queue.ts';
import { trimWriters, writeTransaction } from './postgres/write-transaction.ts';
import type { PointerKind } from './refusals.ts';

interface Page {
  readonly namespace: readonly string[];
  readonly after?: string;
  readonly limit: number;
}

/**
 * A catalog in a Postgres database, which servers on many machines may share. A write is durable when its promise resolves, as far as
 * Postgres is set up so (`fsync`, `synchronous_commit`). Reads see every commit that was acknowledged before them, on any server.
 */
export class PostgresCatalog implements Catalog {
  readonly #database: PostgresDatabase;
  readonly #clock: Clock;
  readonly #origin = randomUUID();
  readonly #writes: WriteQueue;
  readonly #watch: CommitWatch;

  private constructor(database: PostgresDatabase, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#writes = new WriteQueue(
      (changes) => this.#write(changes),
      (error) => IcecoreError.is(error) && ['data', 'other'].includes(troubleOf(error.cause)),
    );
    this.#watch = new CommitWatch(database, this.#origin);
  }

  /**
   * Opens the database of `postgres://user:password@host:port/database`, making the schema `icecore` in it where it is missing. Throws
   * BAD_USER_INPUT for an address that is none, FAILED_PRECONDITION where the database cannot be used.
   */
  static async open(uri: string, clock: Clock, options: { readonly unreachableMsMax?: number } = {}): Promise<PostgresCatalog> {
    const database = new PostgresDatabase(parsePostgresAddress(uri), options.unreachableMsMax);
    try {
      await prepare(database, clock);
      const catalog = new PostgresCatalog(database, clock);
      await catalog.#watch.start();
      return catalog;
    } catch (error) {
      await database.close();
      throw IcecoreError.is(error) ? error : unusable(database.printed, error);
    }
  }

  async load(identifier: TableIdentifier): Promise<TablePointer | null> {
    return (await this.loadMany([identifier]))[0] ?? null;
  }

  loadMany(identifiers: readonly TableIdentifier[]): Promise<readonly (TablePointer | null)[]> {
    return loadPointers(this.#database, 'table', identifiers);
  }

  async loadByUuid(uuid: string): Promise<TablePointer | null> {
    return (await this.loadManyByUuid([uuid]))[0] ?? null;
  }

  loadManyByUuid(uuids: readonly string[]): Promise<readonly (TablePointer | null)[]> {
    return loadPointersByUuid(this.#database, uuids);
  }

  list(options: {
    readonly kind?: PointerKind;
    readonly namespace?: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly TablePointer[]> {
    return listPointers(this.#database, options);
  }

  listTablesIn(options: Page): Promise<readonly TablePointer[]> {
    return listPointersIn(this.#database, 'table', options);
  }

  async loadView(identifier: TableIdentifier): Promise<ViewPointer | null> {
    return (await loadPointers(this.#database, 'view', [identifier]))[0] ?? null;
  }

  listViews(options: Page): Promise<readonly ViewPointer[]> {
    return listPointersIn(this.#database, 'view', options);
  }

  loadNamespace(parts: readonly string[]): Promise<Namespace | null> {
    return loadNamespace(this.#database, parts);
  }

  listNamespaces(options: {
    readonly parent: readonly string[];
    readonly after?: string;
    readonly limit: number;
  }): Promise<readonly Namespace[]> {
    return listNamespaces(this.#database, options);
  }

  commit(change: CatalogChange): Promise<CatalogCommit> {
    return this.#writes.enqueue(change, (head) => this.#watch.listeners.emit({ pointers: change.pointers ?? [], headSeq: head }));
  }

  journalAfter(
    seq: bigint,
    limit: number,
  ): Promise<{ readonly entries: readonly JournalEntry[]; readonly trimmedThroughSeq: bigint }> {
    return journalAfter(this.#database, seq, limit);
  }

  systemTable(table: string, identifier: TableIdentifier): Promise<SystemTableState> {
    return systemTable(this.#database, table, identifier);
  }

  pendingTables(): Promise<readonly string[]> {
    return pendingTables(this.#database);
  }

  /** `olderThanMs` is an age, counted from the flush. */
  async trim(olderThanMs: number): Promise<void> {
    const now = nowMs(this.#clock);
    await trimAnswers(this.#database, now);
    await trimLeases(this.#database, now);
    await trimWriters(this.#database);
    // A few at a time, so that commits get their turn.
    while (!(await trimJournal(this.#database, now - olderThanMs, catalogTrimEntriesMax)));
  }

  headSeq(): Promise<bigint> {
    return headSeq(this.#database);
  }

  subjectSeq(subject: string): Promise<bigint> {
    return subjectSeq(this.#database, subject);
  }

  chainHead(chain: string): Promise<ChainHead> {
    return chainHead(this.#database, chain);
  }

  answer(scope: string, key: string): Promise<StoredAnswer | null> {
    return loadAnswer(this.#database, scope, key, nowMs(this.#clock));
  }

  acquireLease(lease: string, owner: string, ttlMs: number): Promise<bigint | null> {
    return acquireLease(this.#database, lease, owner, ttlMs, nowMs(this.#clock));
  }

  renewLease(lease: string, owner: string, fence: bigint, ttlMs: number): Promise<boolean> {
    return renewLease(this.#database, lease, owner, fence, ttlMs, nowMs(this.#clock));
  }

  releaseLease(lease: string, owner: string, fence: bigint): Promise<void> {
    return releaseLease(this.#database, lease, owner, fence);
  }

  leaseHolder(lease: string): Promise<LeaseHolder | null> {
    return leaseHolder(this.#database, lease, nowMs(this.#clock));
  }

  onCommit(listener: (event: CommitEvent) => void): () => void {
    return this.#watch.listeners.add(listener);
  }

  async close(): Promise<void> {
    await this.#writes.close();
    const closed = Promise.all([this.#watch.close(), this.#database.close()]);
    await Promise.race([closed, pause(catalogGoodbyeMsMax, undefined, { ref: false })]);
  }

  /** Commits a batch, and tells the other servers of it in the same transaction. */
  async #write(changes: readonly CatalogChange[]): Promise<readonly Outcome[]> {
    const decided = await writeTransaction(this.#database, {
      origin: this.#origin,
      decide: async (writer, counters) => {
        const batch = new CommitBatch(changes);
        return { batch, outcomes: await batch.decide(writer, counters, () => nowMs(this.#clock)) };
      },
      write: (writer, { batch, outcomes }, counters) => {
        if (!outcomes.some(({ kept }) => kept)) return null;
        const commits = counters.commits + 1n;
        return [
          ...batch.write(writer),
          writer.query('UPDATE icecore.counters SET head_seq = $1, commits = $2', [batch.headSeq, commits]),
          writer.query('SELECT pg_notify($1, $2)', [commitChannel, `${this.#origin} ${batch.headSeq} ${commits}`]),
        ];
      },
    });
    return decided.outcomes;
  }
}

/** Waits for a Postgres that is starting. */
async function prepare(database: PostgresDatabase, clock: Clock): Promise<void> {
  const started = performance.now();
  for (;;) {
    try {
      return await database.migrating((transaction) => migrate(transaction, database.printed, clock));
    } catch (error) {
      const starting = error instanceof DatabaseError && error.code === '57P03';
      if (!starting || performance.now() - started > catalogConnectMsMax) throw error;
      await pause(100);
    }
  }
}

function unusable(printed: string, cause: unknown): unknown {
  const refused = (what: string) =>
    new IcecoreError('FAILED_PRECONDITION', `The catalog at ${printed} ${what}.`, { context: { catalog: printed }, cause });
  const code = cause instanceof DatabaseError ? (cause.code ?? '') : '';
  if (code.startsWith('28')) return refused('refuses the login: see the user and the password in --catalog, or PGPASSWORD');
  if (code === '3D000') return refused('does not exist: create the database first');
  if (code === '42501') return refused(`does not let its user make the schema icecore: ${reasonOf(cause)}`);
  const reason = reasonOf(cause);
  if (/CERT|TLS|SSL/.test(reason)) return refused(`cannot be trusted (${reason}): see sslmode and sslrootcert in --catalog`);
  if (reason === 'ENOENT' || reason === 'EACCES') return refused('cannot be tried: a file that --catalog names cannot be read');
  if (troubleOf(cause) === 'lost') return refused(`cannot be reached (${reason}): see that Postgres runs there`);
  return nothingWritten(cause, printed);
}
