import { IcecoreError } from '../../errors.ts';
import { branchSnapshot } from '../../iceberg/branch.ts';
import type { DataFile, ManifestFile } from '../../iceberg/data-file.ts';
import { decodeManifest } from '../../iceberg/manifest-reader.ts';
import type { TableMetadata } from '../../iceberg/metadata.ts';
import { mainBranch, type SnapshotOperation } from '../../iceberg/snapshot.ts';
import { newSnapshotId } from '../../iceberg/snapshot-id.ts';
import { snapshotManifests } from '../../iceberg/snapshot-manifests.ts';
import { produceSnapshot } from '../../iceberg/snapshot-producer.ts';
import type { TableUpdate } from '../../iceberg/table-update.ts';
import type { ActionContext, ActionResult } from '../table-action.ts';

/** What every new snapshot has in common. */
export interface SnapshotOptions {
  /** `main` where left out. */
  readonly branch?: string;
  /** A new one where left out; given where entries of the same transaction name it. */
  readonly snapshotId?: bigint;
  /** CONFLICT, not retryable, unless the branch is at this snapshot; null for a branch without one. */
  readonly expectedSnapshotId?: bigint | null;
  /** Besides what is counted, such as the run that wrote it. */
  readonly summary?: Readonly<Record<string, string>>;
}

export interface SnapshotChange {
  readonly operation: SnapshotOperation;
  readonly added: readonly DataFile[];
  readonly removedPaths: ReadonlySet<string>;
  /** Data files whose deletion vector is replaced by one of `added`. */
  readonly replacedVectors?: ReadonlySet<string>;
}

/** Writes the next snapshot of a branch and points the branch to it. */
export async function addSnapshot(
  base: TableMetadata,
  context: ActionContext,
  options: SnapshotOptions,
  change: SnapshotChange,
): Promise<ActionResult> {
  const branch = options.branch ?? mainBranch;
  refuseOtherHead(base, branch, options.expectedSnapshotId);
  const produced = await produceSnapshot({
    base,
    branch,
    ...change,
    snapshotId: options.snapshotId ?? newSnapshotId(),
    nowMs: context.nowMs,
    manifests: await branchManifests(base, branch, context),
    readEntries: async (manifest, projection) =>
      decodeManifest(await context.read(manifest.manifestPath), manifest, base, projection),
    attempt: context.attempt,
    ...(options.summary === undefined ? {} : { summaryExtra: options.summary }),
  });
  const files = [...produced.manifests, produced.manifestList];
  await Promise.all(files.map(({ location, bytes }) => context.write(location, bytes)));
  const { snapshot } = produced;
  const updates: readonly TableUpdate[] = [
    { action: 'add-snapshot', snapshot },
    {
      action: 'set-snapshot-ref',
      refName: branch,
      ref: { ...base.refs[branch], type: 'branch', snapshotId: snapshot.snapshotId },
    },
  ];
  return { updates, requirements: [] };
}

/** The manifests of the snapshot that a branch is at; none where it has none yet. */
export async function branchManifests(
  base: TableMetadata,
  branch: string,
  context: Pick<ActionContext, 'read'>,
): Promise<readonly ManifestFile[]> {
  const parent = branchSnapshot(base, branch);
  return parent === null ? [] : await snapshotManifests(parent, base, (location) => context.read(location));
}

function refuseOtherHead(base: TableMetadata, branch: string, expected: bigint | null | undefined): void {
  if (expected === undefined) return;
  const head = branchSnapshot(base, branch)?.snapshotId ?? null;
  if (head === expected) return;
  throw new IcecoreError(
    'CONFLICT',
    `The branch ${branch} is at snapshot ${head ?? 'none'}, not at the expected ${expected ?? 'none'}. Read it again, and repeat the change if it still holds.`,
    { context: { branch, expectedSnapshotId: String(expected), snapshotId: String(head) } },
  );
}
