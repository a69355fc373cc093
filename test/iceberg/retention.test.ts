import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { expiry } from '../../src/iceberg/retention.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import { append, appendUpdates, newFlights, snapshotOf, tag } from './sample-metadata.ts';

const day = 86_400_000;
const table = append(newFlights(), [1n, 1 * day], [2n, 2 * day], [3n, 3 * day], [4n, 4 * day]);
const nowMs = 10 * day;

describe('expiry', () => {
  it('keeps what is young enough on main', () => {
    expect(expiry(table, { olderThanMs: 3 * day, nowMs })).toEqual({
      removedSnapshotIds: [1n, 2n],
      removedRefs: [],
      kept: [
        { snapshotId: 3n, heldBy: ['main'] },
        { snapshotId: 4n, heldBy: ['main'] },
      ],
    });
  });

  it('keeps the current snapshot however old, and as many as asked for', () => {
    expect(expiry(table, { olderThanMs: nowMs, nowMs }).removedSnapshotIds).toEqual([1n, 2n, 3n]);
    expect(expiry(table, { olderThanMs: nowMs, keepLast: 3, nowMs }).removedSnapshotIds).toEqual([1n]);
    const properties = { 'history.expire.min-snapshots-to-keep': '2' };
    expect(expiry({ ...table, properties }, { olderThanMs: nowMs, nowMs }).removedSnapshotIds).toEqual([1n, 2n]);
  });

  it('takes its age from the table where none is given', () => {
    expect(expiry(table, { nowMs: 8 * day }).removedSnapshotIds).toEqual([1n, 2n]);
    expect(
      expiry({ ...table, properties: { 'history.expire.max-snapshot-age-ms': `${6 * day}` } }, { nowMs: 8 * day })
        .removedSnapshotIds,
    ).toEqual([1n]);
    expect(() => expiry({ ...table, properties: { 'history.expire.max-snapshot-age-ms': 'long' } }, { nowMs })).toThrow(
      /whole number/,
    );
  });

  it('keeps what a tag points to', () => {
    const pinned = tag(tag(table, 'icecore-pin-1', 1n, neverExpiresMs), 'old', 2n, BigInt(day));
    const result = expiry(pinned, { olderThanMs: nowMs, nowMs });
    expect(result.removedSnapshotIds).toEqual([2n, 3n]);
    expect(result.removedRefs).toEqual(['old']);
    expect(result.kept).toEqual([
      { snapshotId: 1n, heldBy: ['icecore-pin-1'] },
      { snapshotId: 4n, heldBy: ['main'] },
    ]);
  });

  it("judges a tag without an age by the table's", () => {
    const tagged = tag(table, 'plain', 1n);
    expect(expiry(tagged, { olderThanMs: nowMs, nowMs }).removedRefs).toEqual([]);
    const strict = { ...tagged, properties: { 'history.expire.max-ref-age-ms': `${day}` } };
    expect(expiry(strict, { olderThanMs: nowMs, nowMs })).toMatchObject({
      removedRefs: ['plain'],
      removedSnapshotIds: [1n, 2n, 3n],
    });
    const pinned = tag(strict, 'pin', 1n, neverExpiresMs);
    expect(expiry(pinned, { olderThanMs: nowMs, nowMs }).removedSnapshotIds).toEqual([2n, 3n]);
  });

  it("keeps a branch's own number and age", () => {
    const branched = applyUpdates(
      table,
      [
        {
          action: 'set-snapshot-ref',
          refName: 'audit',
          ref: { type: 'branch', snapshotId: 3n, minSnapshotsToKeep: 2, maxSnapshotAgeMs: 1n },
        },
      ],
      5 * day,
    );
    const result = expiry(branched, { olderThanMs: nowMs, nowMs });
    expect(result.removedSnapshotIds).toEqual([1n]);
    expect(result.kept.find((kept) => kept.snapshotId === 3n)?.heldBy).toEqual(['audit']);
  });

  it('keeps unreferenced snapshots until they are old', () => {
    const staged = applyUpdates(table, [{ action: 'add-snapshot', snapshot: snapshotOf(table, 9n, 5 * day) }], 5 * day);
    expect(expiry(staged, { olderThanMs: 5 * day, nowMs }).kept).toContainEqual({ snapshotId: 9n, heldBy: [] });
    expect(expiry(staged, { olderThanMs: 5 * day + 1, nowMs }).removedSnapshotIds).toContain(9n);
  });

  it('removes named snapshots, unless they are pinned', () => {
    expect(expiry(table, { olderThanMs: 0, nowMs, snapshotIds: [2n] }).removedSnapshotIds).toEqual([2n]);
    expect(() => expiry(tag(table, 'pin', 2n), { nowMs, snapshotIds: [2n] })).toThrow(
      expect.objectContaining({ code: 'PINNED', message: 'Snapshot 2 cannot be expired: pin hold it.' }),
    );
  });

  it('never removes what a kept ref points to, and what it removes can be removed', () => {
    const cases = fc.record({
      times: fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1, maxLength: 12 }),
      tagged: fc.array(fc.nat(11), { maxLength: 4 }),
      olderThanMs: fc.integer({ min: 0, max: 120 }),
      keepLast: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(cases, ({ times, tagged, olderThanMs, keepLast }) => {
        const commits = times.toSorted((a, b) => a - b).map((at, index) => [BigInt(index + 1), at] as const);
        const history = append(newFlights(2, 0), ...commits);
        const pinned = tagged.reduce(
          (next, index) => tag(next, `t${index}`, BigInt((index % times.length) + 1), neverExpiresMs),
          history,
        );
        const result = expiry(pinned, { olderThanMs, keepLast, nowMs: 200 });
        const next = applyUpdates(pinned, [{ action: 'remove-snapshots', snapshotIds: result.removedSnapshotIds }], 200);
        expect(next.refs).toEqual(pinned.refs);
        expect(next.currentSnapshotId).toBe(pinned.currentSnapshotId);
        expect(next.snapshotLog.at(-1)?.snapshotId).toBe(pinned.currentSnapshotId);
        expect(next.snapshots.length).toBeGreaterThanOrEqual(Math.min(keepLast, times.length));
        expect(
          [...result.removedSnapshotIds, ...result.kept.map((kept) => kept.snapshotId)].toSorted((a, b) => Number(a - b)),
        ).toEqual(commits.map(([id]) => id));
      }),
    );
  });

  it('cuts histories of branches without gaps', () => {
    // Clocks went back: snapshot 2 is younger than snapshot 3.
    const odd = append(newFlights(), [1n, 1000], [2n, 9000], [3n, 2000], [4n, 8000]);
    expect(expiry(odd, { olderThanMs: 5000, nowMs: 9000 }).removedSnapshotIds).toEqual([1n, 2n, 3n]);
  });

  it('of the head of another branch alone leaves main', () => {
    const branched = applyUpdates(table, appendUpdates(snapshotOf(table, 20n, 5 * day), 'try'), 5 * day);
    expect(expiry(branched, { olderThanMs: nowMs, nowMs }).kept.map((kept) => kept.snapshotId)).toEqual([4n, 20n]);
  });
});
