import type { Run } from '../src/runs/run.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { mutate } from './mutation.ts';
import { notBuilt } from './not-built.ts';
import type { ExpireSnapshotsView, RemoveOrphanFilesView } from './views.ts';

interface TableJobInput {
  readonly idempotencyKey?: Given<string>;
  readonly table: string;
  readonly dryRun?: Given<boolean>;
}

export function expireSnapshots(
  input: TableJobInput & { readonly olderThan: bigint; readonly keepLast?: Given<number> },
  context: ApiContext,
): Promise<ExpireSnapshotsView> {
  const { table, olderThan, keepLast, dryRun } = input;
  const expiry = { table, olderThanMs: millis(olderThan), keepLast: keepLast ?? 1, dryRun: dryRun ?? false };
  return mutate(context, 'expireSnapshots', input, async (call) => {
    const { run, result } = await context.icecore.maintenance.expire(call, expiry);
    const kept = result.kept.map(({ snapshotId, heldBy }) => ({ snapshotId: BigInt(snapshotId), heldBy }));
    return { run, removed: result.removed.map(BigInt), kept };
  });
}

export function removeOrphanFiles(
  input: TableJobInput & { readonly olderThan: bigint },
  context: ApiContext,
): Promise<RemoveOrphanFilesView> {
  const { table, olderThan, dryRun } = input;
  return mutate(context, 'removeOrphanFiles', input, async (call) => {
    const removal = { table, olderThanMs: millis(olderThan), dryRun: dryRun ?? false };
    const { run, result } = await context.icecore.maintenance.removeOrphans(call, removal);
    return { run, files: result.files, bytes: BigInt(result.bytes), truncated: result.truncated };
  });
}

export function rewriteManifests(input: TableJobInput, context: ApiContext): Promise<{ readonly run: Run }> {
  return mutate(context, 'rewriteManifests', input, async (call) => ({
    run: await context.icecore.maintenance.rewriteManifests(call, { table: input.table, dryRun: input.dryRun ?? false }),
  }));
}

export function compactTable(
  input: TableJobInput & { readonly targetFileSizeBytes?: Given<bigint>; readonly where?: Given<string> },
  context: ApiContext,
): Promise<{ readonly run: Run }> {
  const { table, targetFileSizeBytes, where, dryRun } = input;
  return mutate(context, 'compactTable', input, async (call) => ({
    run: await context.icecore.maintenance.compact(call, {
      table,
      targetFileSizeBytes: targetFileSizeBytes == null ? null : String(targetFileSizeBytes),
      where: where ?? null,
      dryRun: dryRun ?? false,
    }),
  }));
}

export function eraseRows(
  _input: { readonly idempotencyKey?: Given<string>; readonly table: string; readonly where: string; readonly reason: string },
  _context: ApiContext,
): { readonly run: Run } {
  return notBuilt('eraseRows');
}

/** Snapshots carry milliseconds; rounded down, so that none younger is meant. */
function millis(micros: bigint): number {
  return Number(micros / 1000n);
}
