import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { pinSnapshot } from '../../src/tables/actions/pin-snapshot.ts';
import type { PointInTimeOptions } from '../../src/training/training-set.ts';
import { caller } from '../environment/store.ts';
import { batchTable, openFeeds } from './opened-feeds.ts';
import { ada, call, TrainingStore } from './training-store.ts';

const options: PointInTimeOptions = {
  boundary: 'INCLUSIVE',
  knowledge: 'IGNORE',
  onTie: 'LAST_BY_SEQUENCE',
  nulls: 'KEEP',
  matchStatus: true,
};

const clock = new ManualClock(1_700_000_000_000_000n);
let world: TrainingStore;

beforeAll(async () => {
  world = await TrainingStore.open({ clock });
  await world.store.features.createFeatureTable(call(), {
    name: 'features.hourly',
    columns: [
      { name: 'id', type: 'int' },
      { name: 'event', type: 'timestamptz' },
      { name: 'known', type: 'timestamptz' },
      { name: 'sequence', type: 'long' },
      { name: 'value', type: 'double' },
    ],
    entityKeys: ['id'],
    eventTime: 'event',
    knownTime: 'known',
    sequence: 'sequence',
    timeToLiveMicros: 5n * 3_600_000_000n,
  });
  await world.append(
    'features.hourly',
    featureRows(['1001, 10, 11, 1, 0.5', '1001, 12, 13, 2, NULL', '1002, 10, 11, 4, 7', '1002, 10, 11, 5, 8']),
  );
  await world.append('features.hourly', featureRows(['1001, 10, 20, 3, 0.9']));
  await world.store.features.sets.createFeatureSet(call(), {
    name: 'delays',
    features: [{ table: 'features.hourly', feature: 'value' }],
  });
});

afterAll(async () => {
  await world.close();
});

/** Rows (id, event, known, sequence, value), times in hours. */
function featureRows(rows: readonly string[]): string {
  return `SELECT id::INTEGER AS id, to_timestamp(event * 3600) AS event, to_timestamp(known * 3600) AS known,
    sequence::BIGINT AS sequence, value::DOUBLE AS value FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) v(id, event, known, sequence, value)`;
}

const spineSql = `SELECT id::BIGINT AS id, to_timestamp(hour * 3600) AS ts, hour % 2 = 0 AS even FROM (VALUES
  (1001, 9), (1001, 10), (1001, 11), (1001, 12), (1001, 25), (1002, 10), (1002, 10), (9999, 12), (NULL, 12)) v(id, hour)`;

function newSet(name: string, rest: object = {}) {
  return {
    name,
    spine: { source: { sql: spineSql }, eventTime: 'ts', labels: ['even'] },
    featureSet: 'delays',
    featureSetVersion: 1,
    pins: [],
    options,
    split: { kind: 'TIME' as const, windows: [{ name: 'early', fromMicros: null, toMicros: 11n * 3_600_000_000n }] },
    ...rest,
  };
}

async function reproduce(name: string, version = 1): Promise<unknown> {
  const run = await world.training.reproduceTrainingSet(call(), { name, version });
  return (await world.succeeded(run)).result;
}

