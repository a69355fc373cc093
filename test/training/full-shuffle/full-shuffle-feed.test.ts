import { readdirSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TrainingFeedBatch, TrainingFeeds } from '../../../src/training/feed/feed.ts';
import type { TrainingFeedInput } from '../../../src/training/feed/feed-input.ts';
import { epochOrder } from '../../../src/training/order/epoch-order.ts';
import { batchTable, openFeeds } from '../opened-feeds.ts';
import { TrainingStore } from '../training-store.ts';

/** Rows of each file; each of one row group. */
const files = [400, 1, 250, 349];
const rowCount = 1000;
let world: TrainingStore;
let feeds: TrainingFeeds;

beforeAll(async () => {
  world = await TrainingStore.open();
  feeds = openFeeds(world, { workers: 2 });
  await world.create('raw.rows', {
    columns: [
      { name: 'n', type: 'long', required: true },
      { name: 'text', type: 'string' },
    ],
  });
  let from = 0;
  for (const count of files) {
    await world.append('raw.rows', `SELECT n, 'row ' || n AS text FROM range(${from}, ${from + count}) r(n)`);
    from += count;
  }
});
afterAll(async () => {
  await feeds.close();
  await world.close();
});

interface Read {
  readonly rows: readonly number[];
  readonly batches: readonly Pick<TrainingFeedBatch, 'cursor' | 'last' | 'rowCount'>[];
}

async function read(input: Partial<TrainingFeedInput>, batchesMax = Number.POSITIVE_INFINITY, from = feeds): Promise<Read> {
  const feed = await from.open({ source: { table: { name: 'raw.rows' } }, shuffle: 'FULL', ...input });
  const [rows, batches]: [number[], Read['batches'][number][]] = [[], []];
  for await (const batch of feed.batches) {
    const table = await batchTable(feed, batch);
    const numbers = Array.from(table.getChild('n') ?? [], Number);
    expect(Array.from(table.getChild('text') ?? [])).toEqual(numbers.map((n) => `row ${n}`));
    rows.push(...numbers);
    batches.push(batch);
    if (batches.length >= batchesMax) break;
  }
  return { rows, batches };
}

/** What docs/order.md says. */
function expected(seed: bigint, epoch: number): readonly number[] {
  const order = epochOrder(Uint32Array.from(files), { shuffle: 'FULL', seed, epoch, lanes: 1 });
  const { groups, indices } = order.reader().read({ from: 0, to: rowCount, firstLane: 0, endLane: 1, rows: rowCount });
  const starts = files.map((_, file) => files.slice(0, file).reduce((sum, count) => sum + count, 0));
  return Array.from(groups, (group, row) => (starts[group] ?? 0) + (indices[row] ?? 0));
}

test('FULL is the permutation of all rows, by batches of any size', async () => {
  for (const [seed, epoch, batchSize] of [
    [1n, 0, 64],
    [1n, 1, 1000],
    [-7n, 3, 999],
  ] as const) {
    const { rows, batches } = await read({ seed, epoch, batchSize });
    expect(rows).toEqual(expected(seed, epoch));
    expect(batches.map(({ last }) => last)).toEqual(batches.map((_, batch) => batch === batches.length - 1));
  }
});

test('ranks that read at the same time share it, and a resumed reader goes on at the next row', async () => {
  const ranks = await Promise.all([0, 1, 2].map((rank) => read({ seed: 5n, batchSize: 50, rank, worldSize: 3 })));
  const rows = Array.from({ length: 20 }, (_, batch) =>
    ranks[batch % 3]?.rows.slice(Math.floor(batch / 3) * 50, (Math.floor(batch / 3) + 1) * 50),
  );
  expect(rows.flat().slice(0, 900)).toEqual(expected(5n, 0).slice(0, 900));
  expect(ranks.flatMap((rank) => rank.rows).sort((a, b) => a - b)).toEqual(Array.from({ length: rowCount }, (_, n) => n));
  const cursor = ranks[0]?.batches[2]?.cursor;
  expect((await read({ cursor: cursor ?? '', seed: 5n, batchSize: 100 })).rows).toEqual(expected(5n, 0).slice(450));
});

