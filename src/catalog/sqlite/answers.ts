import type { IdempotencyRecord, StoredAnswer } from '../catalog.ts';
import { keyUsed } from '../refusals.ts';
import { text } from '../row.ts';
import type { Database } from './database.ts';

/** What was answered under this idempotency key, null where nothing was or it has expired. */
export function loadAnswer(database: Database, scope: string, key: string, nowMs: number): StoredAnswer | null {
  const row = database.row(
    'SELECT input_sha256, answer FROM answers WHERE scope = ? AND key = ? AND expires_at_ms > ?',
    scope,
    key,
    nowMs,
  );
  return row === undefined ? null : { inputSha256: text(row, 'input_sha256'), answer: text(row, 'answer') };
}

/** Throws CONFLICT (retryable) where the key was used meanwhile: the repeated call then finds the stored answer. */
export function claimKey(database: Database, record: IdempotencyRecord, nowMs: number): void {
  if (loadAnswer(database, record.scope, record.key, nowMs) !== null) throw keyUsed(record);
  database.run(
    'INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?)',
    record.scope,
    record.key,
    record.inputSha256,
    record.answer,
    record.expiresAtMs,
  );
}

export function trimAnswers(database: Database, nowMs: number): void {
  database.run('DELETE FROM answers WHERE expires_at_ms <= ?', nowMs);
}
