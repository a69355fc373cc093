import type { TableIdentifier } from '../iceberg/identifier.ts';
import { currentSnapshot, snapshotById } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { mergeableManifests, rewriteManifests as merging } from './actions/rewrite-manifests.ts';
import { readManifestList } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { TableTransaction } from './table-transaction.ts';
import type { Tables } from './tables.ts';

export interface ManifestRewrite {
  readonly identifier: TableIdentifier;
  readonly dryRun?: boolean;
  readonly record?: (
    transaction: TableTransaction,
    rewrite: { readonly table: Table; readonly snapshotId: bigint },
  ) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface ManifestRewriteOutcome {
  readonly table: Table;
  /** Null where there was nothing to merge, and for a dry run. */
  readonly snapshot: Snapshot | null;
  readonly manifestsBefore: number;
  readonly manifestsAfter: number;
}

/** Merges the small manifests of main, so that planning opens fewer: the same files in a new snapshot (operation `replace`). */
export async function rewriteManifests(tables: Tables, rewrite: ManifestRewrite): Promise<ManifestRewriteOutcome> {
  const table = await tables.load(rewrite.identifier);
  const { metadata } = table;
  const head = currentSnapshot(metadata) ?? null;
  const manifests = head === null ? [] : await readManifestList(tables.files, metadata, head);
  const fewer = mergeableManifests(manifests, metadata.properties);
  const outcome = { table, snapshot: null, manifestsBefore: manifests.length, manifestsAfter: manifests.length - fewer };
  rewrite.signal?.throwIfAborted();
  if (fewer === 0 || rewrite.dryRun === true) return outcome;
  const snapshotId = newSnapshotId();
  const transaction = tables.transaction();
  transaction.change(table, merging({ snapshotId }));
  await rewrite.record?.(transaction, { table, snapshotId });
  const after = (await transaction.commit()).tables[0] ?? table;
  return { ...outcome, table: after, snapshot: snapshotById(after.metadata, snapshotId) ?? null };
}
