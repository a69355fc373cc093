import { IcecoreError } from '../errors.ts';
import { branchSnapshot } from '../iceberg/branch.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import { mainBranch } from '../iceberg/snapshot.ts';
import { isStale } from './actions/replace-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/**
 * Whether a change that failed is to be computed again, from the table as it is now: for what was committed since it was computed, or because the
 * snapshot that it was computed from has expired meanwhile, and its files are gone.
 */
export async function isToComputeAgain(
  tables: Tables,
  table: Table,
  branch: string | undefined,
  error: unknown,
): Promise<boolean> {
  if (isStale(error)) return true;
  // Of all other conflicts, such as a guard's, the caller is to hear.
  if (!IcecoreError.is(error) || error.code === 'CONFLICT') return false;
  const head = branchSnapshot(table.metadata, branch ?? mainBranch);
  if (head === null) return false;
  const now = await tables.findByUuid(table.uuid);
  return now !== null && snapshotById(now.metadata, head.snapshotId) === undefined;
}