test('the worked example becomes a table, with a manifest, pins, lineage and an audit entry', async () => {
  const run = await world.succeeded(await world.training.createTrainingSet(call(), newSet('worked')));
  const set = await world.training.require('worked', 1);
  expect(run.result).toEqual({ name: 'worked', version: 1, digest: set.digest, rowCount: '9' });
  const rows = await world.rows(
    'training.worked',
    'SELECT spine_position, "value", hourly__status, split, even FROM t ORDER BY 1',
  );
  expect(rows.map((row) => [row.value, row.hourly__status, row.split])).toEqual([
    [null, 'FUTURE_ONLY', 'early'],
    [0.9, 'MATCHED', 'early'],
    [0.9, 'MATCHED', null],
    [null, 'NULL_VALUE', null],
    [null, 'EXPIRED', null],
    [8, 'MATCHED', 'early'],
    [8, 'MATCHED', 'early'],
    [null, 'NO_ENTITY', null],
    [null, 'NO_ENTITY', null],
  ]);
  const features = await world.load('features.hourly');
  expect(features.metadata.refs['training-set/worked/v1']?.snapshotId).toBe(features.metadata.currentSnapshotId);
  const data = await world.load('training.worked');
  expect(set.data).toEqual({ tableUuid: data.uuid, tableName: 'training.worked', snapshotId: data.metadata.currentSnapshotId });
  expect(data.metadata.refs['training-set/worked/v1']?.snapshotId).toBe(set.data.snapshotId);
  expect(set.sources.map(({ tableName }) => tableName)).toEqual(['features.hourly']);
  const { entries } = await world.store.audit.entries({ subject: 'training_set/worked' });
  expect(entries.map(({ action, outcome }) => [action, outcome])).toEqual([['createTrainingSet', 'SUCCEEDED']]);
});

test('reproduced exactly after appends, and after expiry has taken what is not pinned', async () => {
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('lasting')));
  clock.advance(3_600_000_000n);
  await world.append('features.hourly', featureRows(['1001, 11, 11, 9, 4.5']));
  expect(await reproduce('lasting')).toMatchObject({ verdict: 'EXACT', differences: [] });
  const again = await world.succeeded(await world.training.createTrainingSet(call(), newSet('lasting')));
  expect(again.result).toMatchObject({ version: 2 });
  const [first, second] = [await world.training.require('lasting', 1), await world.training.require('lasting', 2)];
  expect(second.digest).not.toBe(first.digest);
  expect(await reproduce('lasting', 1)).toMatchObject({ verdict: 'EXACT' });
  expect(await reproduce('lasting', 2)).toMatchObject({ verdict: 'EXACT' });
});

test('an older pin gives the older answer', async () => {
  const table = await world.load('features.hourly');
  const oldest = table.metadata.snapshotLog[0]?.snapshotId;
  const pins = [{ name: 'features.hourly', asOf: { snapshotId: oldest ?? 0n } }];
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('older', { pins })));
  const rows = await world.rows('training.older', 'SELECT "value" FROM t ORDER BY spine_position');
  expect(rows.map((row) => row.value)).toEqual([null, 0.5, 0.5, null, null, 8, 8, null, null]);
});

test('a later version may have other columns, and the older one is read as it was', async () => {
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('changing')));
  const first = await world.training.require('changing', 1);
  const spine = { source: { sql: `SELECT id, ts, 'x' AS even FROM (${spineSql})` }, eventTime: 'ts', labels: ['even'] };
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('changing', { spine, split: null })));
  const now = await world.rows('training.changing', 'SELECT * FROM t ORDER BY spine_position LIMIT 1');
  expect(now[0]).toMatchObject({ even: 'x' });
  expect(now[0]).not.toHaveProperty('split');
  const then = await world.rows('training.changing', 'SELECT * FROM t ORDER BY spine_position LIMIT 1', {
    snapshotId: first.data.snapshotId,
  });
  expect(then[0]).toMatchObject({ even: false, split: 'early' });
  expect(await reproduce('changing', 1)).toMatchObject({ verdict: 'EXACT' });
});

test('a table as a spine, read and pinned at a snapshot', async () => {
  await world.create('raw.events', {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'ts', type: 'timestamptz' },
      { name: 'late', type: 'boolean' },
    ],
  });
  await world.append('raw.events', `SELECT id::INTEGER AS id, ts, even AS late FROM (${spineSql})`);
  const spine = { source: { table: { name: 'raw.events' } }, eventTime: 'ts', labels: ['late'] };
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('from_table', { spine, split: null })));
  const set = await world.training.require('from_table');
  expect(set.sources.map(({ tableName }) => tableName)).toEqual(['raw.events', 'features.hourly']);
  const raw = await world.load('raw.events');
  expect(raw.metadata.refs['training-set/from_table/v1']?.snapshotId).toBe(raw.metadata.currentSnapshotId);
  expect(await reproduce('from_table')).toMatchObject({ verdict: 'EXACT' });
});

