import type { ChainHead, ChainLink, Guard, JournalDraft, JournalEntry } from '../catalog.ts';
import { subjectChanged } from '../refusals.ts';
import { integer, text } from '../row.ts';
import type { Database, Row } from './database.ts';

const columns = 'seq, table_name, subject, body, flushed_at_ms IS NOT NULL AS flushed';
const hashBeforeFirst = '0'.repeat(64);

/** The newest sequence number ever given, 0 at first. */
export function headSeq(database: Database): bigint {
  const row = database.row('SELECT head_seq FROM counters');
  return row === undefined ? 0n : integer(row, 'head_seq');
}

export function subjectSeq(database: Database, subject: string): bigint {
  const row = database.row('SELECT seq FROM journal_heads WHERE subject = ?', subject);
  return row === undefined ? 0n : integer(row, 'seq');
}

export function chainHead(database: Database, chain: string): ChainHead {
  const row = database.row('SELECT seq, hash FROM chain_heads WHERE chain = ?', chain);
  return row === undefined ? { seq: 0n, hash: hashBeforeFirst } : { seq: integer(row, 'seq'), hash: text(row, 'hash') };
}

export function checkGuards(database: Database, guards: readonly Guard[]): void {
  for (const guard of guards) {
    const found = subjectSeq(database, guard.subject);
    if (found !== guard.seq) throw subjectChanged(guard, found);
  }
}

/** Appends entries, then seals the links one after the other. The sequence numbers in that order. */
export function appendEntries(
  database: Database,
  drafts: readonly JournalDraft[],
  links: readonly ChainLink[],
): readonly bigint[] {
  if (drafts.length + links.length === 0) return [];
  const seqs: bigint[] = [];
  let seq = headSeq(database);
  const append = (draft: JournalDraft): void => {
    seq += 1n;
    seqs.push(seq);
    insert(database, seq, draft);
  };
  drafts.forEach(append);
  for (const link of links) {
    const previous = chainHead(database, link.chain);
    const sealed = link.seal(previous);
    append(sealed.entry);
    database.run(
      'INSERT INTO chain_heads VALUES (?, ?, ?) ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, hash = excluded.hash',
      link.chain,
      previous.seq + 1n,
      sealed.hash,
    );
  }
  database.run('UPDATE counters SET head_seq = ?', seq);
  return seqs;
}

function insert(database: Database, seq: bigint, draft: JournalDraft): void {
  database.run(
    'INSERT INTO journal (seq, table_name, subject, body) VALUES (?, ?, ?, ?)',
    seq,
    draft.table,
    draft.subject,
    draft.row,
  );
  database.run(
    'INSERT INTO journal_heads VALUES (?, ?) ON CONFLICT (subject) DO UPDATE SET seq = excluded.seq',
    draft.subject,
    seq,
  );
}

export function markFlushed(database: Database, table: string, throughSeq: bigint, atMs: number): void {
  database.run(
    'UPDATE journal SET flushed_at_ms = ? WHERE table_name = ? AND seq <= ? AND flushed_at_ms IS NULL',
    atMs,
    table,
    throughSeq,
  );
}

export function entriesAfter(database: Database, seq: bigint, limit: number): readonly JournalEntry[] {
  return database.rows(`SELECT ${columns} FROM journal WHERE seq > ? ORDER BY seq LIMIT ?`, seq, limit).map(entryOf);
}

/** Above this number nothing is missing; below it flushed entries may be. */
export function trimmedThroughSeq(database: Database): bigint {
  const row = database.row('SELECT trimmed_through_seq FROM counters');
  return row === undefined ? 0n : integer(row, 'trimmed_through_seq');
}

export function pendingEntries(database: Database, table: string): readonly JournalEntry[] {
  return database
    .rows(`SELECT ${columns} FROM journal WHERE table_name = ? AND flushed_at_ms IS NULL ORDER BY seq`, table)
    .map(entryOf);
}

export function pendingTables(database: Database): readonly string[] {
  return database
    .rows('SELECT DISTINCT table_name FROM journal WHERE flushed_at_ms IS NULL ORDER BY table_name')
    .map((row) => text(row, 'table_name'));
}

/**
 * Forgets entries flushed before `beforeMs`, at most `limit` of them; false where some are left. Entries that wait for
 * their flush stay, whatever lies around them.
 */
export function trimJournal(database: Database, beforeMs: number, limit: number): boolean {
  const rows = database.rows(
    'DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE flushed_at_ms < ? ORDER BY flushed_at_ms LIMIT ?) RETURNING seq',
    beforeMs,
    limit,
  );
  for (const row of rows) {
    database.run('UPDATE counters SET trimmed_through_seq = max(trimmed_through_seq, ?)', integer(row, 'seq'));
  }
  return rows.length < limit;
}

function entryOf(row: Row): JournalEntry {
  return {
    seq: integer(row, 'seq'),
    table: text(row, 'table_name'),
    subject: text(row, 'subject'),
    row: text(row, 'body'),
    flushed: integer(row, 'flushed') === 1n,
  };
}
