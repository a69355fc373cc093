import { readdirSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { TrainingFeed, TrainingFeeds } from '../../../src/training/feed/feed.ts';
import type { TrainingFeedInput } from '../../../src/training/feed/feed-input.ts';
import { batchTable, openFeeds } from '../opened-feeds.ts';
import { TrainingStore } from '../training-store.ts';

const files = 12;
const rowsPerFile = 100;
const rowCount = files * rowsPerFile;
let world: TrainingStore;
let feeds: TrainingFeeds;
let directory: string;
let opened = 0;

beforeAll(async () => {
  world = await TrainingStore.open();
  await world.create('raw.rows', { columns: [{ name: 'n', type: 'long' }] });
  for (let file = 0; file < files; file++) {
    await world.append('raw.rows', `SELECT n FROM range(${file * rowsPerFile}, ${(file + 1) * rowsPerFile}) r(n)`);
  }
});
afterAll(() => world.close());
beforeEach(() => {
  directory = join(world.store.directory, `cache-${opened++}`);
  feeds = openFeeds(world, { cacheDirectory: directory, workers: 2 });
});
afterEach(() => feeds.close());

async function open(input: Partial<TrainingFeedInput> = {}, from = feeds): Promise<TrainingFeed> {
  return await from.open({ source: { table: { name: 'raw.rows' } }, shuffle: 'WINDOWED', lanes: 1, batchSize: 50, ...input });
}

async function rest(feed: TrainingFeed): Promise<readonly number[]> {
  const rows: number[] = [];
  for await (const batch of feed.batches) rows.push(...Array.from((await batchTable(feed, batch)).getChild('n') ?? [], Number));
  return rows;
}

async function begin(feed: TrainingFeed): Promise<readonly number[]> {
  const { value } = await feed.batches.next();
  if (value === undefined) throw new Error('no batch');
  return Array.from((await batchTable(feed, value)).getChild('n') ?? [], Number);
}

function blockFiles(): readonly string[] {
  const all = readdirSync(join(directory, 'feeds'), { recursive: true, withFileTypes: true });
  const paths = all.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return paths.filter((path) => readFileSync(path).subarray(0, 6).toString() === 'ICEBLK');
}

function middleChanged(bytes: Buffer): Uint8Array {
  return bytes.map((byte, at) => (at > bytes.length * 0.4 && at < bytes.length * 0.6 ? byte ^ 1 : byte));
}

test('each group is decoded once, however many feeds want it at the same time', async () => {
  const orders = Array.from({ length: 6 }, (_, epoch) => open({ epoch: epoch % 2, shuffle: epoch < 4 ? 'WINDOWED' : 'NONE' }));
  const read = await Promise.all(orders.map(async (feed) => await rest(await feed)));
  for (const rows of read) expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, n) => n));
  expect(read[0]).toEqual(read[2]);
  expect(feeds.counts).toMatchObject({ decoded: files, bySql: 0 });
  expect(blockFiles().length).toBe(files);
});

test('later feeds, of another process too, decode nothing', async () => {
  const rows = await rest(await open());
  const others = openFeeds(world, { cacheDirectory: directory });
  expect(await rest(await open({}, others))).toEqual(rows);
  expect(others.counts.decoded).toBe(0);
  await others.close();
});

test.each([
  ['torn', (path: string) => truncateSync(path, statSync(path).size / 2)],
  ['changed', (path: string) => writeFileSync(path, middleChanged(readFileSync(path)))],
  ['gone', (path: string) => rmSync(path)],
  ['empty', (path: string) => truncateSync(path, 0)],
])('block files that are %s in mid-feed are made anew, and no row is missing or twice', async (_, spoil) => {
  const rows = await rest(await open());
  const feed = await open();
  const begun = await begin(feed);
  for (const path of blockFiles()) spoil(path);
  expect([...begun, ...(await rest(feed))]).toEqual(rows);
  expect(feeds.counts.decoded).toBeGreaterThan(files);
});

test('the cache may be emptied while feeds are read', async () => {
  const rows = await rest(await open());
  const feed = await open();
  const begun = await begin(feed);
  rmSync(join(directory, 'feeds'), { recursive: true });
  expect([...begun, ...(await rest(feed))]).toEqual(rows);
});

test('a cache that holds less than the table serves it all the same', async () => {
  const small = openFeeds(world, { cacheDirectory: directory, cacheBytesMax: 12_000 });
  const rows = await rest(await open({}, small));
  expect(rows.length).toBe(rowCount);
  expect(await rest(await open({}, small))).toEqual(rows);
  expect(blockFiles().length).toBeLessThan(files);
  await small.close();
});

test('one that cannot hold the groups in use says how many bytes it takes', async () => {
  const tiny = openFeeds(world, { cacheDirectory: directory, cacheBytesMax: 100 });
  const feed = await open({}, tiny);
  await expect(feed.batches.next()).rejects.toMatchObject({ code: 'OVERLOADED', context: { bytesNeeded: expect.any(Number) } });
  await tiny.close();
});
