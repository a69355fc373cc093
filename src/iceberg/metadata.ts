import { IcecoreError } from '../errors.ts';
import type { PartitionSpec } from './partition-spec.ts';
import type { Schema } from './schema.ts';
import type { Snapshot, SnapshotRef } from './snapshot.ts';
import { type SortOrder, unsorted } from './sort-order.ts';

export interface SnapshotLogEntry {
  readonly snapshotId: bigint;
  readonly timestampMs: number;
}

export interface MetadataLogEntry {
  readonly metadataFile: string;
  readonly timestampMs: number;
}

/** Table metadata (spec: "Table Metadata"). A value: every change makes a new one. */
export interface TableMetadata {
  readonly formatVersion: 1 | 2 | 3;
  readonly tableUuid: string;
  readonly location: string;
  readonly lastSequenceNumber: bigint;
  readonly lastUpdatedMs: number;
  readonly lastColumnId: number;
  readonly schemas: readonly Schema[];
  readonly currentSchemaId: number;
  readonly partitionSpecs: readonly PartitionSpec[];
  readonly defaultSpecId: number;
  readonly lastPartitionId: number;
  readonly sortOrders: readonly SortOrder[];
  readonly defaultSortOrderId: number;
  readonly properties: Readonly<Record<string, string>>;
  readonly currentSnapshotId: bigint | null;
  readonly snapshots: readonly Snapshot[];
  readonly snapshotLog: readonly SnapshotLogEntry[];
  readonly metadataLog: readonly MetadataLogEntry[];
  readonly refs: Readonly<Record<string, SnapshotRef>>;
  /** v3 */
  readonly nextRowId?: bigint;
  /** Members that this code does not interpret (statistics, encryption keys and so on), kept as read. */
  readonly extra: Readonly<Record<string, unknown>>;
}

/** The greatest format version that is read and written. */
export const formatVersionMax = 3;

/** The schema that is current. Throws INTERNAL where the metadata does not hold it, which `parseMetadata` refuses. */
export function currentSchema(metadata: TableMetadata): Schema {
  return requireById(
    metadata.schemas.find((schema) => schema.schemaId === metadata.currentSchemaId),
    'schema',
    metadata.currentSchemaId,
  );
}

/** The partition spec that is current. */
export function defaultSpec(metadata: TableMetadata): PartitionSpec {
  return requireById(
    metadata.partitionSpecs.find((spec) => spec.specId === metadata.defaultSpecId),
    'partition spec',
    metadata.defaultSpecId,
  );
}

/** The sort order that is current. Order 0 is the unsorted one, listed or not. */
export function defaultSortOrder(metadata: TableMetadata): SortOrder {
  const id = metadata.defaultSortOrderId;
  const order = metadata.sortOrders.find((candidate) => candidate.orderId === id);
  return requireById(order ?? (id === 0 ? unsorted : undefined), 'sort order', id);
}

export function schemaById(metadata: TableMetadata, id: number): Schema | undefined {
  return metadata.schemas.find((schema) => schema.schemaId === id);
}

/** The schema that a snapshot was written with; the current one where it does not say. */
export function snapshotSchema(metadata: TableMetadata, snapshot: Snapshot): Schema {
  return (snapshot.schemaId === null ? undefined : schemaById(metadata, snapshot.schemaId)) ?? currentSchema(metadata);
}

export function specById(metadata: TableMetadata, id: number): PartitionSpec | undefined {
  return metadata.partitionSpecs.find((spec) => spec.specId === id);
}

export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot | undefined {
  return metadata.snapshots.find((snapshot) => snapshot.snapshotId === id);
}

/** The snapshot that main points to; undefined for a table that has none yet. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  return metadata.currentSnapshotId === null ? undefined : snapshotById(metadata, metadata.currentSnapshotId);
}

/** The branch or tag with a name, which may be any text, `constructor` too. */
export function refByName(metadata: TableMetadata, name: string): SnapshotRef | undefined {
  return Object.hasOwn(metadata.refs, name) ? metadata.refs[name] : undefined;
}

function requireById<T>(found: T | undefined, what: string, id: number): T {
  if (found === undefined)
    throw new IcecoreError('INTERNAL', `The metadata names ${what} ${id} as current, and does not hold it.`);
  return found;
}
