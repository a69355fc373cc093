import { rename } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock, nowMs } from '../../src/clock.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema } from '../../src/iceberg/metadata.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import { printFieldIds } from '../../src/tables/parquet-columns.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import type { NewTrainingSet } from '../../src/training/new-training-set.ts';
import type { Reproduction } from '../../src/training/reproduce-training-set.ts';
import { call, TrainingStore } from './training-store.ts';

const dayMicros = 86_400_000_000n;
let clock: ManualClock;
let world: TrainingStore;

beforeEach(async () => {
  clock = new ManualClock(1_000_000_000_000_000n);
  world = await TrainingStore.open({ clock });
  await world.store.features.createFeatureTable(call(), {
    name: 'features.shops',
    columns: [
      { name: 'shop', type: 'int' },
      { name: 'event', type: 'timestamp' },
      { name: 'value', type: 'double' },
    ],
    entityKeys: ['shop'],
    eventTime: 'event',
  });
  await world.store.featureSets.createFeatureSet(call(), {
    name: 'shops',
    features: [{ table: 'features.shops', feature: 'value' }],
  });
  await world.create('raw.visits', {
    columns: [
      { name: 'shop', type: 'int' },
      { name: 'ts', type: 'timestamp' },
    ],
  });
});

afterEach(async () => {
  await world.close();
});

const visits = `SELECT (n % 4)::INTEGER AS shop, TIMESTAMP '1970-01-01' + to_hours(n) AS ts FROM range(200) r(n)`;

/** One day's features: a row for each of three shops. */
function dayOf(day: number): string {
  return `SELECT shop::INTEGER AS shop, TIMESTAMP '1970-01-01' + to_days(${day}) AS event, (shop * 1000 + ${day})::DOUBLE AS value FROM range(3) s(shop)`;
}

function newSet(source: NewTrainingSet['spine']['source']): NewTrainingSet {
  return {
    name: 'visits',
    spine: { source, eventTime: 'ts', labels: [] },
    featureSet: 'shops',
    featureSetVersion: 1,
    pins: [],
    options: { boundary: 'INCLUSIVE', knowledge: 'IGNORE', onTie: 'ERROR', nulls: 'LAST_NON_NULL', matchStatus: true },
    split: {
      kind: 'HASH',
      columns: ['shop'],
      seed: 3n,
      shares: [
        { name: 'train', share: 0.5 },
        { name: 'test', share: 0.5 },
      ],
    },
  };
}

async function make(source: NewTrainingSet['spine']['source'] = { sql: 'SELECT * FROM raw.visits WHERE shop < 9' }) {
  return await world.succeeded(await world.training.createTrainingSet(call(), newSet(source)));
}

async function reproduce(version = 1): Promise<Reproduction> {
  const run = await world.training.reproduceTrainingSet(call(), { name: 'visits', version });
  return (await world.succeeded(run)).result as Reproduction;
}

test('ninety days of appends, compaction and expiry later the rows of the day are there, and the digest is the same', async () => {
  let trainedAt = 0n;
  let rowsThen: readonly unknown[] = [];
  await world.append('raw.visits', visits);
  for (let day = 1; day <= 90; day++) {
    clock.advance(dayMicros);
    await world.append('features.shops', dayOf(day % 9));
    if (day === 8) {
      await make();
      trainedAt = clock.nowMicros();
      rowsThen = await world.rows('features.shops', 'SELECT * FROM t ORDER BY ALL');
      await world.append('raw.visits', visits);
    }
    if (day % 15 !== 0) continue;
    for (const name of ['features.shops', 'raw.visits', 'training.visits', 'training.visits__spine']) {
      const identifier = parseIdentifier(name);
      if ((await world.store.tables.find(identifier)) === null) continue;
      await compactTable(world.store.tables, { identifier });
      clock.advance(3_600_000_000n);
      await expireTable(world.store.tables, { identifier, olderThanMs: nowMs(clock), keepLast: 1 });
    }
  }
  const shops = await world.load('features.shops');
  expect(shops.metadata.snapshots.length).toBe(2);
  expect(await world.rows('features.shops', 'SELECT * FROM t ORDER BY ALL', { timestampMicros: trainedAt })).toEqual(rowsThen);
  expect(() => resolveAsOf(shops, { timestampMicros: trainedAt + 3n * dayMicros })).toThrow(/is not known/);
  expect(() => resolveAsOf(shops, { timestampMicros: trainedAt - 3n * dayMicros })).toThrow(/is not known/);
  expect(await reproduce()).toMatchObject({ verdict: 'EXACT', differences: [] });
});

