import { snapshotById, type TableMetadata } from './metadata.ts';
import type { Snapshot } from './snapshot.ts';

/** What was current at an instant, by the snapshot log. */
export type SnapshotAt =
  | { readonly kind: 'snapshot'; readonly snapshot: Snapshot }
  /** The table had no snapshot yet. */
  | { readonly kind: 'before-first' }
  /** The log no longer reaches back so far: snapshots were expired. The oldest entry it has, null where it is empty. */
  | { readonly kind: 'log-cut'; readonly logFromMs: number | null };

/**
 * The snapshot that was current at `timestampMs`: that of the newest log entry not after it. The log, and not the list of
 * snapshots, knows of rollbacks (spec: "Point in Time Reads").
 */
export function snapshotAt(metadata: TableMetadata, timestampMs: number): SnapshotAt {
  const entry = metadata.snapshotLog.findLast((candidate) => candidate.timestampMs <= timestampMs);
  if (entry !== undefined) {
    const snapshot = snapshotById(metadata, entry.snapshotId);
    return snapshot === undefined ? cut(metadata) : { kind: 'snapshot', snapshot };
  }
  return isWholeLog(metadata) ? { kind: 'before-first' } : cut(metadata);
}

function cut(metadata: TableMetadata): SnapshotAt {
  return { kind: 'log-cut', logFromMs: metadata.snapshotLog[0]?.timestampMs ?? null };
}

/**
 * Whether the log still begins with the table's first current snapshot. That one has no parent. A later one without a parent,
 * as replacing a table makes it, is told by its sequence number, where the table has them.
 */
function isWholeLog(metadata: TableMetadata): boolean {
  const first = metadata.snapshotLog[0];
  if (first === undefined) return metadata.snapshots.length === 0 && metadata.lastSequenceNumber === 0n;
  const snapshot = snapshotById(metadata, first.snapshotId);
  if (snapshot === undefined || snapshot.parentSnapshotId !== null) return false;
  // It came back by a rollback, and what stood in between was cut away.
  if (snapshot.timestampMs !== first.timestampMs) return false;
  return metadata.formatVersion === 1 || snapshot.sequenceNumber <= 1n;
}

/** A snapshot and those it came from, newest first, as far as the metadata still holds them. */
export function* ancestors(metadata: TableMetadata, snapshotId: bigint): Generator<Snapshot> {
  const byId = new Map(metadata.snapshots.map((snapshot) => [snapshot.snapshotId, snapshot]));
  const seen = new Set<bigint>();
  let snapshot = byId.get(snapshotId);
  // A hostile file may hold a cycle.
  while (snapshot !== undefined && !seen.has(snapshot.snapshotId)) {
    seen.add(snapshot.snapshotId);
    yield snapshot;
    snapshot = snapshot.parentSnapshotId === null ? undefined : byId.get(snapshot.parentSnapshotId);
  }
}
