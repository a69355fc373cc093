import { IcecoreError } from '../errors.ts';
import { refByName, type SnapshotLogEntry, snapshotById, type TableMetadata } from './metadata.ts';
import { type MetadataDraft, refuseUpdate, withMembers } from './metadata-draft.ts';
import { mainBranch, type Snapshot, type SnapshotRef } from './snapshot.ts';
import { withoutStatistics } from './statistics-update.ts';

function stale(reason: string): IcecoreError {
  return new IcecoreError('CONFLICT', `The snapshot cannot be added: ${reason}. Another commit came first.`, { retryable: true });
}

/** Adds a snapshot; no ref points to it yet. Throws CONFLICT where another commit has used its place since it was made. */
export function addSnapshot(draft: MetadataDraft, snapshot: Snapshot): MetadataDraft {
  const { metadata } = draft;
  if (metadata.schemas.length === 0 || metadata.partitionSpecs.length === 0) {
    throw refuseUpdate('a snapshot comes after a schema and a partition spec');
  }
  if (snapshotById(metadata, snapshot.snapshotId) !== undefined)
    throw refuseUpdate(`there is a snapshot ${snapshot.snapshotId} already`);
  const last = metadata.lastSequenceNumber;
  const isLate = snapshot.sequenceNumber <= last;
  // A snapshot without a parent replaces the table's contents whatever came before, so it may be late.
  if (metadata.formatVersion > 1 && isLate && snapshot.parentSnapshotId !== null) {
    throw stale(`its sequence number ${snapshot.sequenceNumber} is not above the last one, ${last}`);
  }
  const added = withMembers(draft, {
    snapshots: [...metadata.snapshots, snapshot],
    lastSequenceNumber: isLate ? last : snapshot.sequenceNumber,
    ...nextRowId(metadata, snapshot),
  });
  return { ...added, addedSnapshotIds: new Set([...draft.addedSnapshotIds, snapshot.snapshotId]) };
}

/** v3: the rows of each snapshot take the next ids (spec: "Row Lineage"). */
function nextRowId(metadata: TableMetadata, snapshot: Snapshot): Pick<TableMetadata, 'nextRowId'> | Record<string, never> {
  if (metadata.formatVersion < 3) return {};
  const next = metadata.nextRowId ?? 0n;
  if (snapshot.firstRowId === undefined || snapshot.addedRows === undefined) {
    throw refuseUpdate(`snapshot ${snapshot.snapshotId} of a v3 table needs first-row-id and added-rows`);
  }
  if (snapshot.addedRows < 0n) throw refuseUpdate(`snapshot ${snapshot.snapshotId} adds ${snapshot.addedRows} rows`);
  if (snapshot.firstRowId < next) throw stale(`its first row id ${snapshot.firstRowId} is below the next one, ${next}`);
  // From where its rows end, though it may have left some out: no id is given twice.
  return { nextRowId: snapshot.firstRowId + snapshot.addedRows };
}

/** Points a branch or tag to a snapshot. On main that makes the snapshot the current one, and an entry of the log. */
export function setSnapshotRef(draft: MetadataDraft, name: string, ref: SnapshotRef): MetadataDraft {
  const { metadata } = draft;
  if (name === '') throw refuseUpdate('a branch or tag needs a name');
  const snapshot = snapshotById(metadata, ref.snapshotId);
  if (snapshot === undefined)
    throw refuseUpdate(`${ref.type} ${name} cannot point to snapshot ${ref.snapshotId}, which is not there`);
  checkRef(name, ref);
  const existing = refByName(metadata, name);
  if (existing !== undefined && isSameRef(existing, ref)) return draft;
  const refs = { ...metadata.refs, [name]: ref };
  if (name !== mainBranch || existing?.snapshotId === ref.snapshotId) return withMembers(draft, { refs });
  const timestampMs = draft.addedSnapshotIds.has(ref.snapshotId) ? snapshot.timestampMs : draft.nowMs;
  return withMembers(draft, {
    refs,
    currentSnapshotId: ref.snapshotId,
    snapshotLog: [...metadata.snapshotLog, { snapshotId: ref.snapshotId, timestampMs }],
  });
}

