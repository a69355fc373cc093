import { IcecoreError } from '../../errors.ts';
import { refByName, snapshotById } from '../../iceberg/metadata.ts';
import { mainBranch, type SnapshotRef } from '../../iceberg/snapshot.ts';
import { pinProperty } from '../pin.ts';
import type { TableAction } from '../table-action.ts';

/**
 * Points a branch or tag to a snapshot, creating it where it is missing. Throws NOT_FOUND for a snapshot the table has not, PINNED for
 * a tag that is a pin, FAILED_PRECONDITION where a ref of the other kind has the name.
 */
export function setRef(name: string, ref: SnapshotRef): TableAction {
  return {
    name: `set ${ref.type} ${name}`,
    async apply(base) {
      if (snapshotById(base, ref.snapshotId) === undefined) {
        throw new IcecoreError('NOT_FOUND', `The table has no snapshot ${ref.snapshotId} for ${ref.type} ${name} to point to.`, {
          context: { snapshotId: ref.snapshotId.toString() },
        });
      }
      refusePin(base.properties, name);
      const old = refByName(base, name);
      if (old !== undefined && old.type !== ref.type) {
        throw new IcecoreError(
          'FAILED_PRECONDITION',
          `${name} is a ${old.type}, and cannot become a ${ref.type}. Choose another name.`,
        );
      }
      return { updates: [{ action: 'set-snapshot-ref', refName: name, ref }], requirements: [] };
    },
  };
}

/** Takes a branch or tag away; none of the name is no error. Throws PINNED for a pin, BAD_USER_INPUT for main. */
export function removeRef(name: string): TableAction {
  return {
    name: `remove ref ${name}`,
    async apply(base) {
      if (name === mainBranch) throw new IcecoreError('BAD_USER_INPUT', 'The branch main cannot be removed.');
      refusePin(base.properties, name);
      return { updates: [{ action: 'remove-snapshot-ref', refName: name }], requirements: [] };
    },
  };
}

function refusePin(properties: Readonly<Record<string, string>>, name: string): void {
  if (!Object.hasOwn(properties, pinProperty(name))) return;
  throw new IcecoreError('PINNED', `${name} is a pin, which something depends on. Only an erasure releases a pin.`, {
    context: { pin: name },
  });
}
