import { IcecoreError } from '../errors.ts';
import { writeAvroContainer } from './avro-container.ts';
import type { FileContent, ManifestEntry, ManifestFile } from './data-file.ts';
import { FieldSummaryBuilder } from './field-summary.ts';
import { printJson } from './json.ts';
import { bufferOf } from './manifest-list.ts';
import { decimalWidth, manifestEntrySchema } from './manifest-schema.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { printPartitionFields } from './partition-spec-json.ts';
import type { Schema } from './schema.ts';
import { printSchema } from './schema-json.ts';
import { decimalParts, type Literal, type PrimitiveType } from './type.ts';
import { uuidBytes } from './uuid.ts';

export interface ManifestToWrite {
  readonly formatVersion: 1 | 2 | 3;
  readonly schema: Schema;
  readonly spec: PartitionSpec;
  /** Of the spec's fields, in order. */
  readonly partitionTypes: readonly PrimitiveType[];
  readonly content: 'data' | 'deletes';
  /** The snapshot that adds the manifest, and its sequence number. */
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly manifestPath: string;
  readonly entries: readonly ManifestEntry[];
}

export interface WrittenManifest {
  readonly bytes: Uint8Array;
  readonly manifestFile: ManifestFile;
}

/** Their places are what manifests hold. */
export const entryStatuses = ['existing', 'added', 'deleted'] as const;
export const fileContents: readonly FileContent[] = ['data', 'position-deletes', 'equality-deletes'];
/** What v1 wrote for a field that no reader looks at. */
const v1BlockSizeBytes = 64n * 1024n * 1024n;

/**
 * The bytes of a manifest, and what the manifest list says of it (spec: "Manifests"). Entries ADDED are written without
 * sequence numbers, so that they inherit those of whichever commit succeeds; the others must carry theirs. Throws INTERNAL
 * where they do not.
 */
export function encodeManifest(manifest: ManifestToWrite): WrittenManifest {
  const { formatVersion, schema, spec, partitionTypes, content, entries } = manifest;
  const metadata = new Map([
    ['schema', printJson(printSchema(schema))],
    ['schema-id', String(schema.schemaId)],
    ['partition-spec', printJson(printPartitionFields(spec))],
    ['partition-spec-id', String(spec.specId)],
    ['format-version', String(formatVersion)],
    ...(formatVersion === 1 ? [] : [['content', content] as const]),
  ]);
  const avroSchema = manifestEntrySchema(formatVersion, spec, partitionTypes);
  const partitionNames = partitionFieldNames(avroSchema);
  const records = entries.map((entry) => entryRecord(entry, manifest, partitionNames));
  const bytes = writeAvroContainer(avroSchema, metadata, records);
  return { bytes, manifestFile: describe(manifest, BigInt(bytes.byteLength)) };
}

/** The names under which a manifest's schema keeps partition values: the fields' own, made fit for Avro. */
function partitionFieldNames(entry: ReturnType<typeof manifestEntrySchema>): readonly string[] {
  const record = (name: string, fields: typeof entry.fields) => {
    const type = fields.find((field) => field.name === name)?.type;
    return typeof type === 'object' && 'fields' in type ? type.fields : [];
  };
  return record('partition', record('data_file', entry.fields)).map((field) => field.name);
}

function describe(manifest: ManifestToWrite, manifestLength: bigint): ManifestFile {
  const files = { existing: 0, added: 0, deleted: 0 };
  const rows = { existing: 0n, added: 0n, deleted: 0n };
  const summaries = manifest.partitionTypes.map((type) => new FieldSummaryBuilder(type));
  let minSequenceNumber: bigint | null = null;
  for (const { status, dataFile, sequenceNumber } of manifest.entries) {
    files[status]++;
    rows[status] += dataFile.recordCount;
    for (const [index, summary] of summaries.entries()) summary.add(dataFile.partition[index] ?? null);
    const sequence = status === 'added' ? manifest.sequenceNumber : (sequenceNumber ?? 0n);
    // Deleted entries are not live: they hold no sequence number up.
    if (status !== 'deleted' && (minSequenceNumber === null || sequence < minSequenceNumber)) minSequenceNumber = sequence;
  }
  const isV1 = manifest.formatVersion === 1;
  return {
    manifestPath: manifest.manifestPath,
    manifestLength,
    partitionSpecId: manifest.spec.specId,
    content: manifest.content,
    sequenceNumber: isV1 ? 0n : manifest.sequenceNumber,
    minSequenceNumber: isV1 ? 0n : (minSequenceNumber ?? manifest.sequenceNumber),
    addedSnapshotId: manifest.snapshotId,
    addedFilesCount: files.added,
    existingFilesCount: files.existing,
    deletedFilesCount: files.deleted,
    addedRowsCount: rows.added,
    existingRowsCount: rows.existing,
    deletedRowsCount: rows.deleted,
    partitions: summaries.map((summary) => summary.build()),
    keyMetadata: null,
  };
}