function isSameRef(left: SnapshotRef, right: SnapshotRef): boolean {
  const names = ['snapshotId', 'type', 'minSnapshotsToKeep', 'maxSnapshotAgeMs', 'maxRefAgeMs'] as const;
  return names.every((name) => left[name] === right[name]);
}

function checkRef(name: string, ref: SnapshotRef): void {
  if (name === mainBranch && ref.type === 'tag') throw refuseUpdate('main is a branch, and cannot become a tag');
  if (ref.type === 'tag' && (ref.minSnapshotsToKeep !== undefined || ref.maxSnapshotAgeMs !== undefined)) {
    throw refuseUpdate(`the tag ${name} keeps one snapshot; how many and how long is said of branches`);
  }
  const limits = [ref.minSnapshotsToKeep, ref.maxSnapshotAgeMs, ref.maxRefAgeMs];
  if (limits.some((limit) => limit !== undefined && limit <= 0)) throw refuseUpdate(`the limits of ${name} must be above 0`);
}

/** Takes a branch or tag away, if it is there. Without main the table has no current snapshot. */
export function removeSnapshotRef(draft: MetadataDraft, name: string): MetadataDraft {
  if (refByName(draft.metadata, name) === undefined) return draft;
  const refs = Object.fromEntries(Object.entries(draft.metadata.refs).filter(([existing]) => existing !== name));
  return withMembers(draft, name === mainBranch ? { refs, currentSnapshotId: null } : { refs });
}

/** Removes snapshots, what refers to them, and their statistics. */
export function removeSnapshots(draft: MetadataDraft, snapshotIds: readonly bigint[]): MetadataDraft {
  const removed = new Set(snapshotIds);
  const snapshots = draft.metadata.snapshots.filter((snapshot) => !removed.has(snapshot.snapshotId));
  if (snapshots.length === draft.metadata.snapshots.length) return draft;
  const dangling = Object.entries(draft.metadata.refs).filter(([, ref]) => removed.has(ref.snapshotId));
  const withoutRefs = dangling.reduce((next, [name]) => removeSnapshotRef(next, name), draft);
  const extra = withoutStatistics(draft.metadata.extra, removed);
  return { ...withMembers(withoutRefs, { snapshots, extra }), hasRemovedSnapshots: true };
}

/**
 * The snapshot log after all updates: without snapshots that were current only between two of them, and cut behind the last
 * removed one. A gap would tell that the snapshot before it was current for longer than it was.
 */
export function settleSnapshotLog(draft: MetadataDraft): readonly SnapshotLogEntry[] {
  const { metadata, addedSnapshotIds } = draft;
  const ids = new Set(metadata.snapshots.map((snapshot) => snapshot.snapshotId));
  const passing = (id: bigint) => addedSnapshotIds.has(id) && id !== metadata.currentSnapshotId;
  const lastGap = draft.hasRemovedSnapshots ? metadata.snapshotLog.findLastIndex((entry) => !ids.has(entry.snapshotId)) : -1;
  const settled = metadata.snapshotLog.slice(lastGap + 1).filter((entry) => !passing(entry.snapshotId));
  refuseWrongClock(draft, settled);
  return settled;
}

/** Clocks of writers may differ by this much; the reference draws the same line. */
const clockSkewMsMax = 60_000;

/** The times that a commit adds to the log must come after one another, and not lie in the future: instants are looked up by them. */
function refuseWrongClock({ addedSnapshotIds, nowMs }: MetadataDraft, log: readonly SnapshotLogEntry[]): void {
  for (const [index, { snapshotId, timestampMs }] of log.entries()) {
    if (!addedSnapshotIds.has(snapshotId)) continue;
    const beforeMs = log[index - 1]?.timestampMs ?? timestampMs;
    if (timestampMs - beforeMs < -clockSkewMsMax) {
      throw refuseUpdate(`snapshot ${snapshotId} is of ${timestampMs} ms, before the one that it follows, of ${beforeMs} ms`);
    }
    if (timestampMs - nowMs > clockSkewMsMax) {
      throw refuseUpdate(`snapshot ${snapshotId} is of ${timestampMs} ms, and now is ${nowMs} ms: set the writer's clock`);
    }
  }
}
