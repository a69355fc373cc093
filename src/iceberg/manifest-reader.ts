import { manifestEntriesMax } from '../limits.ts';
import { type AvroContainer, openAvroContainer } from './avro-container.ts';
import { AvroCursor, damaged } from './avro-cursor.ts';
import { type AvroRead, type AvroShape, type AvroShapeField, compileAvroReader } from './avro-reader.ts';
import { readingFile } from './broken-file.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { castLiteral } from './literal-cast.ts';
import { entryStatuses, fileContents } from './manifest-writer.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { requireSpec, specValueTypes, type TablePartitioning } from './table-partitioning.ts';
import type { Literal, PrimitiveType } from './type.ts';

/** Which metrics of a file are read; those left out are empty maps. Decoding them all takes four times as long. */
export interface ManifestProjection {
  /** `bounds`: counts and bounds, what a predicate is pruned by. `all`: column sizes too. */
  readonly metrics: 'none' | 'bounds' | 'all';
  /** Of these columns only. */
  readonly fieldIds?: ReadonlySet<number>;
}

export const everything: ManifestProjection = { metrics: 'all' };

type Counts = ReadonlyMap<number, bigint> | null;
type Bounds = ReadonlyMap<number, Uint8Array> | null;
type FileValues = readonly [
  content: number | null,
  path: string,
  format: string,
  partition: readonly (Literal | null)[] | null,
  recordCount: bigint,
  fileSize: bigint,
  columnSizes: Counts,
  valueCounts: Counts,
  nullValueCounts: Counts,
  nanValueCounts: Counts,
  lowerBounds: Bounds,
  upperBounds: Bounds,
  keyMetadata: Uint8Array | null,
  splitOffsets: readonly bigint[] | null,
  equalityIds: readonly number[] | null,
  sortOrderId: number | null,
  firstRowId: bigint | null,
  referencedDataFile: string | null,
  contentOffset: bigint | null,
  contentSizeInBytes: bigint | null,
];
type EntryValues = readonly [
  status: number,
  snapshotId: bigint | null,
  sequenceNumber: bigint | null,
  fileSequenceNumber: bigint | null,
  file: FileValues,
];

function entryShape(spec: PartitionSpec, { metrics, fieldIds }: ManifestProjection): AvroShape {
  const none: ReadonlySet<number> = new Set();
  const map = (id: number, name: string, values: 'long' | 'bytes', isWanted: boolean): AvroShapeField => ({
    // An id no writer uses: the map is skipped whole, and comes out null.
    id: isWanted ? id : -id,
    name: isWanted ? name : `${name}, not wanted`,
    shape: { kind: 'map', values, keep: isWanted ? fieldIds : none },
  });
  const partition = spec.fields.map(({ fieldId, name }): AvroShapeField => ({ id: fieldId, name, shape: 'literal' }));
  const file: AvroShapeField[] = [
    { id: 134, name: 'content', shape: 'int' },
    { id: 100, name: 'file_path', shape: 'string', required: true },
    { id: 101, name: 'file_format', shape: 'string', required: true },
    { id: 102, name: 'partition', shape: { kind: 'record', fields: partition } },
    { id: 103, name: 'record_count', shape: 'long', required: true },
    { id: 104, name: 'file_size_in_bytes', shape: 'long', required: true },
    map(108, 'column_sizes', 'long', metrics === 'all'),
    map(109, 'value_counts', 'long', metrics !== 'none'),
    map(110, 'null_value_counts', 'long', metrics !== 'none'),
    map(137, 'nan_value_counts', 'long', metrics !== 'none'),
    map(125, 'lower_bounds', 'bytes', metrics !== 'none'),
    map(128, 'upper_bounds', 'bytes', metrics !== 'none'),
    { id: 131, name: 'key_metadata', shape: 'bytes' },
    { id: 132, name: 'split_offsets', shape: { kind: 'list', items: 'long' } },
    { id: 135, name: 'equality_ids', shape: { kind: 'list', items: 'int' } },
    { id: 140, name: 'sort_order_id', shape: 'int' },
    { id: 142, name: 'first_row_id', shape: 'long' },
    { id: 143, name: 'referenced_data_file', shape: 'string' },
    { id: 144, name: 'content_offset', shape: 'long' },
    { id: 145, name: 'content_size_in_bytes', shape: 'long' },
  ];
  return {
    kind: 'record',
    fields: [
      { id: 0, name: 'status', shape: 'int', required: true },
      { id: 1, name: 'snapshot_id', shape: 'long' },
      { id: 3, name: 'sequence_number', shape: 'long' },
      { id: 4, name: 'file_sequence_number', shape: 'long' },
      { id: 2, name: 'data_file', shape: { kind: 'record', fields: file }, required: true },
    ],
  };
}

/** Reads of manifests of one writer, spec and projection differ in nothing: compiled once. */
const compiled = new WeakMap<PartitionSpec, Map<string, AvroRead>>();
const compiledPerSpecMax = 32;

/** Gives the entries' values by the projection, in the places of `EntryValues`. */
function readerOf(
  schemaText: string,
  schema: Parameters<typeof compileAvroReader>[0],
  spec: PartitionSpec,
  projection: ManifestProjection,
) {
  const key = `${projection.metrics} ${projection.fieldIds === undefined ? '*' : [...projection.fieldIds].join()} ${schemaText}`;
  const known = compiled.get(spec) ?? new Map<string, AvroRead>();
  const read = known.get(key) ?? compileAvroReader(schema, entryShape(spec, projection));
  if (known.size >= compiledPerSpecMax) known.clear();
  known.set(key, read);
  compiled.set(spec, known);
  return read;
}

