import { nowMs } from '../clock.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import { type Expiry, expiry } from '../iceberg/retention.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { type ExpireOptions, expireSnapshots } from './actions/expire-snapshots.ts';
import { collectsGarbage } from './garbage-collection.ts';
import { isOwnFile, liveFilesOf, manifestsOf } from './reachable.ts';
import type { Table } from './table.ts';
import type { TableTransaction } from './table-transaction.ts';
import type { Tables } from './tables.ts';

export interface TableExpiry extends ExpireOptions {
  readonly identifier: TableIdentifier;
  /** Says what would go, and changes nothing. */
  readonly dryRun?: boolean;
  /** Adds to the commit what belongs to it. Called once, before it is known which snapshots go. */
  readonly record?: (transaction: TableTransaction, table: Table) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface ExpiryOutcome {
  /** After the expiry. */
  readonly table: Table;
  readonly removed: readonly bigint[];
  readonly removedRefs: readonly string[];
  /** What stays, and the branches and tags that hold it. */
  readonly kept: Expiry['kept'];
  /** Files that no snapshot needs any more, now gone; empty for a dry run. */
  readonly removedFiles: readonly string[];
}

/**
 * Expires a table's snapshots and removes the files that only they needed (spec: "Snapshot Retention Policy"; semantics, section 6). What
 * a tag or branch holds is kept and listed. Files outside the table's location are never removed, nor any where `gc.enabled` is false.
 */
export async function expireTable(tables: Tables, request: TableExpiry): Promise<ExpiryOutcome> {
  const before = await tables.load(request.identifier);
  if (request.dryRun === true) {
    const { removedSnapshotIds, removedRefs, kept } = expiry(before.metadata, { ...request, nowMs: nowMs(tables.clock) });
    return { table: before, removed: removedSnapshotIds, removedRefs, kept, removedFiles: [] };
  }
  let expired: Expiry = { removedSnapshotIds: [], removedRefs: [], kept: [] };
  let gone: readonly Snapshot[] = [];
  const transaction = tables.transaction();
  const action = expireSnapshots(request, (result) => {
    expired = result;
  });
  transaction.change(before, {
    ...action,
    async apply(base, context) {
      const result = await action.apply(base, context);
      gone = expired.removedSnapshotIds.flatMap((id) => snapshotById(base, id) ?? []);
      return result;
    },
  });
  await request.record?.(transaction, before);
  const table = (await transaction.commit()).tables[0] ?? before;
  // The server's own work: what is read to know which files nobody needs is told to nobody.
  const removedFiles =
    gone.length === 0 ? [] : await tables.access.asServer(() => removeUnreachable(tables, table, gone, request.signal));
  return { table, removed: expired.removedSnapshotIds, removedRefs: expired.removedRefs, kept: expired.kept, removedFiles };
}

/** Memory grows with the files of the snapshots that go, not with those of the table. */
async function removeUnreachable(
  tables: Tables,
  table: Table,
  gone: readonly Snapshot[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const { metadata } = table;
  if (!collectsGarbage(metadata)) return [];
  const stays = await manifestsOf(tables.files, metadata, metadata.snapshots, signal);
  const goes = await manifestsOf(tables.files, metadata, gone, signal);
  const unneeded = [...goes.values()].filter((manifest) => !stays.has(manifest.manifestPath));
  const candidates = new Set<string>();
  for await (const path of liveFilesOf(tables.files, metadata, unneeded, signal)) candidates.add(path);
  if (candidates.size > 0) {
    for await (const path of liveFilesOf(tables.files, metadata, stays.values(), signal)) candidates.delete(path);
  }
  const lists = gone.map((snapshot) => snapshot.manifestList).filter((location) => location !== '');
  const files = [...candidates, ...unneeded.map((manifest) => manifest.manifestPath), ...lists].filter((path) =>
    isOwnFile(metadata, path),
  );
  tables.files.forget(files);
  await tables.storage.remove(files);
  return files;
}
