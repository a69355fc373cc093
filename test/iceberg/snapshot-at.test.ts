import { describe, expect, it } from 'vitest';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { ancestors, snapshotAt } from '../../src/iceberg/snapshot-at.ts';
import { append, newFlights, tag } from './sample-metadata.ts';

const table = append(newFlights(), [1n, 1000], [2n, 2000], [3n, 3000]);
const idAt = (metadata: typeof table, timestampMs: number) => {
  const found = snapshotAt(metadata, timestampMs);
  return found.kind === 'snapshot' ? found.snapshot.snapshotId : found.kind;
};

describe('the snapshot at an instant', () => {
  it('is that of the newest log entry not after it', () => {
    expect([999, 1000, 1999, 2000, 5000].map((at) => idAt(table, at))).toEqual(['before-first', 1n, 1n, 2n, 3n]);
    expect(idAt(newFlights(), 5000)).toBe('before-first');
  });

  it('follows rollbacks', () => {
    const back = applyUpdates(
      table,
      [{ action: 'set-snapshot-ref', refName: 'main', ref: { type: 'branch', snapshotId: 1n } }],
      4000,
    );
    expect([3999, 4000].map((at) => idAt(back, at))).toEqual([3n, 1n]);
  });

  it('is told to be unknown where the log was cut', () => {
    const cut = applyUpdates(table, [{ action: 'remove-snapshots', snapshotIds: [1n] }], 4000);
    expect(snapshotAt(cut, 1500)).toEqual({ kind: 'log-cut', logFromMs: 2000 });
    expect(idAt(cut, 2000)).toBe(2n);
    // The pinned first snapshot is still there, and yet says nothing about the time behind the cut.
    const pinned = applyUpdates(tag(table, 'pin', 1n), [{ action: 'remove-snapshots', snapshotIds: [2n] }], 4000);
    expect(snapshotAt(pinned, 1500)).toEqual({ kind: 'log-cut', logFromMs: 3000 });
    const emptied = applyUpdates(table, [{ action: 'remove-snapshots', snapshotIds: [1n, 2n, 3n] }], 4000);
    expect(snapshotAt(emptied, 5000)).toEqual({ kind: 'log-cut', logFromMs: null });
  });

  it('is unknown too where the first snapshot came back by a rollback and the log before that was cut', () => {
    const two = append(newFlights(), [1n, 1000], [2n, 2000]);
    const ref = { type: 'branch', snapshotId: 1n } as const;
    const back = applyUpdates(two, [{ action: 'set-snapshot-ref', refName: 'main', ref }], 3000);
    const cut = applyUpdates(back, [{ action: 'remove-snapshots', snapshotIds: [2n] }], 4000);
    expect([500, 1500, 2500, 3000].map((at) => idAt(cut, at))).toEqual(['log-cut', 'log-cut', 'log-cut', 1n]);
  });

  it('has ancestors', () => {
    expect([...ancestors(table, 3n)].map((snapshot) => snapshot.snapshotId)).toEqual([3n, 2n, 1n]);
    const cycle = { ...table, snapshots: table.snapshots.map((snapshot) => ({ ...snapshot, parentSnapshotId: 3n })) };
    expect([...ancestors(cycle, 1n)].map((snapshot) => snapshot.snapshotId)).toEqual([1n, 3n]);
  });
});
