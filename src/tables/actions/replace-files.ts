import { IcecoreError } from '../../errors.ts';
import { branchSnapshot } from '../../iceberg/branch.ts';
import { type ConflictRules, checkConflicts } from '../../iceberg/conflict-rules.ts';
import type { DataFile } from '../../iceberg/data-file.ts';
import { decodeManifest } from '../../iceberg/manifest-reader.ts';
import type { TableMetadata } from '../../iceberg/metadata.ts';
import { mainBranch } from '../../iceberg/snapshot.ts';
import type { ActionContext, TableAction } from '../table-action.ts';
import { addSnapshot, branchManifests, type SnapshotOptions } from './add-snapshot.ts';

export interface FileReplacement extends SnapshotOptions {
  /** `replace` promises the same rows in other files; the others change the rows. */
  readonly operation: 'overwrite' | 'delete' | 'replace';
  /** Paths of data and delete files that go; each must still be live. */
  readonly removed: readonly string[];
  readonly added: readonly DataFile[];
  /** Data files that stay, and whose deletion vector is replaced by one of `added`. */
  readonly replacedVectors?: readonly string[];
  /** What the change was computed from: CONFLICT (retryable: compute it again) where what was committed since breaks one of the rules. */
  readonly conflicts?: ConflictRules;
  /**
   * The same for a change of all rows, which whatever came meanwhile concerns: the snapshot that it was computed from, null for a branch without
   * one. CONFLICT where the branch has moved on.
   */
  readonly readFrom?: bigint | null;
}

/** The summary of a snapshot that holds no row of its parent, not even in other files: so its lineage has nothing to do with that. */
export const replacesAllRows = { 'icecore.replaces-all-rows': 'true' } as const;

/** Whether a change failed for what was committed since it was computed, so that it has to be computed again. */
export function isStale(error: unknown): boolean {
  return IcecoreError.is(error, 'CONFLICT') && ('readFrom' in error.context || 'paths' in error.context);
}

/** Takes files out and puts others in, as one snapshot. Throws CONFLICT where another commit took one of them out before. */
export function replaceFiles(replacement: FileReplacement): TableAction {
  return {
    name: replacement.operation,
    async apply(base, context) {
      const { operation, added, removed, readFrom, conflicts, replacedVectors = [] } = replacement;
      const branch = replacement.branch ?? mainBranch;
      if (readFrom !== undefined) refuseMovedHead(base, branch, readFrom);
      if (conflicts !== undefined) {
        await checkConflicts(base, branchSnapshot(base, branch), conflicts, (location) => context.read(location));
      }
      return await addSnapshot(base, context, replacement, {
        operation,
        added,
        removedPaths: new Set(removed),
        replacedVectors: new Set(replacedVectors),
      });
    },
  };
}

/** Takes out whatever files the branch has when the change is applied, and puts these in; `report` gets how many rows went. */
export function overwriteAll(
  added: readonly DataFile[],
  options: SnapshotOptions,
  report: (rowsRemoved: bigint) => void,
): TableAction {
  return {
    name: 'overwrite',
    async apply(base, context) {
      const live = await liveFiles(base, options.branch ?? mainBranch, context);
      const data = live.filter((file) => file.content === 'data');
      report(data.reduce((sum, file) => sum + file.recordCount, 0n));
      const removedPaths = new Set(live.map((file) => file.filePath));
      const summary = { ...options.summary, ...replacesAllRows };
      return await addSnapshot(base, context, { ...options, summary }, { operation: 'overwrite', added, removedPaths });
    },
  };
}

async function liveFiles(base: TableMetadata, branch: string, context: ActionContext): Promise<readonly DataFile[]> {
  const files: DataFile[] = [];
  for (const manifest of await branchManifests(base, branch, context)) {
    const entries = decodeManifest(await context.read(manifest.manifestPath), manifest, base, { metrics: 'none' });
    for (const { status, dataFile } of entries) if (status !== 'deleted') files.push(dataFile);
  }
  return files;
}

function refuseMovedHead(base: TableMetadata, branch: string, readFrom: bigint | null): void {
  const head = branchSnapshot(base, branch)?.snapshotId ?? null;
  if (head === readFrom) return;
  throw new IcecoreError(
    'CONFLICT',
    `The branch ${branch} went on to snapshot ${head ?? 'none'} while it was rewritten from ${readFrom ?? 'none'}.`,
    {
      context: { branch, readFrom: String(readFrom), snapshotId: String(head) },
      retryable: true,
    },
  );
}
