import type { CatalogChange, IdempotencyRecord, StoredAnswer } from '../catalog.ts';
import { keyUsed } from '../refusals.ts';
import { integer, text } from '../row.ts';
import type { PostgresDatabase } from './database.ts';
import { StagedRows } from './staged-rows.ts';
import type { Writer } from './writer.ts';

/** What was answered under this idempotency key, null where nothing was or it has expired. */
export async function loadAnswer(
  database: PostgresDatabase,
  scope: string,
  key: string,
  nowMs: number,
): Promise<StoredAnswer | null> {
  const sql = 'SELECT input_sha256, answer FROM icecore.answers WHERE scope = $1 AND key = $2 AND expires_at_ms > $3';
  const [row] = await database.rows(sql, scope, key, nowMs);
  return row === undefined ? null : { inputSha256: text(row, 'input_sha256'), answer: text(row, 'answer') };
}

export async function trimAnswers(database: PostgresDatabase, nowMs: number): Promise<void> {
  await database.change('DELETE FROM icecore.answers WHERE expires_at_ms <= $1', nowMs);
}

type Claim = Pick<IdempotencyRecord, 'expiresAtMs'> & Partial<IdempotencyRecord>;

/** What a batch claims of idempotency keys. */
export class KeyClaims {
  readonly #rows = new StagedRows<Claim>();

  async read(writer: Writer, changes: readonly CatalogChange[]): Promise<void> {
    const claimed = changes.flatMap(({ claims = [] }) => claims);
    if (claimed.length === 0) return;
    const sql = `SELECT scope, key, expires_at_ms FROM icecore.answers
      WHERE (scope, key) IN (SELECT * FROM unnest($1::text[], $2::text[]))`;
    const { rows } = await writer.query(sql, [claimed.map(({ scope }) => scope), claimed.map(({ key }) => key)]);
    for (const row of rows) {
      const expiresAtMs = Number(integer(row, 'expires_at_ms'));
      this.#rows.found(rowKey(text(row, 'scope'), text(row, 'key')), { expiresAtMs });
    }
  }

  /** Throws CONFLICT (retryable) where the key was used meanwhile: the repeated call then finds the stored answer. */
  claim(record: IdempotencyRecord, nowMs: number): void {
    const key = rowKey(record.scope, record.key);
    const found = this.#rows.get(key);
    if (found !== null && found.expiresAtMs > nowMs) throw keyUsed(record);
    this.#rows.put(key, record);
  }

  keep(): void {
    this.#rows.keep();
  }

  discard(): void {
    this.#rows.discard();
  }

  write(writer: Writer): readonly Promise<unknown>[] {
    const claims = [...this.#rows.changes()].flatMap(({ after }) => after ?? []);
    if (claims.length === 0) return [];
    const sql = `INSERT INTO icecore.answers SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
      ON CONFLICT (scope, key) DO UPDATE SET
        input_sha256 = excluded.input_sha256, answer = excluded.answer, expires_at_ms = excluded.expires_at_ms`;
    const columns: readonly ((claim: Claim) => unknown)[] = [
      ({ scope }) => scope,
      ({ key }) => key,
      ({ inputSha256 }) => inputSha256,
      ({ answer }) => answer,
      ({ expiresAtMs }) => expiresAtMs,
    ];
    return [
      writer.query(
        sql,
        columns.map((column) => claims.map(column)),
      ),
    ];
  }
}

function rowKey(scope: string, key: string): string {
  return JSON.stringify([scope, key]);
}