test('three of one name at once are three versions, each reproduced', async () => {
  await world.append('raw.visits', visits);
  await world.append('features.shops', dayOf(1));
  await Promise.all([make(), make({ table: { name: 'raw.visits' } }), make()]);
  expect((await world.training.require('visits')).version).toBe(3);
  for (const version of [1, 2, 3]) expect(await reproduce(version)).toMatchObject({ verdict: 'EXACT' });
});

test('a run that its server left in the middle is done by the next, once', async () => {
  await world.append('raw.visits', visits);
  await world.append('features.shops', dayOf(1));
  const run = await world.training.createTrainingSet(call(), newSet({ table: { name: 'raw.visits' } }));
  for await (const { rowsTotal } of world.store.runs.watch(run.id)) if (rowsTotal !== null) break;
  await world.store.runs.close();
  expect(await world.training.trainingSet('visits')).toBeNull();
  const other = await TrainingStore.open({ clock }, world.store.directory);
  try {
    await other.store.runs.begin();
    expect((await other.succeeded(run)).result).toMatchObject({ version: 1 });
    const data = await other.load('training.visits');
    expect(data.metadata.snapshots.length).toBe(1);
    expect(Object.keys((await other.load('features.shops')).metadata.refs)).toEqual(['main', 'training-set/visits/v1']);
  } finally {
    await other.close();
  }
});

test('a feature table without rows has none to pin, and is still empty when it has', async () => {
  await world.append('raw.visits', visits);
  await make();
  expect((await world.training.require('visits')).featureSnapshots).toEqual([]);
  await world.append('features.shops', dayOf(1));
  expect(await reproduce()).toMatchObject({ verdict: 'EXACT' });
});

test('a source that another engine dropped: unavailable, with its name', async () => {
  await world.append('raw.visits', visits);
  await world.append('features.shops', dayOf(1));
  await make();
  const { identifier, uuid, metadataLocation } = await world.load('features.shops');
  await world.store.catalog.commit({ pointers: [{ kind: 'drop', identifier, uuid, from: metadataLocation }] });
  const { verdict, differences, actualDigest } = await reproduce();
  expect([verdict, actualDigest]).toEqual(['UNAVAILABLE', null]);
  expect(differences).toEqual([expect.stringMatching(/features\.shops is gone: the table was dropped/)]);
});

test('a file that was tampered with: drifted, with the columns and rows', async () => {
  await world.append('raw.visits', visits);
  await world.append('features.shops', dayOf(1));
  await make();
  const table = await world.load('features.shops');
  const scan = await scanRelation(world.store.tables, { table, snapshot: resolveAsOf(table) });
  const [path] = [...scan.tasksByPath.keys()];
  const fields = printFieldIds(currentSchema(table.metadata).fields);
  await world.store.duckdb.trusted.use((connection) =>
    connection.run(`COPY (SELECT shop, event, CASE WHEN shop = 1 THEN -1 ELSE value END AS value FROM read_parquet('${path}'))
      TO '${path}.new' (FORMAT parquet, FIELD_IDS ${fields})`),
  );
  scan.release();
  await rename(`${path}.new`, path ?? '');
  const { verdict, differences, expectedDigest, actualDigest } = await reproduce();
  expect(verdict).toBe('DRIFTED');
  expect(actualDigest).not.toBe(expectedDigest);
  expect(differences).toEqual(['value differs in 44 rows, the first at spine_position 25, 29, 33, 37, 41.']);
});
