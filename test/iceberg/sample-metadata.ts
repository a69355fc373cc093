import type { TableMetadata } from '../../src/iceberg/metadata.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { newTableMetadata } from '../../src/iceberg/new-metadata.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { Snapshot } from '../../src/iceberg/snapshot.ts';
import type { TableUpdate } from '../../src/iceberg/table-update.ts';

export const flightsSchema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: 'long', required: true },
    { id: 2, name: 'ts', type: 'timestamptz', required: true },
    { id: 3, name: 'delay', type: 'int', required: false, doc: 'minutes' },
    {
      id: 4,
      name: 'place',
      type: { kind: 'struct', fields: [{ id: 5, name: 'lat', type: 'float', required: false }] },
      required: false,
    },
    { id: 6, name: 'scores', type: { kind: 'list', elementId: 7, element: 'double', elementRequired: false }, required: false },
  ],
  identifierFieldIds: [1],
};

/** A v2 table of flights, by day, without snapshots. */
export function newFlights(formatVersion: 1 | 2 | 3 = 2, nowMs = 1000): TableMetadata {
  return newTableMetadata({
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    location: 'file:///warehouse/raw/flights',
    schema: flightsSchema,
    partitionSpec: buildPartitionSpec(flightsSchema, [{ column: 'ts', transform: 'day' }]),
    properties: { owner: 'ops' },
    formatVersion,
    nowMs,
  });
}

export function snapshotOf(metadata: TableMetadata, snapshotId: bigint, timestampMs: number): Snapshot {
  return {
    snapshotId,
    parentSnapshotId: metadata.currentSnapshotId,
    sequenceNumber: metadata.lastSequenceNumber + 1n,
    timestampMs,
    manifestList: `file:///warehouse/raw/flights/metadata/snap-${snapshotId}.avro`,
    summary: { operation: 'append' },
    schemaId: 0,
    ...(metadata.formatVersion === 3 ? { firstRowId: metadata.nextRowId ?? 0n, addedRows: 10n } : {}),
  };
}

export function appendUpdates(snapshot: Snapshot, refName = 'main'): readonly TableUpdate[] {
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName, ref: { type: 'branch', snapshotId: snapshot.snapshotId } },
  ];
}

/** Appends one snapshot for each (id, time in ms) pair. */
export function append(metadata: TableMetadata, ...commits: readonly (readonly [bigint, number])[]): TableMetadata {
  return commits.reduce(
    (before, [id, atMs]) => applyUpdates(before, appendUpdates(snapshotOf(before, id, atMs)), atMs),
    metadata,
  );
}

export function tag(metadata: TableMetadata, name: string, snapshotId: bigint, maxRefAgeMs?: bigint): TableMetadata {
  const ref = { type: 'tag', snapshotId, ...(maxRefAgeMs === undefined ? {} : { maxRefAgeMs }) } as const;
  return applyUpdates(metadata, [{ action: 'set-snapshot-ref', refName: name, ref }], metadata.lastUpdatedMs);
}