/**
 * The entries of a manifest, written by any engine in v1, v2 or v3, in their order, one by one; snapshot ids, sequence numbers
 * and first row ids that are inherited are filled in from what the manifest list says (spec: "Sequence Number Inheritance",
 * "First Row ID Inheritance"). Throws FAILED_PRECONDITION where the bytes are no such manifest; `decodeManifest` names the file then.
 */
function* readManifest(
  bytes: Uint8Array,
  manifestFile: ManifestFile,
  table: TablePartitioning,
  projection: ManifestProjection = everything,
): Generator<ManifestEntry> {
  const spec = requireSpec(table, manifestFile.partitionSpecId);
  const types = specValueTypes(table, spec);
  const container = openAvroContainer(bytes);
  const read = readerOf(container.schemaText, container.schema, spec, projection);
  let nextRowId = firstRowIdOf(manifestFile);
  let entries = 0;
  for (const block of container.blocks()) {
    entries += block.count;
    refuseTooMany(entries);
    const cursor = new AvroCursor(block.bytes);
    for (let index = 0; index < block.count; index++) {
      const entry = inherit(read(cursor) as EntryValues, manifestFile, types, nextRowId);
      if (nextRowId !== null && entry.takesRowIds) nextRowId += entry.entry.dataFile.recordCount;
      yield entry.entry;
    }
  }
}

/** Zeros that were deflated a thousandfold are entries, too: they are counted before any is made. */
export function refuseTooMany(entries: number): void {
  if (entries > manifestEntriesMax) throw damaged(`it says that it lists more than ${manifestEntriesMax} files`);
}

/** The id that the first row without one gets; null where rows have none. */
export function firstRowIdOf({ content, firstRowId }: ManifestFile): bigint | null {
  return content === 'data' ? (firstRowId ?? null) : null;
}

/** Gives the reader of single entries from where they lie. `nextRowId` is that of the entry's first row, where it inherits one. */
export function entryReader(
  container: Pick<AvroContainer, 'schema' | 'schemaText'>,
  manifestFile: ManifestFile,
  table: TablePartitioning,
  projection: ManifestProjection,
): (cursor: AvroCursor, nextRowId: bigint | null) => ManifestEntry {
  const spec = requireSpec(table, manifestFile.partitionSpecId);
  const types = specValueTypes(table, spec);
  const read = readerOf(container.schemaText, container.schema, spec, projection);
  return (cursor, nextRowId) => inherit(read(cursor) as EntryValues, manifestFile, types, nextRowId).entry;
}

/** The same as `readManifest`, all at once. */
export function decodeManifest(
  bytes: Uint8Array,
  manifestFile: ManifestFile,
  table: TablePartitioning,
  projection: ManifestProjection = everything,
): readonly ManifestEntry[] {
  return readingFile(manifestFile.manifestPath, () => [...readManifest(bytes, manifestFile, table, projection)]);
}

function inherit(
  [statusCode, snapshotId, sequenceNumber, fileSequenceNumber, values]: EntryValues,
  manifest: ManifestFile,
  types: readonly PrimitiveType[],
  nextRowId: bigint | null,
): { readonly entry: ManifestEntry; readonly takesRowIds: boolean } {
  const status = entryStatuses[statusCode];
  if (status === undefined) throw damaged(`an entry has status ${statusCode}, not 0, 1 or 2`);
  // A manifest of v1 has no sequence numbers at all, and counts as 0 throughout.
  const inherited = status === 'added' || manifest.sequenceNumber === 0n ? manifest.sequenceNumber : null;
  const sequence = sequenceNumber ?? inherited;
  if (sequence === null && status === 'existing') throw damaged(`the existing file ${values[1]} has no sequence number`);
  const takesRowIds = nextRowId !== null && values[16] === null && status !== 'deleted';
  const entry: ManifestEntry = {
    status,
    snapshotId: snapshotId ?? manifest.addedSnapshotId,
    sequenceNumber: sequence,
    fileSequenceNumber: fileSequenceNumber ?? inherited,
    dataFile: dataFile(values, manifest.partitionSpecId, types, takesRowIds ? nextRowId : values[16]),
  };
  return { entry, takesRowIds };
}

/** Partition values as written, by the types that their columns have now. */
export function castPartition(
  types: readonly PrimitiveType[],
  partition: readonly (Literal | null)[] | null,
): readonly (Literal | null)[] {
  return types.map((type, index) => {
    const value = partition?.[index] ?? null;
    return value === null ? null : castLiteral(type, value);
  });
}

const noCounts: ReadonlyMap<number, bigint> = new Map();
const noBounds: ReadonlyMap<number, Uint8Array> = new Map();

function dataFile(values: FileValues, specId: number, types: readonly PrimitiveType[], firstRowId: bigint | null): DataFile {
  const [contentCode, filePath, format, partition, recordCount, fileSizeInBytes, columnSizes, valueCounts] = values;
  const content = fileContents[contentCode ?? 0];
  if (content === undefined) throw damaged(`${filePath} has content ${contentCode}, not 0, 1 or 2`);
  return {
    content,
    filePath,
    fileFormat: format.toLowerCase(),
    specId,
    partition: castPartition(types, partition),
    recordCount,
    fileSizeInBytes,
    columnSizes: columnSizes ?? noCounts,
    valueCounts: valueCounts ?? noCounts,
    nullValueCounts: values[8] ?? noCounts,
    nanValueCounts: values[9] ?? noCounts,
    lowerBounds: values[10] ?? noBounds,
    upperBounds: values[11] ?? noBounds,
    keyMetadata: values[12],
    splitOffsets: values[13],
    equalityIds: values[14],
    sortOrderId: values[15],
    firstRowId,
    referencedDataFile: values[17],
    contentOffset: values[18],
    contentSizeInBytes: values[19],
  };
}
