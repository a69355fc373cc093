import { setTimeout as pause } from 'node:timers/promises';
import type { QueryResult } from 'pg';
import { catalogUnreachableMsMax } from '../../limits.ts';
import { type PostgresDatabase, reconnectPauseMs, type Writer } from './database.ts';
import { inDoubt, nothingWritten, troubleOf } from './database-error.ts';
import { integer, type Row, text } from './row.ts';

/** What the catalog counts, as the transaction found it and holds it locked. */
export interface Counters {
  readonly headSeq: bigint;
  /** Batches committed, whether or not they had entries. */
  readonly commits: bigint;
}

export interface WriteWork<Decision> {
  /** Sends all that has to be read, sees what was committed before the lock was had, and decides. Pure but for that: it may be called again. */
  decide(writer: Writer, counters: Promise<Counters>): Promise<Decision>;
  /** Sends the statements that make it so; null where there is nothing to write. */
  write(writer: Writer, decision: Decision): readonly Promise<unknown>[] | null;
}

/**
 * One transaction under the catalog's write lock, which is the row of counters: whoever holds it is the only one that writes anywhere in
 * the catalog, on any server, until it has committed. So READ COMMITTED suffices: a statement after the lock sees every commit before it,
 * and none comes between. It takes two round trips: the lock and the reads, then the writes and the COMMIT.
 *
 * Throws what `decide` throws, and OVERLOADED where nothing was written. Where the connection breaks before the COMMIT was sent, the
 * transaction is made again; where it breaks afterwards, Postgres is asked what became of it, and only where that cannot be
 * learnt in time the error is INTERNAL, which claims neither outcome.
 */
export async function writeTransaction<Decision>(database: PostgresDatabase, work: WriteWork<Decision>): Promise<Decision> {
  const started = performance.now();
  for (let tries = 0; ; tries += 1) {
    try {
      const attempt = await attemptOnce(database, work);
      if (attempt.error === null || (await isCommitted(database, attempt.xid, attempt.error))) return attempt.decision;
    } catch (error) {
      const trouble = troubleOf(error);
      const givenUp = performance.now() - started > catalogUnreachableMsMax;
      if (givenUp || (trouble !== 'lost' && trouble !== 'repeatable')) throw nothingWritten(error, database.printed);
    }
    await pause(reconnectPauseMs(tries));
  }
}

interface Attempt<Decision> {
  readonly decision: Decision;
  readonly xid: string;
  /** Of a COMMIT that was sent and not acknowledged. */
  readonly error: unknown;
}

async function attemptOnce<Decision>(database: PostgresDatabase, work: WriteWork<Decision>): Promise<Attempt<Decision>> {
  const writer = await database.writer();
  let isSound = false;
  try {
    const begun = writer.query('BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE');
    const locked = writer.query<Row>(
      'SELECT head_seq, commits, pg_current_xact_id()::text AS xid FROM icecore.counters FOR UPDATE',
    );
    const counters = locked.then(({ rows: [row] }) => countersOf(row));
    const [, { xid }, decision] = await inOrder([begun, counters, work.decide(writer, counters)]);
    const statements = work.write(writer, decision);
    if (statements === null) {
      await writer.query('ROLLBACK');
      isSound = true;
      return { decision, xid, error: null };
    }
    const error = await commit(writer, statements);
    isSound = error === null;
    return { decision, xid, error };
  } finally {
    writer.release(!isSound);
  }
}

/** Null once it is committed; the error where that is not known. Throws the error of a statement that made Postgres roll back. */
async function commit(writer: Writer, statements: readonly Promise<unknown>[]): Promise<unknown> {
  const sent = await Promise.allSettled([writer.query('COMMIT'), ...statements]);
  const [committed, ...written] = sent;
  const failed = written.find((outcome) => outcome.status === 'rejected');
  if (committed?.status !== 'fulfilled') {
    if (failed !== undefined && troubleOf(failed.reason) !== 'lost') throw failed.reason;
    return committed?.reason ?? new Error('COMMIT was not answered');
  }
  // In a transaction that has failed Postgres takes COMMIT for ROLLBACK.
  if ((committed.value as QueryResult).command === 'COMMIT') return null;
  throw failed?.reason ?? new Error('COMMIT was answered by ROLLBACK');
}

/** What became of a transaction whose COMMIT was not acknowledged. Throws INTERNAL where it cannot be learnt in time. */
async function isCommitted(database: PostgresDatabase, xid: string, error: unknown): Promise<boolean> {
  const started = performance.now();
  for (let tries = 0; performance.now() - started < catalogUnreachableMsMax; tries += 1) {
    const status = await statusOf(database, xid);
    if (status === 'committed') return true;
    if (status === 'aborted') return false;
    // Of a transaction of another cluster, or one long gone.
    if (status === null) break;
    await pause(reconnectPauseMs(tries));
  }
  throw inDoubt(error, database.printed);
}

async function statusOf(database: PostgresDatabase, xid: string): Promise<string | null> {
  try {
    const [row] = await database.rows('SELECT pg_xact_status($1::xid8) AS status', xid);
    return row === undefined || row.status === null ? null : text(row, 'status');
  } catch {
    return null;
  }
}

function countersOf(row: Row | undefined): Counters & { readonly xid: string } {
  if (row === undefined) throw new TypeError('the catalog has no counters');
  return { headSeq: integer(row, 'head_seq'), commits: integer(row, 'commits'), xid: text(row, 'xid') };
}

/** The values once all have settled, so that nothing is under way where this throws: the first error, since others follow from it. */
async function inOrder<const T extends readonly unknown[]>(promises: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