function entryRecord(entry: ManifestEntry, manifest: ManifestToWrite, partitionNames: readonly string[]): unknown {
  const { status, dataFile: file } = entry;
  const inherits = status === 'added' || manifest.formatVersion === 1;
  if (!inherits && (entry.sequenceNumber === null || entry.fileSequenceNumber === null || entry.snapshotId === null)) {
    throw new IcecoreError('INTERNAL', `The entry of ${file.filePath} is ${status}, and must carry its sequence numbers.`);
  }
  if ((file.content === 'data') !== (manifest.content === 'data')) {
    throw new IcecoreError('INTERNAL', `${file.filePath} holds ${file.content}; its manifest is for ${manifest.content}.`);
  }
  return {
    status: entryStatuses.indexOf(status),
    snapshot_id: entry.snapshotId ?? manifest.snapshotId,
    sequence_number: inherits ? null : entry.sequenceNumber,
    file_sequence_number: inherits ? null : entry.fileSequenceNumber,
    data_file: {
      content: fileContents.indexOf(file.content),
      file_path: file.filePath,
      file_format: file.fileFormat.toUpperCase(),
      partition: Object.fromEntries(
        partitionNames.map((name, index) => [name, avroValue(file.partition[index] ?? null, manifest.partitionTypes[index])]),
      ),
      record_count: file.recordCount,
      file_size_in_bytes: file.fileSizeInBytes,
      block_size_in_bytes: v1BlockSizeBytes,
      column_sizes: pairs(file.columnSizes),
      value_counts: pairs(file.valueCounts),
      null_value_counts: pairs(file.nullValueCounts),
      nan_value_counts: pairs(file.nanValueCounts),
      lower_bounds: bytePairs(file.lowerBounds),
      upper_bounds: bytePairs(file.upperBounds),
      key_metadata: bufferOf(file.keyMetadata),
      split_offsets: file.splitOffsets,
      equality_ids: file.equalityIds,
      sort_order_id: file.sortOrderId,
      first_row_id: file.firstRowId ?? null,
      referenced_data_file: file.referencedDataFile ?? null,
      content_offset: file.contentOffset ?? null,
      content_size_in_bytes: file.contentSizeInBytes ?? null,
    },
  };
}

function avroValue(value: Literal | null, type: PrimitiveType | undefined): unknown {
  if (value instanceof Uint8Array) return bufferOf(value);
  if (type === 'uuid' && typeof value === 'string') return Buffer.from(uuidBytes(value));
  const decimal = type === undefined ? null : decimalParts(type);
  if (typeof value === 'bigint' && decimal !== null) return fixedDecimal(value, decimalWidth(decimal.precision));
  return value;
}

/** Big-endian two's complement of a fixed width. */
function fixedDecimal(unscaled: bigint, width: number): Buffer {
  const hex = BigInt.asUintN(width * 8, unscaled).toString(16);
  return Buffer.from(hex.padStart(width * 2, '0'), 'hex');
}

function pairs(map: ReadonlyMap<number, bigint>): unknown {
  return map.size === 0 ? null : Array.from(map, ([key, value]) => ({ key, value }));
}

function bytePairs(map: ReadonlyMap<number, Uint8Array>): unknown {
  return map.size === 0 ? null : Array.from(map, ([key, value]) => ({ key, value: bufferOf(value) }));
}