test('a torn or emptied cache is made anew', async () => {
  const directory = join(world.store.directory, 'cache', 'feeds');
  const feed = () => read({ seed: 9n, batchSize: 100 });
  expect((await feed()).rows).toEqual(expected(9n, 0));
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (name.endsWith('.blocks')) truncateSync(path, Math.floor(statSync(path).size / 2));
  }
  expect((await feed()).rows).toEqual(expected(9n, 0));
  for (const name of readdirSync(directory)) if (name.endsWith('.blocks')) rmSync(join(directory, name));
  expect((await feed()).rows).toEqual(expected(9n, 0));
});

test('a cache without room for all rows refuses before it writes any of them, and says how many bytes it needs', async () => {
  const small = openFeeds(world, { cacheDirectory: join(world.store.directory, 'small'), cacheBytesMax: 60_000 });
  try {
    const feed = await small.open({ source: { table: { name: 'raw.rows' } }, shuffle: 'FULL' });
    const first = feed.batches[Symbol.asyncIterator]().next();
    await expect(first).rejects.toMatchObject({
      code: 'OVERLOADED',
      message: expect.stringMatching(/has no room for \d+ bytes: \d+ of its 60000/),
      context: { bytesNeeded: expect.any(Number), bytesMax: 60_000 },
    });
    // The groups that tell how long rows are.
    expect(readdirSync(join(world.store.directory, 'small', 'feeds')).filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const inOrder = await small.open({ source: { table: { name: 'raw.rows' } }, shuffle: 'WINDOWED' });
    expect((await inOrder.batches[Symbol.asyncIterator]().next()).value).toMatchObject({ rowCount });
  } finally {
    await small.close();
  }
});

test('another server over the same cache goes on with what was shuffled', async () => {
  const options = { cacheDirectory: join(world.store.directory, 'shared') };
  const bucketFiles = () => {
    const directory = join(options.cacheDirectory, 'feeds');
    const names = readdirSync(directory).filter((name) => name.endsWith('.blocks'));
    return new Map(names.map((name) => [name, statSync(join(directory, name)).ino]));
  };
  const one = openFeeds(world, options);
  const first = await read({ seed: 3n, batchSize: 100 }, 4, one);
  const files = bucketFiles();
  // Both at once, and one alone after a restart.
  const other = openFeeds(world, options);
  const rests = await Promise.all(
    [one, other].map((feeds) =>
      read({ seed: 3n, batchSize: 50, cursor: first.batches[3]?.cursor ?? '' }, Number.POSITIVE_INFINITY, feeds),
    ),
  );
  await one.close();
  await other.close();
  const last = openFeeds(world, options);
  const whole = await read({ seed: 3n, batchSize: 50 }, Number.POSITIVE_INFINITY, last);
  await last.close();
  expect(whole.rows).toEqual(expected(3n, 0));
  for (const { rows } of rests) expect([...first.rows, ...rows]).toEqual(expected(3n, 0));
  expect(bucketFiles()).toEqual(files);
});

test('a reader that leaves while rows are dealt is missed by nobody', async () => {
  const leaving = new AbortController();
  const feed = await feeds.open({ source: { table: { name: 'raw.rows' } }, shuffle: 'FULL', seed: 77n }, leaving.signal);
  const first = feed.batches[Symbol.asyncIterator]().next();
  const staying = read({ seed: 77n, batchSize: 100 });
  leaving.abort(new Error('The reader left.'));
  await expect(first).rejects.toThrow();
  expect((await staying).rows).toEqual(expected(77n, 0));
});

test('of no row there is one empty batch', async () => {
  const { rows, batches } = await read({ where: 'n < 0' });
  expect(rows).toEqual([]);
  expect(batches).toMatchObject([{ last: true, rowCount: 0 }]);
});
