import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { integer, text } from '../catalog/row.ts';
import { Database } from '../catalog/sqlite/database.ts';
import { ledgerBatchRowsMax } from '../limits.ts';
import type { AuditRow } from './audit-entry.ts';

/**
 * Rows that come in any order, in the order of their `seq`, those with the same `seq` as they came. Sorted on disk in `directory`, so
 * that memory does not grow with the chain.
 */
export async function* inChainOrder(batches: AsyncIterable<readonly AuditRow[]>, directory: string): AsyncIterable<AuditRow> {
  const own = await mkdtemp(join(directory, 'audit-chain-'));
  const database = new Database(join(own, 'rows.sqlite'), 0);
  try {
    database.execute('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN;');
    database.execute('CREATE TABLE links (id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, row TEXT NOT NULL)');
    for await (const batch of batches) {
      for (const row of batch) database.run('INSERT INTO links (seq, row) VALUES (?, ?)', row.seq, print(row));
    }
    database.execute('CREATE INDEX by_seq ON links (seq, id)');
    let after = { seq: -1n, id: 0n };
    for (;;) {
      const page = database.rows(
        'SELECT id, seq, row FROM links WHERE (seq, id) > (?, ?) ORDER BY seq, id LIMIT ?',
        after.seq,
        after.id,
        ledgerBatchRowsMax,
      );
      const last = page.at(-1);
      if (last === undefined) return;
      for (const row of page) yield parse(text(row, 'row'));
      after = { seq: integer(last, 'seq'), id: integer(last, 'id') };
    }
  } finally {
    database.close();
    await rm(own, { recursive: true, force: true });
  }
}

function print(row: AuditRow): string {
  return JSON.stringify({ ...row, seq: row.seq.toString(), at: row.at.toString() });
}

function parse(json: string): AuditRow {
  const row = JSON.parse(json) as Omit<AuditRow, 'seq' | 'at'> & { readonly seq: string; readonly at: string };
  return { ...row, seq: BigInt(row.seq), at: BigInt(row.at) };
}
