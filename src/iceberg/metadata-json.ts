import { IcecoreError } from '../errors.ts';
import { parseJson, printJson } from './json.ts';
import {
  asArrayOf,
  asInt,
  asLong,
  asMillis,
  asObject,
  asRecordOf,
  asString,
  type JsonObject,
  member,
  optionalMember,
} from './json-member.ts';
import {
  currentSchema,
  defaultSpec,
  formatVersionMax,
  type MetadataLogEntry,
  type SnapshotLogEntry,
  type TableMetadata,
} from './metadata.ts';
import { checkMetadata } from './metadata-check.ts';
import { firstPartitionFieldId, lastPartitionFieldId, type PartitionSpec } from './partition-spec.ts';
import {
  numberFields,
  parsePartitionFields,
  parsePartitionSpec,
  printPartitionFields,
  printPartitionSpec,
} from './partition-spec-json.ts';
import { highestFieldId, type Schema } from './schema.ts';
import { parseSchema, printSchema } from './schema-json.ts';
import { mainBranch, type Snapshot, type SnapshotRef } from './snapshot.ts';
import { parseSnapshot, parseSnapshotRef, printSnapshot, printSnapshotRef, unknownMembers } from './snapshot-json.ts';
import { unsorted } from './sort-order.ts';
import { parseSortOrder, printSortOrder } from './sort-order-json.ts';

const known: ReadonlySet<string> = new Set([
  'format-version',
  'table-uuid',
  'location',
  'last-sequence-number',
  'last-updated-ms',
  'last-column-id',
  'schema',
  'schemas',
  'current-schema-id',
  'partition-spec',
  'partition-specs',
  'default-spec-id',
  'last-partition-id',
  'sort-orders',
  'default-sort-order-id',
  'properties',
  'current-snapshot-id',
  'snapshots',
  'snapshot-log',
  'metadata-log',
  'refs',
  'next-row-id',
]);

/**
 * Reads a table metadata file of format version 1, 2 or 3 (spec: "Table Metadata", Appendix C). `location` is that of the file,
 * for messages. Throws FAILED_PRECONDITION where the file is broken or of a version that is not supported.
 */
export function parseMetadata(text: string, location: string): TableMetadata {
  try {
    return readMetadata(parseJson(text), location);
  } catch (cause) {
    if (!IcecoreError.is(cause)) throw cause;
    throw new IcecoreError('FAILED_PRECONDITION', `The table metadata file ${location} cannot be read. ${cause.message}`, {
      context: { metadataLocation: location },
      cause,
    });
  }
}

/** The same for metadata that came as JSON inside another document, such as a REST catalog's answer. Throws BAD_USER_INPUT. */
export function readMetadata(json: unknown, where: string): TableMetadata {
  const object = asObject(json, 'the metadata');
  const at = 'the metadata';
  const formatVersion = readFormatVersion(object, where);
  const location = trimSlash(member(object, 'location', asString, at));
  const schemas = readSchemas(object, formatVersion);
  const currentSchemaId = optionalMember(object, 'current-schema-id', asInt, at) ?? schemas[0]?.schemaId ?? 0;
  const partitionSpecs = readSpecs(object, formatVersion);
  const sortOrders = optionalMember(object, 'sort-orders', asArrayOf(parseSortOrder), at) ?? [unsorted];
  const currentSnapshotId = optionalMember(object, 'current-snapshot-id', asLong, at) ?? -1n;
  const nextRowId = optionalMember(object, 'next-row-id', asLong, at) ?? (formatVersion === 3 ? 0n : undefined);
  const metadata: TableMetadata = {
    formatVersion,
    // v1 may lack one; its location is what identifies such a table.
    tableUuid:
      formatVersion === 1
        ? (optionalMember(object, 'table-uuid', asString, at) ?? location)
        : member(object, 'table-uuid', asString, at),
    location,
    lastSequenceNumber: formatVersion === 1 ? 0n : member(object, 'last-sequence-number', asLong, at),
    lastUpdatedMs: member(object, 'last-updated-ms', asMillis, at),
    lastColumnId: optionalMember(object, 'last-column-id', asInt, at) ?? Math.max(0, ...schemas.map(highestFieldId)),
    schemas,
    currentSchemaId,
    partitionSpecs,
    defaultSpecId: optionalMember(object, 'default-spec-id', asInt, at) ?? partitionSpecs[0]?.specId ?? 0,
    lastPartitionId:
      optionalMember(object, 'last-partition-id', asInt, at) ??
      Math.max(firstPartitionFieldId - 1, ...partitionSpecs.map(lastPartitionFieldId)),
    sortOrders,
    defaultSortOrderId: optionalMember(object, 'default-sort-order-id', asInt, at) ?? sortOrders[0]?.orderId ?? 0,
    properties: optionalMember(object, 'properties', asRecordOf(asString), at) ?? {},
    currentSnapshotId: currentSnapshotId === -1n ? null : currentSnapshotId,
    snapshots: optionalMember(object, 'snapshots', asArrayOf(parseSnapshot), at) ?? [],
    snapshotLog: optionalMember(object, 'snapshot-log', asArrayOf(readSnapshotLogEntry), at) ?? [],
    metadataLog: optionalMember(object, 'metadata-log', asArrayOf(readMetadataLogEntry), at) ?? [],
    refs: readRefs(object, currentSnapshotId),
    ...(nextRowId === undefined ? {} : { nextRowId }),
    extra: unknownMembers(object, known),
  };
  checkMetadata(metadata);
  return metadata;
}

