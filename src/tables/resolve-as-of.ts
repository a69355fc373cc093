import { IcecoreError } from '../errors.ts';
import { printTimestamp } from '../iceberg/calendar.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, currentSnapshot, refByName, snapshotById, snapshotSchema } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { snapshotAt } from '../iceberg/snapshot-at.ts';
import { nearNames } from './near-names.ts';
import { pinAt } from './pin.ts';
import type { AsOf, Table } from './table.ts';

/**
 * The snapshot that a table is to be read at; the current one where nothing is asked. Null where the table had none yet. An instant
 * resolves through the snapshot log and then through the pins; any other is NOT_FOUND, never a neighbour (semantics, section 6).
 */
export function resolveAsOf(table: Table, asOf?: AsOf): Snapshot | null {
  if (asOf?.snapshotId !== undefined) return snapshotOf(table, asOf.snapshotId);
  if (asOf?.ref !== undefined) return snapshotOfRef(table, asOf.ref);
  if (asOf?.timestampMicros !== undefined) return snapshotOfInstant(table, asOf.timestampMicros);
  return currentSnapshot(table.metadata) ?? null;
}

/** The columns that a read at this point sees: those of the snapshot where a point was asked for, else the current ones. */
export function schemaAsOf(table: Table, asOf: AsOf | undefined, snapshot: Snapshot | null): Schema {
  // A branch goes on being written, so it is read by the current columns, as the reference implementation does.
  const isBranch = asOf?.ref !== undefined && refByName(table.metadata, asOf.ref)?.type === 'branch';
  const isPoint = asOf?.snapshotId !== undefined || asOf?.timestampMicros !== undefined || (asOf?.ref !== undefined && !isBranch);
  return snapshot === null || !isPoint ? currentSchema(table.metadata) : snapshotSchema(table.metadata, snapshot);
}

function snapshotOf(table: Table, snapshotId: bigint): Snapshot {
  const snapshot = snapshotById(table.metadata, snapshotId);
  if (snapshot !== undefined) return snapshot;
  const name = printIdentifier(table.identifier);
  throw new IcecoreError(
    'NOT_FOUND',
    `Table ${name} has no snapshot ${snapshotId}: it never had it, or it was expired. The table has ${table.metadata.snapshots.length} snapshots.`,
    { context: { table: name, snapshotId: snapshotId.toString() } },
  );
}

function snapshotOfRef(table: Table, refName: string): Snapshot | null {
  const ref = refByName(table.metadata, refName);
  if (ref !== undefined) return snapshotOf(table, ref.snapshotId);
  // Every table has the branch main, also before its first snapshot.
  if (refName === 'main') return null;
  const name = printIdentifier(table.identifier);
  const near = nearNames(refName, Object.keys(table.metadata.refs));
  const hint = near.length === 0 ? '' : ` Did you mean ${near.join(', ')}?`;
  throw new IcecoreError('NOT_FOUND', `Table ${name} has no branch or tag "${refName}".${hint}`, {
    context: { table: name, ref: refName },
  });
}

function snapshotOfInstant(table: Table, instantMicros: bigint): Snapshot | null {
  // Rounds down: a snapshot of the same millisecond counts as committed by then.
  const found = snapshotAt(table.metadata, Number(floorMillis(instantMicros)));
  if (found.kind === 'snapshot') return found.snapshot;
  const pin = pinAt(table.metadata, instantMicros);
  const pinned = pin === null ? undefined : snapshotById(table.metadata, pin.snapshotId);
  if (pinned !== undefined) return pinned;
  if (found.kind === 'before-first') return null;
  const name = printIdentifier(table.identifier);
  const instant = printTimestamp(instantMicros, 'micros', true);
  const begins =
    found.logFromMs === null
      ? 'which is empty'
      : `which begins at ${printTimestamp(BigInt(found.logFromMs) * 1000n, 'micros', true)}`;
  throw new IcecoreError(
    'NOT_FOUND',
    `What table ${name} held at ${instant} is not known: neither the snapshot log (${begins}) nor a pin covers it.`,
    { context: { table: name, timestamp: instant } },
  );
}

function floorMillis(micros: bigint): bigint {
  return micros >= 0n ? micros / 1000n : -((-micros + 999n) / 1000n);
}
