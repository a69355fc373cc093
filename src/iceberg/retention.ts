import { IcecoreError } from '../errors.ts';
import type { TableMetadata } from './metadata.ts';
import { mainBranch, type SnapshotRef } from './snapshot.ts';
import { ancestors } from './snapshot-at.ts';

const dayMs = 24 * 60 * 60 * 1000;
const maxSnapshotAgeMsDefault = 5 * dayMs;

export interface RetentionOptions {
  /** Snapshots from before this instant expire; by default those older than `history.expire.max-snapshot-age-ms` (5 days). */
  readonly olderThanMs?: number;
  /** Snapshots that each branch keeps whatever their age; by default `history.expire.min-snapshots-to-keep` (1). */
  readonly keepLast?: number;
  readonly nowMs: number;
  /** These in addition, even if they are young. Throws PINNED where a branch or tag points to one. */
  readonly snapshotIds?: readonly bigint[];
}

export interface Expiry {
  readonly removedSnapshotIds: readonly bigint[];
  readonly removedRefs: readonly string[];
  /** `heldBy` names the branches and tags that keep a snapshot; none where it is merely too young. */
  readonly kept: readonly { readonly snapshotId: bigint; readonly heldBy: readonly string[] }[];
}

/**
 * What expiry would remove and keep, in the order of the metadata (spec: "Snapshot Retention Policy"; where it leaves freedom,
 * as the reference implementation does). Main is never removed; another branch or tag is once its snapshot is older than its
 * `max-ref-age-ms` or, without one, the table's `history.expire.max-ref-age-ms`.
 */
export function expiry(metadata: TableMetadata, options: RetentionOptions): Expiry {
  const olderThanMs = options.olderThanMs ?? options.nowMs - setting(metadata, 'max-snapshot-age-ms', maxSnapshotAgeMsDefault);
  const keepLast = options.keepLast ?? setting(metadata, 'min-snapshots-to-keep', 1);
  if (keepLast < 1) throw new IcecoreError('BAD_USER_INPUT', `At least 1 snapshot is kept, and ${keepLast} were asked for.`);
  const keptRefs = Object.entries(metadata.refs).filter(([name, ref]) => keepsRef(metadata, name, ref, options.nowMs));
  const named = new Set(options.snapshotIds);
  refusePinned(keptRefs, named);

  const heldBy = new Map<bigint, string[]>();
  const hold = (snapshotId: bigint, name: string) => {
    const names = heldBy.get(snapshotId);
    if (names === undefined) heldBy.set(snapshotId, [name]);
    else names.push(name);
  };
  const referenced = new Set<bigint>();
  for (const [name, ref] of keptRefs) {
    if (ref.type === 'tag') {
      referenced.add(ref.snapshotId);
      hold(ref.snapshotId, name);
      continue;
    }
    const oldestMs = ref.maxSnapshotAgeMs === undefined ? BigInt(olderThanMs) : BigInt(options.nowMs) - ref.maxSnapshotAgeMs;
    const countMin = Math.max(1, ref.minSnapshotsToKeep ?? keepLast);
    let count = 0;
    let isKeeping = true;
    for (const snapshot of ancestors(metadata, ref.snapshotId)) {
      referenced.add(snapshot.snapshotId);
      // Once one goes, all before it go: a branch's history has no gaps.
      isKeeping &&= count < countMin || BigInt(snapshot.timestampMs) >= oldestMs;
      if (!isKeeping) continue;
      count++;
      hold(snapshot.snapshotId, name);
    }
  }

  const isKept = ({ snapshotId, timestampMs }: { readonly snapshotId: bigint; readonly timestampMs: number }) =>
    !named.has(snapshotId) && (heldBy.has(snapshotId) || (!referenced.has(snapshotId) && timestampMs >= olderThanMs));
  const keptNames = new Set(keptRefs.map(([name]) => name));
  return {
    removedSnapshotIds: metadata.snapshots.filter((snapshot) => !isKept(snapshot)).map((snapshot) => snapshot.snapshotId),
    removedRefs: Object.keys(metadata.refs).filter((name) => !keptNames.has(name)),
    kept: metadata.snapshots
      .filter(isKept)
      .map((snapshot) => ({ snapshotId: snapshot.snapshotId, heldBy: heldBy.get(snapshot.snapshotId) ?? [] })),
  };
}

function keepsRef(metadata: TableMetadata, name: string, ref: SnapshotRef, nowMs: number): boolean {
  if (name === mainBranch) return true;
  const snapshot = metadata.snapshots.find((candidate) => candidate.snapshotId === ref.snapshotId);
  const ageMaxMs = ref.maxRefAgeMs ?? longSetting(metadata, 'max-ref-age-ms');
  return snapshot !== undefined && (ageMaxMs === null || BigInt(nowMs - snapshot.timestampMs) <= ageMaxMs);
}

function refusePinned(refs: readonly (readonly [string, SnapshotRef])[], named: ReadonlySet<bigint>): void {
  const [pin, ...more] = refs.filter(([, ref]) => named.has(ref.snapshotId));
  if (pin === undefined) return;
  const names = [pin, ...more].map(([name]) => name);
  throw new IcecoreError('PINNED', `Snapshot ${pin[1].snapshotId} cannot be expired: ${names.join(', ')} hold it.`, {
    context: { snapshotId: pin[1].snapshotId.toString(), heldBy: names },
  });
}

function longSetting(metadata: TableMetadata, name: string): bigint | null {
  const text = metadata.properties[`history.expire.${name}`];
  if (text === undefined) return null;
  if (!/^\d{1,19}$/.test(text.trim())) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The table property history.expire.${name} must be a whole number, and is "${text}".`,
    );
  }
  return BigInt(text);
}

function setting(metadata: TableMetadata, name: string, otherwise: number): number {
  const value = longSetting(metadata, name);
  return value === null ? otherwise : Number(value);
}
