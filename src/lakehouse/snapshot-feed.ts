import type { Catalog } from '../catalog/catalog.ts';
import { CommitWakes } from '../catalog/commit-wakes.ts';
import { IcecoreError } from '../errors.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { currentSnapshot, snapshotById } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

/** New snapshots of a table as they are committed, by whatever engine. */
export class SnapshotFeed {
  readonly #tables: Tables;
  readonly #catalog: Catalog;

  constructor({ tables, catalog }: { readonly tables: Tables; readonly catalog: Catalog }) {
    this.#tables = tables;
    this.#catalog = catalog;
  }

  /**
   * The snapshots of the main branch, oldest first: those after `afterSnapshotId`, or from now on. None is missed: each look goes back from the
   * current one to where the last look ended. Throws NOT_FOUND where the table or that snapshot is gone.
   */
  async *snapshots(
    name: string,
    afterSnapshotId: bigint | null,
    signal: AbortSignal,
  ): AsyncGenerator<{ readonly table: Table; readonly snapshot: Snapshot }> {
    const identifier = parseIdentifier(name);
    const changes = new CommitWakes(this.#catalog, signal);
    try {
      let table = await this.#tables.load(identifier);
      let seen = afterSnapshotId ?? currentSnapshot(table.metadata)?.snapshotId ?? null;
      if (afterSnapshotId !== null && snapshotById(table.metadata, afterSnapshotId) === undefined) {
        throw new IcecoreError(
          'NOT_FOUND',
          `Table ${name} has no snapshot ${afterSnapshotId} to go on from: it never had it, or it has expired.`,
        );
      }
      while (!signal.aborted) {
        for (const snapshot of snapshotsAfter(table, seen)) {
          seen = snapshot.snapshotId;
          yield { table, snapshot };
        }
        const before = table.metadataLocation;
        while (!signal.aborted && table.metadataLocation === before) {
          await changes.next();
          if (signal.aborted) return;
          table = await this.#tables.load(identifier);
        }
      }
    } finally {
      changes.stop();
    }
  }
}

/** From the current snapshot back to the one that was seen last, oldest first; all that are left where that one is no ancestor. */
function snapshotsAfter(table: Table, seen: bigint | null): readonly Snapshot[] {
  const found: Snapshot[] = [];
  let at = currentSnapshot(table.metadata);
  while (at !== undefined && at.snapshotId !== seen) {
    found.unshift(at);
    at = at.parentSnapshotId === null ? undefined : snapshotById(table.metadata, at.parentSnapshotId);
  }
  return found;
}
