import type { CatalogChange, Fence, LeaseHolder } from '../catalog.ts';
import { leaseLost } from '../refusals.ts';
import { integer, type Row, text } from '../row.ts';
import type { PostgresDatabase } from './database.ts';
import type { Writer } from './writer.ts';

/**
 * Leases lapse by the clock of the server that looks. Where the clocks of two machines differ by d, one may take a lease over up to d
 * before its owner thinks it lapsed, and both work for a while; the fencing number lets only the later one record anything. So skew costs
 * work that is done twice, never a record that is made twice; keep clocks within a second (NTP), a tenth of a lease.
 */

/** The fencing number: the same one while the owner's lease runs, a new one after it lapsed; null where another holds it. */
export async function acquireLease(
  database: PostgresDatabase,
  lease: string,
  owner: string,
  ttlMs: number,
  nowMs: number,
): Promise<bigint | null> {
  // Numbers of a sequence rise and are never given twice, whatever becomes of the transaction. Of two that come at once one waits for the
  // row, and then sees whose it is.
  const sql = `INSERT INTO icecore.leases AS held VALUES ($1, $2, nextval('icecore.fences'), $3)
    ON CONFLICT (lease) DO UPDATE SET
      owner = excluded.owner,
      fence = CASE WHEN held.expires_at_ms > $4 THEN held.fence ELSE excluded.fence END,
      expires_at_ms = excluded.expires_at_ms
    WHERE held.owner = excluded.owner OR held.expires_at_ms <= $4
    RETURNING fence`;
  const [row] = await database.rows(sql, lease, owner, nowMs + ttlMs, nowMs);
  return row === undefined ? null : integer(row, 'fence');
}

/** False where the lease lapsed or went to another: it cannot be had back by renewing. */
export async function renewLease(
  database: PostgresDatabase,
  lease: string,
  owner: string,
  fence: bigint,
  ttlMs: number,
  nowMs: number,
): Promise<boolean> {
  const sql = `UPDATE icecore.leases SET expires_at_ms = $1
    WHERE lease = $2 AND owner = $3 AND fence = $4 AND expires_at_ms > $5`;
  return (await database.change(sql, nowMs + ttlMs, lease, owner, fence, nowMs)) === 1;
}

export async function releaseLease(database: PostgresDatabase, lease: string, owner: string, fence: bigint): Promise<void> {
  await database.change('DELETE FROM icecore.leases WHERE lease = $1 AND owner = $2 AND fence = $3', lease, owner, fence);
}

/** Who holds it now, null where nobody does. */
export async function leaseHolder(database: PostgresDatabase, lease: string, nowMs: number): Promise<LeaseHolder | null> {
  const sql = 'SELECT lease, owner, fence FROM icecore.leases WHERE lease = $1 AND expires_at_ms > $2';
  const [row] = await database.rows(sql, lease, nowMs);
  return row === undefined ? null : holderOf(row);
}

/** Lapsed leases need no row: fencing numbers rise over the whole catalog, so none is given twice. */
export async function trimLeases(database: PostgresDatabase, nowMs: number): Promise<void> {
  await database.change('DELETE FROM icecore.leases WHERE expires_at_ms <= $1', nowMs);
}

/** The leases that a batch's fences name. */
export class HeldLeases {
  readonly #rows = new Map<string, LeaseHolder & { readonly expiresAtMs: bigint }>();

  /** Locks their rows, so that none is taken over before the batch is committed. */
  async read(writer: Writer, changes: readonly CatalogChange[]): Promise<void> {
    const leases = new Set(changes.flatMap((change) => (change.fences ?? []).map(({ lease }) => lease)));
    if (leases.size === 0) return;
    const sql = `SELECT lease, owner, fence, expires_at_ms FROM icecore.leases WHERE lease = ANY($1) ORDER BY lease FOR SHARE`;
    const { rows } = await writer.query(sql, [[...leases]]);
    for (const row of rows) this.#rows.set(text(row, 'lease'), { ...holderOf(row), expiresAtMs: integer(row, 'expires_at_ms') });
  }

  /** Throws CONFLICT where one is no longer held under its number. */
  check(fences: readonly Fence[], nowMs: number): void {
    for (const fence of fences) {
      const row = this.#rows.get(fence.lease);
      const held = row !== undefined && row.expiresAtMs > nowMs ? row : null;
      if (held?.fence !== fence.fence) throw leaseLost(fence, held);
    }
  }
}

function holderOf(row: Row): LeaseHolder {
  return { owner: text(row, 'owner'), fence: integer(row, 'fence') };
}
