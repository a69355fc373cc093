import { IcecoreError } from '../../errors.ts';
import { refByName, snapshotById } from '../../iceberg/metadata.ts';
import { neverExpiresMs } from '../../iceberg/snapshot.ts';
import { intervalsInLog, pinProperty } from '../pin.ts';
import type { TableAction } from '../table-action.ts';

/**
 * Pins a snapshot: a tag that no engine's expiry removes, and beside it when the snapshot was the current one, as far as the log still
 * says (semantics, sections 1 and 6). Where the pin is there already nothing changes. `current` pins the snapshot that is current
 * when the change is applied, such as one added before in the same transaction. Throws NOT_FOUND and ALREADY_EXISTS.
 */
export function pinSnapshot(tag: string, snapshotId: bigint | 'current'): TableAction {
  return {
    name: `pin ${tag}`,
    async apply(base) {
      const wanted = snapshotId === 'current' ? base.currentSnapshotId : snapshotId;
      if (wanted === null || snapshotById(base, wanted) === undefined) {
        throw new IcecoreError('NOT_FOUND', `Snapshot ${wanted ?? 'current'} cannot be pinned: the table has none such.`, {
          context: { snapshotId: String(wanted) },
        });
      }
      const old = refByName(base, tag);
      if (old !== undefined && (old.snapshotId !== wanted || old.type !== 'tag')) {
        throw new IcecoreError(
          'ALREADY_EXISTS',
          `The ${old.type} ${tag} exists, and points to snapshot ${old.snapshotId}, not ${wanted}.`,
        );
      }
      const isPinned = old?.maxRefAgeMs === neverExpiresMs && Object.hasOwn(base.properties, pinProperty(tag));
      if (isPinned) return { updates: [], requirements: [] };
      const intervals = JSON.stringify(intervalsInLog(base.snapshotLog, wanted));
      return {
        updates: [
          { action: 'set-snapshot-ref', refName: tag, ref: { snapshotId: wanted, type: 'tag', maxRefAgeMs: neverExpiresMs } },
          { action: 'set-properties', updates: { [pinProperty(tag)]: intervals } },
        ],
        requirements: [],
      };
    },
  };
}
