import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { monotonic } from '../../src/clock.ts';
import { orphanAgeMsMin } from '../../src/limits.ts';
import { checkFiles, checkRows, checkSummary, type RowIds, rowIds } from './history-checks.ts';
import { HistoryModel } from './history-model.ts';
import { History, type Step, stepKinds } from './history-steps.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let made = 0;
beforeAll(async () => {
  // So far ahead that every file is old enough for an orphan.
  warehouse = await Warehouse.open(monotonic(() => BigInt(Date.now() + 30 * orphanAgeMsMin) * 1000n));
});
afterAll(() => warehouse.close());

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(...stepKinds),
  a: fc.nat(100),
  ids: fc.array(fc.nat(12), { minLength: 1, maxLength: 5 }),
});

async function newHistory(formatVersion: 1 | 2 | 3): Promise<History> {
  const name = `raw.history_${made++}`;
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'long' },
      { name: 'n', type: 'long' },
      { name: 'part', type: 'string' },
      { name: 's', type: 'struct<b: string>' },
    ],
    formatVersion,
    properties: { 'commit.manifest.min-count-to-merge': '4' },
  });
  return new History(warehouse, name, new HistoryModel());
}

async function checkAll({ name, model }: History): Promise<void> {
  const { metadata } = await warehouse.load(name);
  expect(new Set(metadata.snapshots.map(({ snapshotId }) => snapshotId))).toEqual(new Set(model.snapshots.keys()));
  for (const [snapshotId, { rows, schema }] of model.snapshots) {
    await checkRows(warehouse, name, { snapshotId }, rows, schema);
    await checkSummary(warehouse, name, snapshotId);
  }
  for (const [ref, snapshotId] of model.tags) {
    const { rows, schema } = model.snapshots.get(snapshotId) ?? { rows: [], schema: model.schema };
    await checkRows(warehouse, name, { ref }, rows, schema);
  }
  for (const ref of model.branches.keys()) await checkRows(warehouse, name, { ref }, model.head(ref), model.schema);
}

/** A row keeps the id that it has in the parent; no id is given to a second row, but that an upsert hands on the one of the row it replaces. */
function checkIds(before: RowIds, after: RowIds, taken: Set<string>): void {
  const gone = new Set([...before].flatMap(([n, id]) => (after.has(n) || id === null ? [] : [id])));
  for (const [n, id] of after) {
    const old = before.get(n);
    if (old !== undefined && old !== null) expect([n, id]).toEqual([n, old]);
    else if (id !== null) expect([n, id, taken.has(id) && !gone.has(id)]).toEqual([n, id, false]);
  }
  for (const id of after.values()) if (id !== null) taken.add(id);
}

const numRuns = Number(process.env.ICECORE_HISTORY_RUNS ?? 8);
const seed = process.env.ICECORE_HISTORY_SEED;

test.for([1, 2, 3] as const)('a history of a table of version %i ends where a model of it ends', async (formatVersion) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 16 }), async (steps) => {
      const history = await newHistory(formatVersion);
      const { name, model } = history;
      const ids = new Map<bigint, RowIds>();
      const taken = new Set<string>();
      for (const each of steps) {
        const branch = await history.take(each);
        const moved = branch === null ? 'main' : branch;
        await checkRows(warehouse, name, { ref: moved }, model.head(moved), model.schema);
        const head = model.branches.get(moved) ?? null;
        if (branch === null || head === null) continue;
        const parent = model.snapshots.get(head)?.parent ?? null;
        const now = await rowIds(warehouse, name, head);
        checkIds((parent === null ? undefined : ids.get(parent)) ?? new Map(), now, taken);
        ids.set(head, now);
      }
      await checkAll(history);
      await checkFiles(warehouse, history);
    }),
    {
      numRuns,
      interruptAfterTimeLimit: 150_000,
      markInterruptAsFailure: true,
      endOnFailure: process.env.ICECORE_HISTORY_SEED === undefined,
      ...(seed === undefined ? {} : { seed: Number(seed) }),
    },
  );
});
