import { IcecoreError } from '../errors.ts';
import { refByName, type TableMetadata } from './metadata.ts';
import { mainBranch, type Snapshot } from './snapshot.ts';

/** The snapshot that a branch is at; null for a main branch without any. Throws NOT_FOUND for another that is not there, FAILED_PRECONDITION for a tag. */
export function branchSnapshot(base: TableMetadata, branch: string): Snapshot | null {
  const ref = refByName(base, branch);
  if (ref?.type === 'tag') {
    throw new IcecoreError('FAILED_PRECONDITION', `${branch} is a tag, and stays on its snapshot: write to a branch.`, {
      context: { branch },
    });
  }
  const id = ref?.snapshotId ?? (branch === mainBranch ? base.currentSnapshotId : null);
  if (id === null && branch !== mainBranch) {
    const branches = Object.keys(base.refs).filter((name) => base.refs[name]?.type === 'branch');
    throw new IcecoreError('NOT_FOUND', `The table has no branch ${branch}. It has ${branches.join(', ') || 'none'}.`, {
      context: { branch },
    });
  }
  return base.snapshots.find((snapshot) => snapshot.snapshotId === id) ?? null;
}
