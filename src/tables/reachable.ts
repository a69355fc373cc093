import type { ManifestFile } from '../iceberg/data-file.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { liesUnder, parseLocation } from '../storage/location.ts';
import type { FileReads } from './file-reads.ts';
import { readManifestEntries, readManifestList } from './snapshot-files.ts';

/** The manifests of all these snapshots, each once, by path. */
export async function manifestsOf(
  files: FileReads,
  metadata: TableMetadata,
  snapshots: readonly Snapshot[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ManifestFile>> {
  const manifests = new Map<string, ManifestFile>();
  for (const snapshot of snapshots) {
    signal?.throwIfAborted();
    for (const manifest of await readManifestList(files, metadata, snapshot)) manifests.set(manifest.manifestPath, manifest);
  }
  return manifests;
}

/** The paths of the data and delete files that are live in these manifests. */
export async function* liveFilesOf(
  files: FileReads,
  metadata: TableMetadata,
  manifests: Iterable<ManifestFile>,
  signal?: AbortSignal,
): AsyncGenerator<string> {
  for (const manifest of manifests) {
    signal?.throwIfAborted();
    for (const { status, dataFile } of await readManifestEntries(files, metadata, manifest, { metrics: 'none' })) {
      if (status !== 'deleted') yield dataFile.filePath;
    }
  }
}

/** Whether a file lies in the table's own location: files that were added from elsewhere belong to somebody else. */
export function isOwnFile(metadata: TableMetadata, location: string): boolean {
  try {
    return liesUnder(parseLocation(location), parseLocation(metadata.location));
  } catch {
    return false;
  }
}