function readFormatVersion(object: JsonObject, where: string): 1 | 2 | 3 {
  const version = member(object, 'format-version', asInt, 'the metadata');
  if (version === 1 || version === 2 || version === 3) return version;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The table of ${where} is of format version ${version}; Icecore reads 1 to ${formatVersionMax}.`,
  );
}

function readSchemas(object: JsonObject, formatVersion: number): readonly Schema[] {
  const schemas = optionalMember(object, 'schemas', asArrayOf(parseSchema), 'the metadata') ?? [];
  if (schemas.length > 0 || formatVersion > 1) return schemas;
  return [member(object, 'schema', parseSchema, 'the metadata')];
}

function readSpecs(object: JsonObject, formatVersion: number): readonly PartitionSpec[] {
  const specs = optionalMember(object, 'partition-specs', asArrayOf(parsePartitionSpec), 'the metadata') ?? [];
  const all =
    specs.length > 0 || formatVersion > 1
      ? specs
      : [{ specId: 0, fields: member(object, 'partition-spec', parsePartitionFields, 'the metadata') }];
  return all.map((spec) => ({ ...spec, fields: numberFields(spec.fields) }));
}

function readRefs(object: JsonObject, currentSnapshotId: bigint): Readonly<Record<string, SnapshotRef>> {
  const refs = optionalMember(object, 'refs', asRecordOf(parseSnapshotRef), 'the metadata') ?? {};
  // Writers from before refs were in the format keep main in `current-snapshot-id` alone.
  if (currentSnapshotId === -1n || Object.hasOwn(refs, mainBranch)) return refs;
  return { ...refs, [mainBranch]: { snapshotId: currentSnapshotId, type: 'branch' } };
}

function readSnapshotLogEntry(json: unknown, where: string): SnapshotLogEntry {
  const object = asObject(json, where);
  return {
    snapshotId: member(object, 'snapshot-id', asLong, where),
    timestampMs: member(object, 'timestamp-ms', asMillis, where),
  };
}

function readMetadataLogEntry(json: unknown, where: string): MetadataLogEntry {
  const object = asObject(json, where);
  return {
    metadataFile: member(object, 'metadata-file', asString, where),
    timestampMs: member(object, 'timestamp-ms', asMillis, where),
  };
}

function trimSlash(location: string): string {
  return location.length > 1 && location.endsWith('/') && !location.endsWith('//') ? location.slice(0, -1) : location;
}

/** The text of a metadata file, as the reference implementation writes it: -1 for no current snapshot before v3. */
export function printMetadata(metadata: TableMetadata): string {
  // Each commit writes all snapshots of a table, and nearly all of them were written before.
  const snapshots = metadata.snapshots.map((snapshot) => snapshotText(snapshot, metadata.formatVersion));
  const log = metadata.snapshotLog.map((entry) => `{"timestamp-ms":${entry.timestampMs},"snapshot-id":${entry.snapshotId}}`);
  const before = printJson(membersBefore(metadata)).slice(0, -1);
  const after = printJson(membersAfter(metadata)).slice(1);
  return `${before},"snapshots":[${snapshots.join()}],"snapshot-log":[${log.join()}],${after}`;
}

/** The same as a value, for documents that hold metadata; print with `printJson`. */
export function metadataJson(metadata: TableMetadata): unknown {
  return {
    ...membersBefore(metadata),
    snapshots: metadata.snapshots.map((snapshot) => printSnapshot(snapshot, metadata.formatVersion)),
    'snapshot-log': metadata.snapshotLog.map((entry) => ({ 'timestamp-ms': entry.timestampMs, 'snapshot-id': entry.snapshotId })),
    ...membersAfter(metadata),
  };
}

/** The texts of snapshots, which never change; of v1 and of the later versions, which write them otherwise. */
const textsOfV1 = new WeakMap<Snapshot, string>();
const texts = new WeakMap<Snapshot, string>();

function snapshotText(snapshot: Snapshot, formatVersion: 1 | 2 | 3): string {
  const known = formatVersion === 1 ? textsOfV1 : texts;
  const text = known.get(snapshot) ?? printJson(printSnapshot(snapshot, formatVersion));
  known.set(snapshot, text);
  return text;
}

function membersBefore(metadata: TableMetadata): JsonObject {
  const isV1 = metadata.formatVersion === 1;
  return {
    'format-version': metadata.formatVersion,
    'table-uuid': metadata.tableUuid,
    location: metadata.location,
    ...(isV1 ? {} : { 'last-sequence-number': metadata.lastSequenceNumber }),
    'last-updated-ms': metadata.lastUpdatedMs,
    'last-column-id': metadata.lastColumnId,
    ...(isV1 ? { schema: printSchema(currentSchema(metadata)) } : {}),
    'current-schema-id': metadata.currentSchemaId,
    schemas: metadata.schemas.map(printSchema),
    ...(isV1 ? { 'partition-spec': printPartitionFields(defaultSpec(metadata)) } : {}),
    'default-spec-id': metadata.defaultSpecId,
    'partition-specs': metadata.partitionSpecs.map(printPartitionSpec),
    'last-partition-id': metadata.lastPartitionId,
    'default-sort-order-id': metadata.defaultSortOrderId,
    'sort-orders': metadata.sortOrders.map(printSortOrder),
    properties: metadata.properties,
    'current-snapshot-id': metadata.currentSnapshotId ?? (metadata.formatVersion === 3 ? null : -1),
    ...(metadata.nextRowId === undefined ? {} : { 'next-row-id': metadata.nextRowId }),
    refs: Object.fromEntries(Object.entries(metadata.refs).map(([name, ref]) => [name, printSnapshotRef(ref)])),
  };
}

function membersAfter(metadata: TableMetadata): JsonObject {
  return {
    'metadata-log': metadata.metadataLog.map((entry) => ({
      'timestamp-ms': entry.timestampMs,
      'metadata-file': entry.metadataFile,
    })),
    ...metadata.extra,
  };
}
