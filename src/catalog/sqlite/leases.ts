import type { Fence, LeaseHolder } from '../catalog.ts';
import { leaseLost } from '../refusals.ts';
import { integer, text } from '../row.ts';
import type { Database, Row } from './database.ts';

/** The fencing number: the same one while the owner's lease runs, a new one after it lapsed; null where another holds it. */
export function acquireLease(database: Database, lease: string, owner: string, ttlMs: number, nowMs: number): bigint | null {
  const held = leaseRow(database, lease, nowMs);
  if (held !== undefined && text(held, 'owner') !== owner) return null;
  const fence = held === undefined ? nextFence(database) : integer(held, 'fence');
  database.run('INSERT OR REPLACE INTO leases VALUES (?, ?, ?, ?)', lease, owner, fence, nowMs + ttlMs);
  return fence;
}

/** False where the lease lapsed or went to another: it cannot be had back by renewing. */
export function renewLease(
  database: Database,
  lease: string,
  owner: string,
  fence: bigint,
  ttlMs: number,
  nowMs: number,
): boolean {
  const changed = database.run(
    'UPDATE leases SET expires_at_ms = ? WHERE lease = ? AND owner = ? AND fence = ? AND expires_at_ms > ?',
    nowMs + ttlMs,
    lease,
    owner,
    fence,
    nowMs,
  );
  return changed === 1n;
}

export function releaseLease(database: Database, lease: string, owner: string, fence: bigint): void {
  database.run('DELETE FROM leases WHERE lease = ? AND owner = ? AND fence = ?', lease, owner, fence);
}

/** Who holds it now, null where nobody does. */
export function leaseHolder(database: Database, lease: string, nowMs: number): LeaseHolder | null {
  const held = leaseRow(database, lease, nowMs);
  return held === undefined ? null : { owner: text(held, 'owner'), fence: integer(held, 'fence') };
}

export function checkFences(database: Database, fences: readonly Fence[], nowMs: number): void {
  for (const fence of fences) {
    const held = leaseHolder(database, fence.lease, nowMs);
    if (held?.fence !== fence.fence) throw leaseLost(fence, held);
  }
}

/** Lapsed leases need no row: fencing numbers rise over the whole catalog, so none is given twice. */
export function trimLeases(database: Database, nowMs: number): void {
  database.run('DELETE FROM leases WHERE expires_at_ms <= ?', nowMs);
}

function leaseRow(database: Database, lease: string, nowMs: number): Row | undefined {
  return database.row('SELECT owner, fence FROM leases WHERE lease = ? AND expires_at_ms > ?', lease, nowMs);
}

function nextFence(database: Database): bigint {
  const row = database.row('UPDATE counters SET fence = fence + 1 RETURNING fence');
  if (row === undefined) throw new TypeError('the catalog has no counters');
  return integer(row, 'fence');
}
