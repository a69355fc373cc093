import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { Catalog } from './catalog.ts';

/** What this process calls itself when it takes leases: host, process id, and a random part, since process ids come again. */
export function leaseOwner(): string {
  return `${hostname()}:${process.pid}:${randomBytes(6).toString('hex')}`;
}

/**
 * Takes a lease as `acquireLease` does, and at once also from a process of this host that is gone: after a crash nobody waits for the
 * lease to lapse. The fencing number, or null where another holds it.
 */
export async function takeLease(catalog: Catalog, lease: string, owner: string, ttlMs: number): Promise<bigint | null> {
  const fence = await catalog.acquireLease(lease, owner, ttlMs);
  if (fence !== null) return fence;
  const holder = await catalog.leaseHolder(lease);
  if (holder === null || !isGone(holder.owner)) return null;
  await catalog.releaseLease(lease, holder.owner, holder.fence);
  return catalog.acquireLease(lease, owner, ttlMs);
}

/** True only where it is certain: a process of this host that does not run any more. */
function isGone(owner: string): boolean {
  const match = /^(.+):(\d+):[0-9a-f]+$/.exec(owner);
  if (match?.[1] !== hostname()) return false;
  try {
    process.kill(Number(match[2]), 0);
    return false;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ESRCH';
  }
}
