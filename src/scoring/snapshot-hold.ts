import { parseIdentifier } from '../iceberg/identifier.ts';
import { scoringHoldMs } from '../limits.ts';
import { pinSnapshot } from '../tables/actions/pin-snapshot.ts';
import { removeRef, setRef } from '../tables/actions/set-ref.ts';
import { pinsOf } from '../tables/pin.ts';
import type { Table, TableSnapshotRef } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';

/** A snapshot with the tag by which a run holds it. */
export interface HeldSnapshot {
  readonly ref: TableSnapshotRef;
  readonly tag: string;
}

/** A tag for each: several snapshots of one table have several. */
export function runHolds(runId: string, refs: readonly TableSnapshotRef[]): readonly HeldSnapshot[] {
  return refs.map((ref, index) => {
    const before = refs.slice(0, index).filter((other) => other.tableUuid === ref.tableUuid).length;
    return { ref, tag: `icecore-run-${runId}${before === 0 ? '' : `-${before + 1}`}` };
  });
}

/** Keeps snapshots from expiring while a run reads them, by tags that lapse by themselves should the run never end. Throws NOT_FOUND. */
export async function holdSnapshots(tables: Tables, holds: readonly HeldSnapshot[]): Promise<void> {
  const transaction = tables.transaction();
  for (const { ref, tag } of holds) {
    transaction.change(
      await heldTable(tables, ref),
      setRef(tag, { snapshotId: ref.snapshotId, type: 'tag', maxRefAgeMs: BigInt(scoringHoldMs) }),
    );
  }
  await transaction.commit();
}

/** Turns what was held into pins that stay, in the transaction that commits what was made from it. */
export async function keepSnapshots(
  tables: Tables,
  transaction: TableTransaction,
  holds: readonly HeldSnapshot[],
): Promise<void> {
  for (const { ref, tag } of holds) transaction.change(await heldTable(tables, ref), pinSnapshot(tag, ref.snapshotId));
}

/** Lets go of what a run that came to nothing held; pins stay. Tables that are gone meanwhile hold nothing. */
export async function releaseSnapshots(tables: Tables, holds: readonly HeldSnapshot[]): Promise<void> {
  for (const { ref, tag } of holds) {
    const table = await tables.findByUuid(ref.tableUuid);
    if (table === null || table.metadata.refs[tag] === undefined || pinsOf(table.metadata).has(tag)) continue;
    const transaction = tables.transaction();
    transaction.change(table, removeRef(tag));
    await transaction.commit();
  }
}

async function heldTable(tables: Tables, ref: TableSnapshotRef): Promise<Table> {
  return (await tables.findByUuid(ref.tableUuid)) ?? (await tables.load(parseIdentifier(ref.tableName)));
}
