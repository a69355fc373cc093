import { randomUUID } from 'node:crypto';
import { branchSnapshot } from './branch.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { type FileRemoval, takeOut } from './file-removal.ts';
import { encodeManifestList } from './manifest-list.ts';
import { manifestsToMerge, mergePolicy } from './manifest-merge.ts';
import { everything } from './manifest-reader.ts';
import { type FileToWrite, ManifestWriting, metadataFolder } from './manifest-writing.ts';
import type { TableMetadata } from './metadata.ts';
import { withRowIds } from './row-ids.ts';
import type { Snapshot, SnapshotOperation } from './snapshot.ts';
import { snapshotSummary } from './snapshot-summary.ts';

export interface SnapshotRequest extends FileRemoval {
  readonly base: TableMetadata;
  readonly branch: string;
  readonly operation: SnapshotOperation;
  readonly nowMs: number;
  /** Data and delete files to add. */
  readonly added: readonly DataFile[];
  /** Of the branch's snapshot; empty where it has none. */
  readonly manifests: readonly ManifestFile[];
  readonly summaryExtra?: Readonly<Record<string, string>>;
  /** From 1; part of the manifest list's name, so that no attempt overwrites another's. */
  readonly attempt?: number;
  /** Manifests of `added` that an earlier attempt at this commit has written: they inherit whatever sequence number comes. */
  readonly addedManifests?: readonly ManifestFile[];
}

export interface ProducedSnapshot {
  /** To be written before the manifest list; all are new. */
  readonly manifests: readonly FileToWrite[];
  readonly manifestList: FileToWrite;
  readonly snapshot: Snapshot;
  /** For the next attempt, should this one lose its race. */
  readonly addedManifests: readonly ManifestFile[];
}

/**
 * Builds the next snapshot of a branch, and the files it needs (spec: "Snapshots", "Manifests"). Nothing is written here. Added
 * files make one manifest for each spec; manifests that hold a removed file are rewritten, many small ones merged, all others
 * kept. With a data file its deletion vector goes. Throws CONFLICT, not to be retried, where a removed file is no longer live;
 * NOT_FOUND for a branch that is not there.
 */
export async function produceSnapshot(request: SnapshotRequest): Promise<ProducedSnapshot> {
  const { base, snapshotId } = request;
  const { formatVersion } = base;
  const parent = branchSnapshot(base, request.branch);
  const writing = new ManifestWriting(request);
  const addedManifests = request.addedManifests?.map((manifest) => writing.adopt(manifest)) ?? writing.writeAdded(request.added);
  const alive = request.manifests.filter(
    ({ addedFilesCount, existingFilesCount }) => addedFilesCount !== 0 || existingFilesCount !== 0,
  );
  const { kept, removed } = await takeOut(request, alive, writing);
  const merged = await merge(request, [...kept, ...addedManifests], writing);
  const { manifests, ...rowIds } = withRowIds(base, merged);
  const sequenceNumber = formatVersion === 1 ? 0n : base.lastSequenceNumber + 1n;
  const parentSnapshotId = parent?.snapshotId ?? null;
  const list = { formatVersion, snapshotId, parentSnapshotId, sequenceNumber, ...rowIds };
  const location = `${metadataFolder(base)}/snap-${snapshotId}-${request.attempt ?? 1}-${randomUUID()}.avro`;
  const summary = snapshotSummary({
    operation: request.operation,
    added: request.added,
    removed,
    manifests,
    parent: parent?.summary ?? null,
    extra: request.summaryExtra ?? {},
  });
  return {
    manifests: writing.files(manifests, addedManifests),
    manifestList: { location, bytes: encodeManifestList(list, manifests) },
    snapshot: {
      snapshotId,
      parentSnapshotId: parent?.snapshotId ?? null,
      sequenceNumber,
      // Time travel goes by these: they must not go back, whatever another machine's clock said before.
      timestampMs: Math.max(request.nowMs, base.lastUpdatedMs),
      manifestList: location,
      summary,
      schemaId: base.currentSchemaId,
      ...rowIds,
    },
    addedManifests,
  };
}

/** Small manifests of one kind become one. What this snapshot deletes stays listed as deleted in the manifest that says so. */
async function merge(
  request: SnapshotRequest,
  manifests: readonly ManifestFile[],
  writing: ManifestWriting,
): Promise<readonly ManifestFile[]> {
  const isOld = (manifest: ManifestFile) =>
    writing.bytesOf(manifest) === undefined && manifest.addedSnapshotId !== request.snapshotId;
  const groups = manifestsToMerge(manifests.filter(isOld), mergePolicy(request.base.properties));
  const merged = new Map<string, ManifestFile | null>();
  for (const group of groups) {
    const entries: ManifestEntry[] = [];
    for (const manifest of group) {
      for (const entry of await request.readEntries(manifest, everything)) {
        if (entry.status !== 'deleted') entries.push({ ...entry, status: 'existing' });
      }
    }
    const files = entries.map(({ dataFile }) => dataFile);
    const written = files.length === 0 ? null : writing.write(files, entries);
    for (const [index, manifest] of group.entries()) merged.set(manifest.manifestPath, index === 0 ? written : null);
  }
  return manifests.flatMap((manifest) => {
    const instead = merged.get(manifest.manifestPath);
    return instead === undefined ? [manifest] : instead === null ? [] : [instead];
  });
}