test('refused at once: what needs no data to be seen', async () => {
  const start = (rest: object) => world.training.createTrainingSet(call(), newSet('refused', rest));
  await expect(start({ featureSetVersion: 9 })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(
    start({ spine: { source: { table: { name: 'raw.nothing' } }, eventTime: 'ts', labels: [] } }),
  ).rejects.toMatchObject({ code: 'NOT_FOUND' });
  await expect(start({ spine: { source: { sql: 'SELECT 1::BIGINT AS id' }, eventTime: 'ts', labels: [] } })).rejects.toThrow(
    /no column ts/,
  );
  await expect(start({ spine: { source: { sql: spineSql }, eventTime: 'ts', labels: ['id'] } })).rejects.toThrow(/id is a label/);
  await expect(
    start({ spine: { source: { sql: "SELECT * FROM read_csv('/etc/passwd')" }, eventTime: 'ts', labels: [] } }),
  ).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(start({ pins: [{ name: 'features.hourly', asOf: { snapshotId: 5n } }] })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
  await expect(
    start({ split: { kind: 'HASH', columns: ['nothing'], seed: 0n, shares: [{ name: 'a', share: 1 }] } }),
  ).rejects.toThrow(/no column nothing/);
  await expect(start({ name: 'no dots.please' })).rejects.toThrow(/cannot be called/);
  expect(await world.store.tables.find({ namespace: ['training'], name: 'refused' })).toBeNull();
});

test('where one tie fails nothing is left: no table, no tag, no manifest, no file', async () => {
  const ties = newSet('atomic', { options: { ...options, onTie: 'ERROR' } });
  const run = await world.training.createTrainingSet(call(), ties);
  const ended = await world.store.runs.ended(run.id);
  expect(ended.status).toBe('FAILED');
  expect(ended.error).toMatch(/FAILED_PRECONDITION.*id = 1002/s);
  expect(await world.training.trainingSet('atomic')).toBeNull();
  expect(await world.store.tables.find({ namespace: ['training'], name: 'atomic' })).toBeNull();
  expect(await world.store.tables.find({ namespace: ['training'], name: 'atomic__spine' })).toBeNull();
  const features = await world.load('features.hourly');
  expect(Object.keys(features.metadata.refs).filter((tag) => tag.includes('atomic'))).toEqual([]);
});

test('where one pin cannot be set nothing is done: no table, no other pin, no entry, no file', async () => {
  const features = await world.load('features.hourly');
  const oldest = features.metadata.snapshotLog[0]?.snapshotId ?? 0n;
  const transaction = world.store.tables.transaction();
  transaction.change(features, pinSnapshot('training-set/blocked/v1', oldest));
  await transaction.commit();
  await world.create('raw.blocked', {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'ts', type: 'timestamptz' },
    ],
  });
  await world.append('raw.blocked', `SELECT id::INTEGER AS id, ts FROM (${spineSql})`);
  const spine = { source: { table: { name: 'raw.blocked' } }, eventTime: 'ts', labels: [] };
  const run = await world.training.createTrainingSet(call(), newSet('blocked', { spine }));
  const ended = await world.store.runs.ended(run.id);
  expect(ended.error).toMatch(/ALREADY_EXISTS: The tag training-set\/blocked\/v1 exists/);
  expect(await world.training.trainingSet('blocked')).toBeNull();
  expect(await world.store.tables.find({ namespace: ['training'], name: 'blocked' })).toBeNull();
  expect(Object.keys((await world.load('raw.blocked')).metadata.refs)).toEqual(['main']);
  expect((await world.store.audit.entries({ subject: 'training_set/blocked' })).entries).toEqual([]);
  const files = await readdir(world.store.directory, { recursive: true, withFileTypes: true });
  const left = files.filter((file) => file.isFile() && file.parentPath.includes('/training/blocked'));
  expect(left.map((file) => file.name)).toEqual([]);
});

