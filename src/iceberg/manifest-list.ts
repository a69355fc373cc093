import { snapshotManifestsMax } from '../limits.ts';
import { openAvroContainer, writeAvroContainer } from './avro-container.ts';
import { AvroCursor, damaged } from './avro-cursor.ts';
import { type AvroShapeField, compileAvroReader } from './avro-reader.ts';
import type { FieldSummary, ManifestFile } from './data-file.ts';
import { manifestFileSchema } from './manifest-schema.ts';

/** Where a v1 manifest list does not say how many files or rows a manifest holds. */
export const unknownCount = -1;

/** What a manifest list says of the snapshot it belongs to. */
export interface ManifestListHeader {
  readonly formatVersion: 1 | 2 | 3;
  readonly snapshotId: bigint;
  readonly parentSnapshotId: bigint | null;
  readonly sequenceNumber: bigint;
  /** v3: of the snapshot. */
  readonly firstRowId?: bigint;
}

/** The bytes of a manifest list (spec: "Manifest Lists"). */
export function encodeManifestList(header: ManifestListHeader, manifests: readonly ManifestFile[]): Uint8Array {
  const metadata = new Map([
    ['snapshot-id', String(header.snapshotId)],
    ['parent-snapshot-id', String(header.parentSnapshotId)],
    ['sequence-number', String(header.sequenceNumber)],
    ...(header.firstRowId === undefined ? [] : [['first-row-id', String(header.firstRowId)] as const]),
    ['format-version', String(header.formatVersion)],
  ]);
  return writeAvroContainer(manifestFileSchema(header.formatVersion), metadata, manifests.map(manifestRecord));
}

function manifestRecord(manifest: ManifestFile): unknown {
  return {
    manifest_path: manifest.manifestPath,
    manifest_length: manifest.manifestLength,
    partition_spec_id: manifest.partitionSpecId,
    content: manifest.content === 'data' ? 0 : 1,
    sequence_number: manifest.sequenceNumber,
    min_sequence_number: manifest.minSequenceNumber,
    added_snapshot_id: manifest.addedSnapshotId,
    added_files_count: manifest.addedFilesCount,
    existing_files_count: manifest.existingFilesCount,
    deleted_files_count: manifest.deletedFilesCount,
    added_rows_count: manifest.addedRowsCount,
    existing_rows_count: manifest.existingRowsCount,
    deleted_rows_count: manifest.deletedRowsCount,
    partitions: manifest.partitions.map((summary) => ({
      contains_null: summary.containsNull,
      contains_nan: summary.containsNan,
      lower_bound: bufferOf(summary.lowerBound),
      upper_bound: bufferOf(summary.upperBound),
    })),
    key_metadata: bufferOf(manifest.keyMetadata),
    first_row_id: manifest.firstRowId ?? null,
  };
}

/** avsc takes Buffers, not any Uint8Array. */
export function bufferOf(bytes: Uint8Array | null): Buffer | null {
  return bytes === null ? null : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const summaryFields: readonly AvroShapeField[] = [
  { id: 509, name: 'contains_null', shape: 'boolean', required: true },
  { id: 518, name: 'contains_nan', shape: 'boolean' },
  { id: 510, name: 'lower_bound', shape: 'bytes' },
  { id: 511, name: 'upper_bound', shape: 'bytes' },
];

const manifestFields: readonly AvroShapeField[] = [
  { id: 500, name: 'manifest_path', shape: 'string', required: true },
  { id: 501, name: 'manifest_length', shape: 'long', required: true },
  { id: 502, name: 'partition_spec_id', shape: 'int', required: true },
  { id: 517, name: 'content', shape: 'int' },
  { id: 515, name: 'sequence_number', shape: 'long' },
  { id: 516, name: 'min_sequence_number', shape: 'long' },
  { id: 503, name: 'added_snapshot_id', shape: 'long', required: true },
  { id: 504, name: 'added_files_count', shape: 'int' },
  { id: 505, name: 'existing_files_count', shape: 'int' },
  { id: 506, name: 'deleted_files_count', shape: 'int' },
  { id: 512, name: 'added_rows_count', shape: 'long' },
  { id: 513, name: 'existing_rows_count', shape: 'long' },
  { id: 514, name: 'deleted_rows_count', shape: 'long' },
  { id: 507, name: 'partitions', shape: { kind: 'list', items: { kind: 'record', fields: summaryFields } } },
  { id: 519, name: 'key_metadata', shape: 'bytes' },
  { id: 520, name: 'first_row_id', shape: 'long' },
];

/** What the reader of `manifestFields` gives for one manifest, in their order. */
type ManifestValues = readonly [
  path: string,
  length: bigint,
  specId: number,
  content: number | null,
  sequenceNumber: bigint | null,
  minSequenceNumber: bigint | null,
  addedSnapshotId: bigint,
  addedFiles: number | null,
  existingFiles: number | null,
  deletedFiles: number | null,
  addedRows: bigint | null,
  existingRows: bigint | null,
  deletedRows: bigint | null,
  partitions: readonly SummaryValues[] | null,
  keyMetadata: Uint8Array | null,
  firstRowId: bigint | null,
];
type SummaryValues = readonly [boolean, boolean | null, Uint8Array | null, Uint8Array | null];

/**
 * The manifests of a snapshot, from a list of any format version: v1 lists count as sequence number 0, and as
 * `unknownCount` where they leave counts out. Throws FAILED_PRECONDITION where the bytes are no manifest list.
 */
export function decodeManifestList(bytes: Uint8Array): readonly ManifestFile[] {
  const container = openAvroContainer(bytes);
  const read = compileAvroReader(container.schema, { kind: 'record', fields: manifestFields });
  const manifests: ManifestFile[] = [];
  for (const block of container.blocks()) {
    if (manifests.length + block.count > snapshotManifestsMax)
      throw damaged(`it says that it has more than ${snapshotManifestsMax} manifests`);
    const cursor = new AvroCursor(block.bytes);
    for (let index = 0; index < block.count; index++) manifests.push(manifestFile(read(cursor) as ManifestValues));
  }
  return manifests;
}

function manifestFile(values: ManifestValues): ManifestFile {
  const [path, length, specId, content, sequenceNumber, minSequenceNumber, addedSnapshotId] = values;
  const [, , , , , , , addedFiles, existingFiles, deletedFiles, addedRows, existingRows, deletedRows] = values;
  const [, , , , , , , , , , , , , partitions, keyMetadata, firstRowId] = values;
  if (content !== null && content !== 0 && content !== 1)
    throw damaged(`the manifest ${path} has content ${content}, not 0 or 1`);
  return {
    manifestPath: path,
    manifestLength: length,
    partitionSpecId: specId,
    content: content === 1 ? 'deletes' : 'data',
    sequenceNumber: sequenceNumber ?? 0n,
    minSequenceNumber: minSequenceNumber ?? 0n,
    addedSnapshotId,
    addedFilesCount: addedFiles ?? unknownCount,
    existingFilesCount: existingFiles ?? unknownCount,
    deletedFilesCount: deletedFiles ?? unknownCount,
    addedRowsCount: addedRows ?? BigInt(unknownCount),
    existingRowsCount: existingRows ?? BigInt(unknownCount),
    deletedRowsCount: deletedRows ?? BigInt(unknownCount),
    partitions: (partitions ?? []).map(
      ([containsNull, containsNan, lowerBound, upperBound]): FieldSummary => ({
        containsNull,
        containsNan,
        lowerBound,
        upperBound,
      }),
    ),
    keyMetadata,
    ...(firstRowId === null ? {} : { firstRowId }),
  };
}
