import { branchSnapshot } from '../../src/iceberg/branch.ts';
import type { DataFile, ManifestEntry, ManifestFile } from '../../src/iceberg/data-file.ts';
import { decodeManifestList } from '../../src/iceberg/manifest-list.ts';
import { decodeManifest, type ManifestProjection } from '../../src/iceberg/manifest-reader.ts';
import type { TableMetadata } from '../../src/iceberg/metadata.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import type { Snapshot, SnapshotOperation } from '../../src/iceberg/snapshot.ts';
import { type ProducedSnapshot, produceSnapshot } from '../../src/iceberg/snapshot-producer.ts';

export interface Change {
  readonly operation: SnapshotOperation;
  readonly added?: readonly DataFile[];
  readonly removedPaths?: ReadonlySet<string>;
}

/** A table whose metadata files lie in memory, committed to by this process alone. */
export class MemoryTable {
  readonly files = new Map<string, Uint8Array>();
  metadata: TableMetadata;
  #nextId = 100n;

  constructor(metadata: TableMetadata) {
    this.metadata = metadata;
  }

  readonly readManifests = async (snapshot: Snapshot): Promise<readonly ManifestFile[]> =>
    decodeManifestList(this.#read(snapshot.manifestList));

  readonly readEntries = async (manifest: ManifestFile, projection: ManifestProjection): Promise<readonly ManifestEntry[]> =>
    decodeManifest(this.#read(manifest.manifestPath), manifest, this.metadata, projection);

  async manifests(): Promise<readonly ManifestFile[]> {
    const head = branchSnapshot(this.metadata, 'main');
    return head === null ? [] : this.readManifests(head);
  }

  async commit({ operation, added = [], removedPaths = new Set() }: Change): Promise<ProducedSnapshot> {
    const produced = await produceSnapshot({
      base: this.metadata,
      branch: 'main',
      operation,
      snapshotId: this.#nextId++,
      nowMs: this.metadata.lastUpdatedMs + 1,
      added,
      removedPaths,
      manifests: await this.manifests(),
      readEntries: this.readEntries,
    });
    this.accept(produced);
    return produced;
  }

  accept({ manifests, manifestList, snapshot }: ProducedSnapshot): void {
    for (const { location, bytes } of [...manifests, manifestList]) this.files.set(location, bytes);
    const ref = { type: 'branch', snapshotId: snapshot.snapshotId } as const;
    this.metadata = applyUpdates(
      this.metadata,
      [
        { action: 'add-snapshot', snapshot },
        { action: 'set-snapshot-ref', refName: 'main', ref },
      ],
      snapshot.timestampMs,
    );
  }

  #read(location: string): Uint8Array {
    const bytes = this.files.get(location);
    if (bytes === undefined) throw new Error(`${location} was never written`);
    return bytes;
  }
}