test('the same idempotency key gives the first run again', async () => {
  const keyed = { caller: ada, key: 'once', input: { name: 'keyed' } };
  const first = await world.training.createTrainingSet(keyed, newSet('keyed'));
  const second = await world.training.createTrainingSet(keyed, newSet('keyed'));
  expect(second.id).toBe(first.id);
  await world.succeeded(first);
  expect((await world.training.require('keyed')).version).toBe(1);
});

test('feature vectors: the rule with one spine row each', async () => {
  const answer = await world.training.featureVectors({
    featureSet: 'delays',
    entities: [{ id: 1002 }, { id: 9999 }, { id: null }],
    atMicros: 10n * 3_600_000_000n,
    options: { ...options, matchStatus: false },
  });
  expect(answer.vectors).toEqual([{ value: 8 }, { value: null }, { value: null }]);
  expect(answer.snapshots.map(({ tableName }) => tableName)).toEqual(['features.hourly']);
  const ask = (entities: readonly unknown[]) => world.training.featureVectors({ featureSet: 'delays', entities, options });
  await expect(ask([{ id: 'x' }])).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(ask([{}])).rejects.toThrow(/lacks the key id/);
  await expect(ask([{ id: 1, other: 2 }])).rejects.toThrow(/other/);
});

test('the feed reads a version in the order of its spine; a cursor stays with the version it was made on', async () => {
  const feeds = openFeeds(world);
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('fed')));
  const source = { trainingSet: { name: 'fed' } };
  const first = await feeds.open({ source, shuffle: 'NONE', columns: ['spine_position', 'value'], batchSize: 4 });
  expect(first.snapshotId).toBe((await world.training.require('fed')).data.snapshotId);
  const { value: batch } = await first.batches.next();
  await first.batches.return();
  const spine = { source: { sql: `${spineSql} LIMIT 2` }, eventTime: 'ts', labels: ['even'] };
  await world.succeeded(await world.training.createTrainingSet(call(), newSet('fed', { spine })));
  const rest = await feeds.open({ source, shuffle: 'NONE', columns: ['spine_position'], cursor: batch?.cursor });
  const positions: number[] = [];
  for await (const next of rest.batches)
    positions.push(...Array.from((await batchTable(rest, next)).getChild('spine_position') ?? [], Number));
  expect(positions).toEqual([4, 5, 6, 7, 8]);
  await expect(feeds.open({ source: { trainingSet: { name: 'fed', version: 2 } }, cursor: batch?.cursor })).rejects.toMatchObject(
    { code: 'CONFLICT' },
  );
  await feeds.close();
});

test('who may: an approver reproduces and does not make, a viewer does neither', async () => {
  const as = (role: 'approver' | 'viewer') => ({ caller: caller(role, [role]), key: null, input: {} });
  const run = await world.training.reproduceTrainingSet(as('approver'), { name: 'worked', version: 1 });
  expect((await world.succeeded(run)).result).toMatchObject({ verdict: 'EXACT' });
  await expect(world.training.reproduceTrainingSet(as('viewer'), { name: 'worked', version: 1 })).rejects.toMatchObject({
    code: 'FORBIDDEN',
  });
  await expect(world.training.createTrainingSet(as('approver'), newSet('not_made'))).rejects.toMatchObject({ code: 'FORBIDDEN' });
});

test("a table that is not the set's keeps its rows: a set whose name would take it is refused", async () => {
  await world.create('training.labelled', { columns: [{ name: 'id', type: 'long' }] });
  await world.append('training.labelled', 'SELECT 7::BIGINT AS id');
  await expect(world.training.createTrainingSet(call(), newSet('labelled'))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  await world.create('training.numbered__spine', { columns: [{ name: 'id', type: 'long' }] });
  await expect(world.training.createTrainingSet(call(), newSet('numbered'))).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  expect(await world.rows('training.labelled')).toEqual([{ id: '7' }]);
});
