import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { Materializations } from '../../src/features/materializations.ts';
import { call, TrainingStore } from '../training/training-store.ts';

const day = 86_400_000_000n;
const clock = new ManualClock(10n * day);
let world: TrainingStore;
let materializations: Materializations;

beforeAll(async () => {
  world = await TrainingStore.open({ clock });
  materializations = new Materializations(world.store);
  await world.create('raw.sales', {
    columns: [
      { name: 'shop', type: 'string' },
      { name: 'sold', type: 'timestamp' },
      { name: 'amount', type: 'int' },
    ],
  });
  await world.append('raw.sales', sales(1, 4, 1));
  await world.store.features.createFeatureTable(call(), {
    name: 'features.daily',
    columns: [
      { name: 'shop', type: 'string', required: true },
      { name: 'day_end', type: 'timestamp', required: true },
      { name: 'total', type: 'long' },
    ],
    entityKeys: ['shop'],
    eventTime: 'day_end',
    definition: `SELECT shop, date_trunc('day', sold) + INTERVAL 1 DAY AS day_end, sum(amount) AS total FROM raw.sales GROUP BY ALL`,
  });
});

afterAll(async () => {
  await world.close();
});

/** Ten sales a day in each of two shops, each of `amount`, on the days `from` to `to`, both included. */
function sales(from: number, to: number, amount: number): string {
  return `SELECT shop, TIMESTAMP '1970-01-01' + to_days(day::INTEGER) + to_minutes(n) AS sold, ${amount} AS amount
    FROM range(${from}, ${to} + 1) d(day), range(10) m(n), (VALUES ('a'), ('b')) s(shop)`;
}

async function materialize(window: { fromMicros?: bigint; toMicros?: bigint } = {}) {
  return await world.succeeded(await materializations.materializeFeatures(call(), { featureTable: 'features.daily', ...window }));
}

async function totals(): Promise<readonly unknown[]> {
  const rows = await world.rows('features.daily', `SELECT date_part('day', day_end) - 2 AS day, shop, total FROM t ORDER BY ALL`);
  return rows.map((row) => `${row.day}${row.shop}=${row.total}`);
}

test('the first run computes all up to now, the next goes on from there', async () => {
  const run = await materialize({ toMicros: 4n * day });
  expect(await totals()).toEqual(['1a=10', '1b=10', '2a=10', '2b=10']);
  expect(run.result).toMatchObject({ rows: '4', toMicros: String(4n * day) });
  expect(run.rowsDone).toBe(4n);
  await materialize();
  expect(await totals()).toEqual(['1a=10', '1b=10', '2a=10', '2b=10', '3a=10', '3b=10', '4a=10', '4b=10']);
  const sources = await world.load('raw.sales');
  const outputs = await world.load('features.daily');
  expect(run.inputs).toEqual([
    { tableUuid: sources.uuid, tableName: 'raw.sales', snapshotId: sources.metadata.currentSnapshotId },
  ]);
  const graph = await world.store.ledger.select((await import('../../src/lineage/lineage-edge-table.ts')).lineageEdgeTable, {
    where: { to_uuid: outputs.uuid },
  });
  expect(graph.map((edge) => [edge.from_uuid, edge.run_id === null])).toEqual([
    [sources.uuid, false],
    [sources.uuid, false],
  ]);
});

test('a window is replaced exactly: rows before and after it stay', async () => {
  await world.append('raw.sales', sales(2, 3, 5));
  await materialize({ fromMicros: 3n * day, toMicros: 4n * day });
  expect(await totals()).toEqual(['1a=10', '1b=10', '2a=60', '2b=60', '3a=10', '3b=10', '4a=10', '4b=10']);
  await materialize({ fromMicros: 3n * day, toMicros: 5n * day });
  expect(await totals()).toEqual(['1a=10', '1b=10', '2a=60', '2b=60', '3a=60', '3b=60', '4a=10', '4b=10']);
  const before = await world.load('features.daily');
  await materialize({ fromMicros: 3n * day, toMicros: 5n * day });
  expect(await totals()).toEqual(['1a=10', '1b=10', '2a=60', '2b=60', '3a=60', '3b=60', '4a=10', '4b=10']);
  const after = await world.load('features.daily');
  expect(after.metadata.snapshots.length).toBe(before.metadata.snapshots.length + 1);
});

test('an empty window, no definition, a definition that no longer fits', async () => {
  const start = (input: object) => materializations.materializeFeatures(call(), { featureTable: 'features.daily', ...input });
  await expect(start({ fromMicros: 5n, toMicros: 5n })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(start({ featureTable: 'raw.sales' })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  await expect(start({ featureTable: 'features.nothing' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await world.store.features.updateFeatureTable(call(), { name: 'features.daily', definition: null });
  await expect(start({})).rejects.toThrow(/has no definition/);
});
