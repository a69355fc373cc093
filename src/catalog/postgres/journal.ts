import { printIdentifier, type TableIdentifier } from '../../iceberg/identifier.ts';
import type { ChainHead, JournalEntry, SystemTableState } from '../catalog.ts';
import { integer, type Row, text } from '../row.ts';
import type { PostgresDatabase } from './database.ts';
import { pointerOf } from './pointers.ts';

export const hashBeforeFirst = '0'.repeat(64);
const columns = 'j.seq, j.table_name, j.subject, j.body, j.flushed_at_ms IS NOT NULL AS flushed';

/** The newest sequence number ever given, 0 at first. */
export async function headSeq(database: PostgresDatabase): Promise<bigint> {
  const [row] = await database.rows('SELECT head_seq FROM icecore.counters');
  return row === undefined ? 0n : integer(row, 'head_seq');
}

export async function subjectSeq(database: PostgresDatabase, subject: string): Promise<bigint> {
  const [row] = await database.rows('SELECT seq FROM icecore.journal_heads WHERE subject = $1', subject);
  return row === undefined ? 0n : integer(row, 'seq');
}

export async function chainHead(database: PostgresDatabase, chain: string): Promise<ChainHead> {
  const [row] = await database.rows('SELECT seq, hash FROM icecore.chain_heads WHERE chain = $1', chain);
  return row === undefined ? { seq: 0n, hash: hashBeforeFirst } : chainHeadOf(row);
}

export function chainHeadOf(row: Row): ChainHead {
  return { seq: integer(row, 'seq'), hash: text(row, 'hash') };
}

/** Above `trimmedThroughSeq` nothing is missing; below it flushed entries may be. One statement, so both are of one moment. */
export async function journalAfter(
  database: PostgresDatabase,
  seq: bigint,
  limit: number,
): Promise<{ readonly entries: readonly JournalEntry[]; readonly trimmedThroughSeq: bigint }> {
  const sql = `SELECT c.trimmed_through_seq, ${columns} FROM icecore.counters c LEFT JOIN LATERAL
    (SELECT * FROM icecore.journal WHERE seq > $1 ORDER BY seq LIMIT $2) j ON true ORDER BY j.seq`;
  const rows = await database.rows(sql, seq, limit);
  const [first] = rows;
  const trimmedThroughSeq = first === undefined ? 0n : integer(first, 'trimmed_through_seq');
  return { entries: rows.flatMap(entryOf), trimmedThroughSeq };
}

/** The pointer and the unflushed entries of one of Icecore's own tables. One statement, so both are of one moment. */
export async function systemTable(
  database: PostgresDatabase,
  table: string,
  identifier: TableIdentifier,
): Promise<SystemTableState> {
  const sql = `SELECT p.namespace, p.name, p.uuid, p.metadata_location, ${columns} FROM (SELECT) AS one
    LEFT JOIN icecore.pointers p ON p.printed = $1 AND p.kind = 'table'
    LEFT JOIN icecore.journal j ON j.table_name = $2 AND j.flushed_at_ms IS NULL ORDER BY j.seq`;
  const rows = await database.rows(sql, printIdentifier(identifier), table);
  const [first] = rows;
  return {
    pointer: first === undefined || first.uuid === null ? null : pointerOf(first),
    entries: rows.flatMap(entryOf),
  };
}

/** Looks at one entry of each table, not at all of them. */
export async function pendingTables(database: PostgresDatabase): Promise<readonly string[]> {
  const rows = await database.rows(`
    WITH RECURSIVE pending (table_name) AS (
      (SELECT table_name FROM icecore.journal WHERE flushed_at_ms IS NULL ORDER BY table_name LIMIT 1)
      UNION ALL
      SELECT (
        SELECT j.table_name FROM icecore.journal j
        WHERE j.flushed_at_ms IS NULL AND j.table_name > pending.table_name ORDER BY j.table_name LIMIT 1
      ) FROM pending WHERE pending.table_name IS NOT NULL
    )
    SELECT table_name FROM pending WHERE table_name IS NOT NULL`);
  return rows.map((row) => text(row, 'table_name'));
}

/**
 * Forgets entries flushed before `beforeMs`, at most `limit` of them; false where some are left. Entries that wait for
 * their flush stay, whatever lies around them.
 */
export async function trimJournal(database: PostgresDatabase, beforeMs: number, limit: number): Promise<boolean> {
  const sql = `
    WITH old AS (
      SELECT seq FROM icecore.journal WHERE flushed_at_ms < $1 ORDER BY flushed_at_ms LIMIT $2
    ), gone AS (
      DELETE FROM icecore.journal WHERE seq IN (SELECT seq FROM old) RETURNING seq
    ), trimmed AS (
      UPDATE icecore.counters SET trimmed_through_seq = greatest(trimmed_through_seq, (SELECT max(seq) FROM gone))
      WHERE EXISTS (SELECT FROM gone)
    )
    SELECT count(*) AS gone FROM gone`;
  const [row] = await database.rows(sql, beforeMs, limit);
  return row === undefined || integer(row, 'gone') < BigInt(limit);
}

function entryOf(row: Row): JournalEntry | [] {
  if (row.seq === null) return [];
  return {
    seq: integer(row, 'seq'),
    table: text(row, 'table_name'),
    subject: text(row, 'subject'),
    row: text(row, 'body'),
    flushed: row.flushed === true,
  };
}
