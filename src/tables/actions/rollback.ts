import { IcecoreError } from '../../errors.ts';
import { snapshotById } from '../../iceberg/metadata.ts';
import { mainBranch } from '../../iceberg/snapshot.ts';
import type { TableAction } from '../table-action.ts';

/** Makes an earlier snapshot the current one again; later ones stay until they expire. Throws NOT_FOUND. */
export function rollback(snapshotId: bigint): TableAction {
  return {
    name: 'rollback',
    async apply(base) {
      if (snapshotById(base, snapshotId) === undefined) {
        throw new IcecoreError('NOT_FOUND', `The table has no snapshot ${snapshotId} to go back to.`, {
          context: { snapshotId: snapshotId.toString() },
        });
      }
      if (base.currentSnapshotId === snapshotId) return { updates: [], requirements: [] };
      const main = base.refs[mainBranch];
      return {
        updates: [{ action: 'set-snapshot-ref', refName: mainBranch, ref: { ...main, type: 'branch', snapshotId } }],
        requirements: [],
      };
    },
  };
}
