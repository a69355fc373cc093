import type { QueryResult } from 'pg';
import { integer, type Row } from '../row.ts';
import type { PostgresDatabase } from './database.ts';
import { inDoubt, troubleOf } from './database-error.ts';
import type { Writer } from './writer.ts';

/** What the catalog counts, as the transaction found it and holds it locked. */
export interface Counters {
  readonly headSeq: bigint;
  /** Transactions committed under the lock, whether or not they had entries. */
  readonly commits: bigint;
}

export interface WriteWork<Decision> {
  /** Names this server; no other ever has the same. */
  readonly origin: string;
  /** Sends all that has to be read, sees what was committed before the lock was had, and decides. May be called again. */
  decide(writer: Writer, counters: Promise<Counters>): Promise<Decision>;
  /** Sends the statements that make it so; null where there is nothing to write. */
  write(writer: Writer, decision: Decision, counters: Counters): readonly Promise<unknown>[] | null;
}

/** A transaction whose COMMIT was sent and not acknowledged. */
interface Doubt<Decision> {
  readonly decision: Decision;
  /** The number that it has if it was committed. */
  readonly commits: bigint;
  readonly error: unknown;
}

/**
 * One transaction under the catalog's write lock, which is the row of counters: whoever holds it is the only one that writes anywhere in
 * the catalog, on any server, until it has committed. So READ COMMITTED suffices: a statement after the lock sees every commit before it,
 * and none comes between. It takes two round trips: the lock and the reads, then the writes and the COMMIT.
 *
 * A transaction leaves its number with the name of its server. Where the connection breaks before the COMMIT was answered, the lock is
 * taken again: once it is had, that transaction has ended, and its number is there or is not; so nothing is made twice and nothing is
 * taken for made that is not. (Its xid would not tell: after a crash Postgres may give it to another transaction.)
 *
 * Throws what `decide` throws, and OVERLOADED where nothing was written. Only where it could not be learnt in time whether it was, the
 * error is INTERNAL, which claims neither.
 */
export async function writeTransaction<Decision>(database: PostgresDatabase, work: WriteWork<Decision>): Promise<Decision> {
  let doubt: Doubt<Decision> | null = null;
  try {
    return await database.untilReached(async () => {
      const attempt = await attemptOnce(database, work, doubt, () => {
        doubt = null;
      });
      if (!('error' in attempt)) return attempt.decision;
      doubt = attempt;
      throw attempt.error;
    });
  } catch (error) {
    // Its type is narrowed to null: it is set in the closure.
    const left = doubt as Doubt<Decision> | null;
    throw left === null ? error : inDoubt(left.error, database.printed);
  }
}

async function attemptOnce<Decision>(
  database: PostgresDatabase,
  work: WriteWork<Decision>,
  doubt: Doubt<Decision> | null,
  settled: () => void,
): Promise<{ readonly decision: Decision } | Doubt<Decision>> {
  const writer = await database.writer();
  let isSound = false;
  try {
    const begun = writer.control('BEGIN ISOLATION LEVEL READ COMMITTED');
    const locked = writer.query('SELECT head_seq, commits FROM icecore.counters FOR UPDATE').then(countersOf);
    const last = doubt === null ? null : lastCommit(writer, work.origin);
    const [, counters, own, decision] = await allOf([begun, locked, last, work.decide(writer, locked)]);
    if (doubt !== null && own === doubt.commits) {
      await writer.control('ROLLBACK');
      isSound = true;
      return { decision: doubt.decision };
    }
    settled();
    const statements = work.write(writer, decision, counters);
    if (statements === null) {
      await writer.control('ROLLBACK');
      isSound = true;
      return { decision };
    }
    const commits = counters.commits + 1n;
    const error = await commit(writer, [...statements, leaveNumber(writer, work.origin, commits)]);
    isSound = error === null;
    return isSound ? { decision } : { decision, commits, error };
  } finally {
    writer.release(isSound);
  }
}

/** Null once it is committed; the error where that is not known. Throws the error of a statement that made Postgres roll back. */
async function commit(writer: Writer, statements: readonly Promise<unknown>[]): Promise<unknown> {
  const [committed, ...written] = await Promise.allSettled([writer.control('COMMIT'), ...statements]);
  const failed = written.find((outcome) => outcome.status === 'rejected');
  if (committed.status === 'rejected') {
    if (failed !== undefined && troubleOf(failed.reason) !== 'lost') throw failed.reason;
    return committed.reason;
  }
  // In a transaction that has failed Postgres takes COMMIT for ROLLBACK.
  if ((committed.value as QueryResult).command === 'COMMIT') return null;
  throw failed?.reason ?? new Error('COMMIT was answered by ROLLBACK');
}

function leaveNumber(writer: Writer, origin: string, commits: bigint): Promise<unknown> {
  const sql = `INSERT INTO icecore.writers VALUES ($1, $2, now())
    ON CONFLICT (origin) DO UPDATE SET commits = excluded.commits, committed_at = excluded.committed_at`;
  return writer.query(sql, [origin, commits]);
}

/** The number of the newest transaction that this server committed; null where it has not. */
async function lastCommit(writer: Writer, origin: string): Promise<bigint | null> {
  const { rows } = await writer.query('SELECT commits FROM icecore.writers WHERE origin = $1', [origin]);
  return rows[0] === undefined ? null : integer(rows[0], 'commits');
}

/** Forgets servers that have not committed for a day: none of them can have a commit in doubt. */
export async function trimWriters(database: PostgresDatabase): Promise<void> {
  await database.change("DELETE FROM icecore.writers WHERE committed_at < now() - interval '1 day'");
}

function countersOf({ rows: [row] }: { readonly rows: readonly Row[] }): Counters {
  if (row === undefined) throw new TypeError('the catalog has no counters');
  return { headSeq: integer(row, 'head_seq'), commits: integer(row, 'commits') };
}

/** The values once all have settled, so that nothing is under way where this throws: the first error, since others follow from it. */
async function allOf<const T extends readonly unknown[]>(promises: T): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(promises);
  return (await Promise.all(promises)) as { -readonly [K in keyof T]: Awaited<T[K]> };
}
