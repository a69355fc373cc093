import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { TableMetadata } from '../../src/iceberg/metadata.ts';
import { parseMetadata, printMetadata } from '../../src/iceberg/metadata-json.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { expiry } from '../../src/iceberg/retention.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import { snapshotAt } from '../../src/iceberg/snapshot-at.ts';
import { append, newFlights, tag } from './sample-metadata.ts';

/** What a history should come to, kept as simply as can be: which snapshot was current from when on, and what is pinned. */
interface Model {
  readonly current: readonly { readonly snapshotId: bigint; readonly fromMs: number }[];
  readonly pinned: ReadonlySet<bigint>;
}

type Step =
  | { readonly kind: 'append' | 'pin' }
  | { readonly kind: 'rollback'; readonly back: number }
  | { readonly kind: 'expire'; readonly ageMs: number };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant({ kind: 'append' } as const) },
    { weight: 2, arbitrary: fc.constant({ kind: 'pin' } as const) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('rollback' as const), back: fc.nat(5) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('expire' as const), ageMs: fc.integer({ min: 0, max: 500 }) }) },
  ),
  { maxLength: 30 },
);

function take(table: TableMetadata, model: Model, step: Step, nowMs: number): readonly [TableMetadata, Model] {
  const now = table.currentSnapshotId;
  switch (step.kind) {
    case 'append': {
      const snapshotId = BigInt(nowMs);
      return [append(table, [snapshotId, nowMs]), { ...model, current: [...model.current, { snapshotId, fromMs: nowMs }] }];
    }
    case 'pin':
      return now === null
        ? [table, model]
        : [tag(table, `pin-${now}`, now, neverExpiresMs), { ...model, pinned: new Set([...model.pinned, now]) }];
    case 'rollback': {
      const target = table.snapshots.at(-1 - (step.back % Math.max(1, table.snapshots.length)))?.snapshotId;
      if (target === undefined || target === now) return [table, model];
      const ref = { type: 'branch', snapshotId: target } as const;
      const back = applyUpdates(table, [{ action: 'set-snapshot-ref', refName: 'main', ref }], nowMs);
      return [back, { ...model, current: [...model.current, { snapshotId: target, fromMs: nowMs }] }];
    }
    case 'expire': {
      const { removedSnapshotIds } = expiry(table, { olderThanMs: nowMs - step.ageMs, nowMs });
      return [applyUpdates(table, [{ action: 'remove-snapshots', snapshotIds: removedSnapshotIds }], nowMs), model];
    }
  }
}

it('a history ends where a model of it ends, and never answers with a neighbour', () => {
  fc.assert(
    fc.property(steps, (history) => {
      let [table, model]: readonly [TableMetadata, Model] = [newFlights(2, 0), { current: [], pinned: new Set() }];
      history.forEach((step, index) => {
        [table, model] = take(table, model, step, (index + 1) * 50);
      });
      expect(table.currentSnapshotId).toBe(model.current.at(-1)?.snapshotId ?? null);
      expect(parseMetadata(printMetadata(table), 'x')).toEqual(table);
      const held = new Set(table.snapshots.map((snapshot) => snapshot.snapshotId));
      for (const pinned of model.pinned) expect(held).toContain(pinned);
      for (let atMs = 25; atMs < (history.length + 2) * 50; atMs += 25) {
        const expected = model.current.findLast((entry) => entry.fromMs <= atMs)?.snapshotId;
        const found = snapshotAt(table, atMs);
        if (found.kind === 'snapshot') expect(found.snapshot.snapshotId).toBe(expected);
        if (found.kind === 'before-first') expect(expected).toBeUndefined();
      }
      // The present is always known.
      expect(snapshotAt(table, history.length * 50 + 50).kind).toBe(
        table.currentSnapshotId === null ? 'before-first' : 'snapshot',
      );
    }),
    { numRuns: 300 },
  );
});
