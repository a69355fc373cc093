import {
  asArrayOf,
  asInt,
  asLong,
  asMillis,
  asObject,
  asOneOf,
  asRecordOf,
  asString,
  type JsonObject,
  member,
  optionalMember,
} from './json-member.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';

const known: ReadonlySet<string> = new Set([
  'snapshot-id',
  'parent-snapshot-id',
  'sequence-number',
  'timestamp-ms',
  'manifest-list',
  'manifests',
  'summary',
  'schema-id',
  'first-row-id',
  'added-rows',
]);

/** Reads a snapshot of any format version (spec: "Snapshots"). Members that are not known are kept. Throws BAD_USER_INPUT. */
export function parseSnapshot(json: unknown, at: string): Snapshot {
  const object = asObject(json, at);
  const snapshotId = member(object, 'snapshot-id', asLong, at);
  const where = `snapshot ${snapshotId}`;
  const manifests = optionalMember(object, 'manifests', asArrayOf(asString), where);
  const firstRowId = optionalMember(object, 'first-row-id', asLong, where);
  const addedRows = optionalMember(object, 'added-rows', asLong, where);
  const extra = unknownMembers(object, known);
  return {
    snapshotId,
    parentSnapshotId: optionalMember(object, 'parent-snapshot-id', asLong, where) ?? null,
    sequenceNumber: optionalMember(object, 'sequence-number', asLong, where) ?? 0n,
    timestampMs: member(object, 'timestamp-ms', asMillis, where),
    manifestList: manifests === undefined ? member(object, 'manifest-list', asString, where) : '',
    summary: optionalMember(object, 'summary', asRecordOf(asString), where) ?? {},
    schemaId: optionalMember(object, 'schema-id', asInt, where) ?? null,
    ...(firstRowId === undefined ? {} : { firstRowId }),
    ...(addedRows === undefined ? {} : { addedRows }),
    ...(manifests === undefined ? {} : { manifests }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  };
}

/** Members of an object that are not among `names`. */
export function unknownMembers(object: JsonObject, names: ReadonlySet<string>): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([name]) => !names.has(name)));
}

/** The JSON of a snapshot; v1 has no sequence numbers. */
export function printSnapshot(snapshot: Snapshot, formatVersion: 1 | 2 | 3): unknown {
  return {
    ...(formatVersion === 1 ? {} : { 'sequence-number': snapshot.sequenceNumber }),
    'snapshot-id': snapshot.snapshotId,
    ...(snapshot.parentSnapshotId === null ? {} : { 'parent-snapshot-id': snapshot.parentSnapshotId }),
    'timestamp-ms': snapshot.timestampMs,
    ...(Object.keys(snapshot.summary).length === 0 ? {} : { summary: snapshot.summary }),
    ...(snapshot.manifests === undefined ? { 'manifest-list': snapshot.manifestList } : { manifests: snapshot.manifests }),
    ...(snapshot.schemaId === null ? {} : { 'schema-id': snapshot.schemaId }),
    ...(snapshot.firstRowId === undefined ? {} : { 'first-row-id': snapshot.firstRowId }),
    ...(snapshot.addedRows === undefined ? {} : { 'added-rows': snapshot.addedRows }),
    ...snapshot.extra,
  };
}

/** Reads a branch or tag (spec: "Snapshot References"). Throws BAD_USER_INPUT. */
export function parseSnapshotRef(json: unknown, where: string): SnapshotRef {
  const object = asObject(json, where);
  const minSnapshotsToKeep = optionalMember(object, 'min-snapshots-to-keep', asInt, where);
  const maxSnapshotAgeMs = optionalMember(object, 'max-snapshot-age-ms', asLong, where);
  const maxRefAgeMs = optionalMember(object, 'max-ref-age-ms', asLong, where);
  return {
    snapshotId: member(object, 'snapshot-id', asLong, where),
    type: member(object, 'type', asOneOf('branch', 'tag'), where),
    ...(minSnapshotsToKeep === undefined ? {} : { minSnapshotsToKeep }),
    ...(maxSnapshotAgeMs === undefined ? {} : { maxSnapshotAgeMs }),
    ...(maxRefAgeMs === undefined ? {} : { maxRefAgeMs }),
  };
}

export function printSnapshotRef(ref: SnapshotRef): JsonObject {
  return {
    'snapshot-id': ref.snapshotId,
    type: ref.type,
    ...(ref.minSnapshotsToKeep === undefined ? {} : { 'min-snapshots-to-keep': ref.minSnapshotsToKeep }),
    ...(ref.maxSnapshotAgeMs === undefined ? {} : { 'max-snapshot-age-ms': ref.maxSnapshotAgeMs }),
    ...(ref.maxRefAgeMs === undefined ? {} : { 'max-ref-age-ms': ref.maxRefAgeMs }),
  };
}
