import { IcecoreError } from '../errors.ts';
import { snapshotById, type TableMetadata } from './metadata.ts';
import type { Snapshot } from './snapshot.ts';

export interface IncrementalRange {
  /** Its rows are not part of the scan. It may have been expired since. */
  readonly startExclusive: bigint;
  readonly endInclusive: bigint;
}

/**
 * The snapshots of a line of history that only appended, oldest first: what an incremental scan reads (REST specification:
 * `start-snapshot-id`). What was overwritten, deleted or compacted in between is left out, as the Java library does. Throws
 * BAD_USER_INPUT where the end is no snapshot, or the start is not before it.
 */
export function appendsBetween(metadata: TableMetadata, { startExclusive, endInclusive }: IncrementalRange): readonly Snapshot[] {
  const appends: Snapshot[] = [];
  const seen = new Set<bigint>();
  let snapshot = snapshotById(metadata, endInclusive);
  if (snapshot === undefined) throw noSnapshot(endInclusive);
  while (snapshot !== undefined && !seen.has(snapshot.snapshotId)) {
    seen.add(snapshot.snapshotId);
    if (snapshot.summary.operation === 'append') appends.unshift(snapshot);
    const { parentSnapshotId }: Snapshot = snapshot;
    if (parentSnapshotId === startExclusive) return appends;
    snapshot = parentSnapshotId === null ? undefined : snapshotById(metadata, parentSnapshotId);
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Starting snapshot (exclusive) ${startExclusive} is not a parent ancestor of end snapshot ${endInclusive}.`,
  );
}

/** What a scan of a snapshot that is not there is refused with, in the reference's words. */
export function noSnapshot(snapshotId: bigint): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `Cannot find snapshot with ID ${snapshotId}: it never was, or it was expired.`, {
    context: { snapshotId: snapshotId.toString() },
  });
}
