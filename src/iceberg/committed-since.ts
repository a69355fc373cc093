import { IcecoreError } from '../errors.ts';
import type { ManifestEntry, ManifestFile } from './data-file.ts';
import { decodeManifest, type ManifestProjection } from './manifest-reader.ts';
import { snapshotById, type TableMetadata } from './metadata.ts';
import type { Snapshot, SnapshotOperation } from './snapshot.ts';
import { snapshotManifests } from './snapshot-manifests.ts';

/** What one snapshot did to the files of its branch. */
export interface CommittedSnapshot {
  readonly snapshotId: bigint;
  /** Undefined in some snapshots of format version 1: it may have been any. */
  readonly operation: SnapshotOperation | undefined;
  /** Data files that it added or took out. */
  readonly data: readonly ManifestEntry[];
  /** Delete files that it added. */
  readonly deletes: readonly ManifestEntry[];
}

export interface HistoryRequest {
  readonly base: TableMetadata;
  /** Of the branch; null for one without a snapshot. */
  readonly head: Snapshot | null;
  /** Where the history begins, itself left out; null for the branch's very beginning. */
  readonly readFrom: bigint | null;
  /** Operations whose data files, and whose delete files, are of interest: of others nothing is read. */
  readonly dataOf: ReadonlySet<SnapshotOperation>;
  readonly deletesOf: ReadonlySet<SnapshotOperation>;
  readonly projection: ManifestProjection;
  readonly read: (location: string) => Promise<Uint8Array>;
}

/**
 * The snapshots that were committed to a branch since one of them, newest first, each with the files that it added and took out. Throws CONFLICT
 * (retryable: compute the change again) where the branch does not come from that snapshot, or what lies between was expired.
 */
export async function committedSince(request: HistoryRequest): Promise<readonly CommittedSnapshot[]> {
  const committed: CommittedSnapshot[] = [];
  for (const snapshot of lineSince(request)) committed.push(await filesOf(request, snapshot));
  return committed;
}

function lineSince({ base, head, readFrom }: HistoryRequest): readonly Snapshot[] {
  const line: Snapshot[] = [];
  const seen = new Set<bigint>();
  let snapshot = head;
  while (snapshot !== null && snapshot.snapshotId !== readFrom && !seen.has(snapshot.snapshotId)) {
    seen.add(snapshot.snapshotId);
    line.push(snapshot);
    const { parentSnapshotId }: Snapshot = snapshot;
    if (parentSnapshotId === readFrom) return line;
    snapshot = parentSnapshotId === null ? null : (snapshotById(base, parentSnapshotId) ?? null);
  }
  if ((snapshot?.snapshotId ?? null) === readFrom && line.length === 0) return line;
  throw new IcecoreError(
    'CONFLICT',
    `What was committed between the snapshot ${readFrom ?? 'none'} and ${head?.snapshotId ?? 'none'} cannot be told: the branch was set back, or its snapshots have expired.`,
    { context: { readFrom: String(readFrom), snapshotId: String(head?.snapshotId ?? null) }, retryable: true },
  );
}

async function filesOf(request: HistoryRequest, snapshot: Snapshot): Promise<CommittedSnapshot> {
  const { base, read } = request;
  const { snapshotId } = snapshot;
  const operation = operationOf(snapshot);
  const isRead = (operations: ReadonlySet<SnapshotOperation>): boolean =>
    operations.size > 0 && (operation === undefined || operations.has(operation));
  const wanted = { data: isRead(request.dataOf), deletes: isRead(request.deletesOf) };
  if (!wanted.data && !wanted.deletes) return { snapshotId, operation, data: [], deletes: [] };
  const manifests = await snapshotManifests(snapshot, base, read);
  const own = manifests.filter((manifest) => manifest.addedSnapshotId === snapshotId && wanted[manifest.content]);
  const entries: Record<ManifestFile['content'], ManifestEntry[]> = { data: [], deletes: [] };
  for (const manifest of own) {
    const { content, manifestPath } = manifest;
    for (const entry of decodeManifest(await read(manifestPath), manifest, base, request.projection)) {
      const isOwn = entry.status !== 'existing' && entry.snapshotId === snapshotId;
      if (isOwn && (content === 'data' || entry.status === 'added')) entries[content].push(entry);
    }
  }
  return { snapshotId, operation, ...entries };
}

const operations: readonly SnapshotOperation[] = ['append', 'replace', 'overwrite', 'delete'];

function operationOf({ summary }: Snapshot): SnapshotOperation | undefined {
  return operations.find((operation) => operation === summary.operation);
}
