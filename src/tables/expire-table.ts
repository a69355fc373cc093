import { nowMs } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { ManifestFile } from '../iceberg/data-file.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { snapshotById, type TableMetadata } from '../iceberg/metadata.ts';
import { type Expiry, expiry } from '../iceberg/retention.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { commitAttemptsMax } from '../limits.ts';
import { type ExpireOptions, expireSnapshots } from './actions/expire-snapshots.ts';
import { collectsGarbage } from './garbage-collection.ts';
import { isOwnFile, liveFilesOf, manifestsOf } from './reachable.ts';
import { readManifestList } from './snapshot-files.ts';
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

/**
 * Another expiry may run at the same time, here or in another process: what it took from this one is removed already, and where it went on to
 * snapshots that were to stay, what stays is looked up again.
 */
async function removeUnreachable(
  tables: Tables,
  table: Table,
  gone: readonly Snapshot[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  if (!collectsGarbage(table.metadata)) return [];
  for (let now = table, attempt = 1; ; attempt++) {
    try {
      const files = await unreachable(tables, now.metadata, gone, signal);
      tables.files.forget(files);
      await tables.storage.remove(files);
      return files;
    } catch (error) {
      const next = await tables.findByUuid(table.uuid);
      // Dropped meanwhile: what is left of it is the purge's.
      if (next === null) return [];
      const hasMoved = next.metadataLocation !== now.metadataLocation;
      if (!IcecoreError.is(error, 'NOT_FOUND') || !hasMoved || attempt >= commitAttemptsMax) throw error;
      now = next;
    }
  }
}

/** Memory grows with the files of the snapshots that go, not with those of the table. */
async function unreachable(
  tables: Tables,
  metadata: TableMetadata,
  gone: readonly Snapshot[],
  signal: AbortSignal | undefined,
): Promise<readonly string[]> {
  const stays = await manifestsOf(tables.files, metadata, metadata.snapshots, signal);
  const unneeded = new Map<string, ManifestFile>();
  const candidates = new Set<string>();
  for (const snapshot of gone) {
    for (const manifest of await orRemoved(readManifestList(tables.files, metadata, snapshot))) {
      if (!stays.has(manifest.manifestPath)) unneeded.set(manifest.manifestPath, manifest);
    }
  }
  for (const manifest of unneeded.values()) {
    signal?.throwIfAborted();
    const live = liveFilesOf(tables.files, metadata, [manifest], signal);
    for (const path of await orRemoved(Array.fromAsync(live))) candidates.add(path);
  }
  if (candidates.size > 0) {
    for await (const path of liveFilesOf(tables.files, metadata, stays.values(), signal)) candidates.delete(path);
  }
  const lists = gone.map((snapshot) => snapshot.manifestList).filter((location) => location !== '');
  return [...candidates, ...unneeded.keys(), ...lists].filter((path) => isOwnFile(metadata, path));
}

/** Of a file that is gone, nothing: who removed it removed what it held as well. */
async function orRemoved<T>(reading: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await reading;
  } catch (error) {
    if (!IcecoreError.is(error, 'NOT_FOUND')) throw error;
    return [];
  }
}
