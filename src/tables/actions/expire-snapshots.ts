import { type Expiry, expiry } from '../../iceberg/retention.ts';
import type { TableAction } from '../table-action.ts';

export interface ExpireOptions {
  /** Snapshots from before this instant expire. */
  readonly olderThanMs?: number;
  /** Snapshots of each branch that stay whatever their age; 1 where left out. */
  readonly keepLast?: number;
  /** These in addition. Throws PINNED where a branch or tag points to one. */
  readonly snapshotIds?: readonly bigint[];
}

/** Forgets snapshots that nothing holds, and refs that are past their age; `report` gets what goes and what stays, at each attempt. */
export function expireSnapshots(options: ExpireOptions, report: (expiry: Expiry) => void): TableAction {
  return {
    name: 'expire snapshots',
    async apply(base, { nowMs }) {
      const expired = expiry(base, { ...options, nowMs });
      report(expired);
      return {
        updates: [
          ...expired.removedRefs.map((refName) => ({ action: 'remove-snapshot-ref', refName }) as const),
          ...(expired.removedSnapshotIds.length === 0
            ? []
            : [{ action: 'remove-snapshots', snapshotIds: expired.removedSnapshotIds } as const]),
        ],
        requirements: [],
      };
    },
  };
}
