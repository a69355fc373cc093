import { openAvroContainer } from './avro-container.ts';
import { readingFile } from './broken-file.ts';
import type { ManifestFile } from './data-file.ts';
import { decodeManifestList } from './manifest-list.ts';
import { decodeManifest } from './manifest-reader.ts';
import type { Snapshot } from './snapshot.ts';
import type { TablePartitioning } from './table-partitioning.ts';

type SnapshotPlace = Pick<Snapshot, 'snapshotId' | 'manifestList' | 'manifests'>;

/**
 * The manifests of a snapshot: those of its manifest list, or of the list in the metadata itself that old tables of format version 1 have
 * (spec: "Snapshots", `manifests`). `read` gives the bytes at a location.
 */
export async function snapshotManifests(
  { snapshotId, manifestList, manifests = [] }: SnapshotPlace,
  table: TablePartitioning,
  read: (location: string) => Promise<Uint8Array>,
): Promise<readonly ManifestFile[]> {
  if (manifestList !== '') {
    const bytes = await read(manifestList);
    return readingFile(manifestList, () => decodeManifestList(bytes));
  }
  const files: ManifestFile[] = [];
  for (const path of manifests) {
    const bytes = await read(path);
    files.push(readingFile(path, () => describe(path, bytes, table, snapshotId)));
  }
  return files;
}

/** What a manifest list would say of it. The summaries of its partitions are left out, so that nothing is ruled out by them. */
function describe(manifestPath: string, bytes: Uint8Array, table: TablePartitioning, snapshotId: bigint): ManifestFile {
  const { metadata } = openAvroContainer(bytes);
  const empty: ManifestFile = {
    manifestPath,
    manifestLength: BigInt(bytes.byteLength),
    partitionSpecId: Number(metadata.get('partition-spec-id') ?? 0),
    content: 'data',
    sequenceNumber: 0n,
    minSequenceNumber: 0n,
    addedSnapshotId: snapshotId,
    addedFilesCount: 0,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: 0n,
    existingRowsCount: 0n,
    deletedRowsCount: 0n,
    partitions: [],
    keyMetadata: null,
  };
  const entries = decodeManifest(bytes, empty, table, { metrics: 'none' });
  const of = (wanted: string) => entries.filter(({ status }) => status === wanted);
  const rows = (wanted: string) => of(wanted).reduce((sum, { dataFile }) => sum + dataFile.recordCount, 0n);
  return {
    ...empty,
    addedFilesCount: of('added').length,
    existingFilesCount: of('existing').length,
    deletedFilesCount: of('deleted').length,
    addedRowsCount: rows('added'),
    existingRowsCount: rows('existing'),
    deletedRowsCount: rows('deleted'),
  };
}
