import { randomUUID } from 'node:crypto';
import { IcecoreError } from '../errors.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { encodeManifest, type WrittenManifest } from './manifest-writer.ts';
import type { TableMetadata } from './metadata.ts';
import { currentSchema, requireSpec, specValueTypes } from './table-partitioning.ts';

export interface FileToWrite {
  readonly location: string;
  readonly bytes: Uint8Array;
}

/** Of what snapshot manifests are written. */
export interface NewSnapshot {
  readonly base: TableMetadata;
  readonly snapshotId: bigint;
}

/** Where a table's manifests and manifest lists go. */
export function metadataFolder({ location }: TableMetadata): string {
  return `${location.replace(/\/+$/, '')}/metadata`;
}

/** The manifests that one commit writes, and under which names. */
export class ManifestWriting {
  readonly #snapshot: NewSnapshot;
  readonly #uuid = randomUUID();
  readonly #written = new Map<string, Uint8Array>();

  constructor(snapshot: NewSnapshot) {
    this.#snapshot = snapshot;
  }

  get sequenceNumber(): bigint {
    return this.#snapshot.base.lastSequenceNumber + 1n;
  }

  /** A manifest of an earlier attempt, under the sequence number of this one. */
  adopt(manifest: ManifestFile): ManifestFile {
    if (this.#snapshot.base.formatVersion === 1) return manifest;
    return { ...manifest, sequenceNumber: this.sequenceNumber, minSequenceNumber: this.sequenceNumber };
  }

  writeAdded(files: readonly DataFile[]): readonly ManifestFile[] {
    const groups = Map.groupBy(files, ({ specId, content }) => `${specId} ${content === 'data'}`);
    return [...groups.values()].map((group) =>
      this.write(
        group,
        group.map((dataFile): ManifestEntry => {
          return {
            status: 'added',
            snapshotId: this.#snapshot.snapshotId,
            sequenceNumber: null,
            fileSequenceNumber: null,
            dataFile,
          };
        }),
      ),
    );
  }

  /** One manifest of these entries; `like` says of which spec and content. */
  write(like: readonly DataFile[], entries: readonly ManifestEntry[]): ManifestFile {
    const { base, snapshotId } = this.#snapshot;
    const [first] = like;
    if (first === undefined) throw new IcecoreError('INTERNAL', 'A manifest of no files was to be written.');
    const spec = requireSpec(base, first.specId);
    const wrong = like.find((file) => file.partition.length !== spec.fields.length);
    if (wrong !== undefined) {
      throw new IcecoreError(
        'INTERNAL',
        `${wrong.filePath} has ${wrong.partition.length} partition values, its spec ${spec.fields.length}.`,
      );
    }
    const manifestPath = `${metadataFolder(base)}/${this.#uuid}-m${this.#written.size}.avro`;
    const written: WrittenManifest = encodeManifest({
      formatVersion: base.formatVersion,
      schema: currentSchema(base),
      spec,
      partitionTypes: specValueTypes(base, spec),
      content: first.content === 'data' ? 'data' : 'deletes',
      snapshotId,
      sequenceNumber: this.sequenceNumber,
      manifestPath,
      entries,
    });
    this.#written.set(manifestPath, written.bytes);
    return written.manifestFile;
  }

  bytesOf(manifest: ManifestFile): Uint8Array | undefined {
    return this.#written.get(manifest.manifestPath);
  }

  /** What of all that was encoded the snapshot, or its next attempt, refers to. */
  files(...manifests: readonly (readonly ManifestFile[])[]): readonly FileToWrite[] {
    const wanted = new Set(manifests.flat().map((manifest) => manifest.manifestPath));
    return [...this.#written].filter(([location]) => wanted.has(location)).map(([location, bytes]) => ({ location, bytes }));
  }
}
