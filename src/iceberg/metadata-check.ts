import { IcecoreError } from '../errors.ts';
import { refByName, snapshotById, specById, type TableMetadata } from './metadata.ts';
import { mainBranch } from './snapshot.ts';

/** Throws BAD_USER_INPUT unless everything that the metadata points to is in it, once (spec: "Table Metadata"). */
export function checkMetadata(metadata: TableMetadata): void {
  if (metadata.tableUuid === '') throw wrong('the table has no uuid');
  if (!metadata.schemas.some((schema) => schema.schemaId === metadata.currentSchemaId)) {
    throw wrong(`the current schema ${metadata.currentSchemaId} is not among its schemas`);
  }
  if (specById(metadata, metadata.defaultSpecId) === undefined) {
    throw wrong(`the default partition spec ${metadata.defaultSpecId} is not among its specs`);
  }
  const hasOrder = metadata.sortOrders.some((order) => order.orderId === metadata.defaultSortOrderId);
  if (!hasOrder && metadata.defaultSortOrderId !== 0) {
    throw wrong(`the default sort order ${metadata.defaultSortOrderId} is not among its sort orders`);
  }
  checkOnce(
    metadata.schemas.map((schema) => schema.schemaId),
    'schema',
  );
  checkOnce(
    metadata.partitionSpecs.map((spec) => spec.specId),
    'partition spec',
  );
  checkOnce(
    metadata.snapshots.map((snapshot) => snapshot.snapshotId),
    'snapshot',
  );
  checkSnapshots(metadata);
}

function checkSnapshots(metadata: TableMetadata): void {
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot.snapshotId));
  for (const [name, ref] of Object.entries(metadata.refs)) {
    if (!ids.has(ref.snapshotId)) throw wrong(`the ${ref.type} ${name} points to snapshot ${ref.snapshotId}, which is not in it`);
  }
  const main = refByName(metadata, mainBranch);
  if ((main?.snapshotId ?? null) !== metadata.currentSnapshotId) {
    throw wrong(`the current snapshot is ${metadata.currentSnapshotId}, and main is at ${main?.snapshotId ?? null}`);
  }
  if (metadata.currentSnapshotId !== null && snapshotById(metadata, metadata.currentSnapshotId) === undefined) {
    throw wrong(`the current snapshot ${metadata.currentSnapshotId} is not in it`);
  }
  const ahead = metadata.snapshots.find((snapshot) => snapshot.sequenceNumber > metadata.lastSequenceNumber);
  if (ahead !== undefined && metadata.formatVersion > 1) {
    throw wrong(
      `snapshot ${ahead.snapshotId} has sequence number ${ahead.sequenceNumber}, beyond the last, ${metadata.lastSequenceNumber}`,
    );
  }
}

function checkOnce(ids: readonly (number | bigint)[], what: string): void {
  const seen = new Set<number | bigint>();
  for (const id of ids) {
    if (seen.has(id)) throw wrong(`${what} ${id} occurs twice`);
    seen.add(id);
  }
}

function wrong(reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The table metadata is not valid: ${reason}.`);
}
