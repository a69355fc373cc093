import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { sha256Hex } from '../../../src/ledger/canonical-json.ts';
import type { TrainingFeed, TrainingFeedBatch, TrainingFeeds } from '../../../src/training/feed/feed.ts';
import { type FeedCursor, parseFeedCursor, printFeedCursor } from '../../../src/training/feed/feed-cursor.ts';
import type { TrainingFeedInput } from '../../../src/training/feed/feed-input.ts';
import { batchTable, openFeeds } from '../opened-feeds.ts';
import { TrainingStore } from '../training-store.ts';

const rowCount = 97;
let world: TrainingStore;
let feeds: TrainingFeeds;

beforeAll(async () => {
  world = await TrainingStore.open();
  feeds = openFeeds(world);
  await world.create('raw.rows', {
    columns: [
      { name: 'n', type: 'long', required: true },
      { name: 'text', type: 'string' },
      { name: 'split', type: 'string' },
    ],
  });
  for (const [from, to] of [
    [0, 40],
    [40, 41],
    [41, rowCount],
  ] as const) {
    await world.append(
      'raw.rows',
      `SELECT n, 'row ' || n AS text, CASE WHEN n % 3 = 0 THEN 'test' ELSE 'train' END AS split FROM range(${from}, ${to}) r(n)`,
    );
  }
});

afterAll(async () => {
  await feeds.close();
  await world.close();
});

const source = { table: { name: 'raw.rows' } };
const all = Array.from({ length: rowCount }, (_, n) => n);

interface Read {
  readonly rows: readonly number[];
  readonly batches: readonly (Pick<TrainingFeedBatch, 'cursor' | 'last' | 'globalBatch'> & {
    readonly rows: readonly number[];
  })[];
}

async function read(input: Partial<TrainingFeedInput> = {}, batchesMax = Number.POSITIVE_INFINITY): Promise<Read> {
  const feed = await feeds.open({ source, ...input });
  const batches: Read['batches'][number][] = [];
  for await (const batch of feed.batches) {
    const { rowCount: count, cursor, last, globalBatch } = batch;
    const rows = Array.from((await batchTable(feed, batch)).getChild('n') ?? [], Number);
    expect(rows.length).toBe(count);
    batches.push({ rows, cursor, last, globalBatch });
    if (batches.length >= batchesMax) break;
  }
  return { rows: batches.flatMap((batch) => batch.rows), batches };
}

test('in order, in batches of exact size, the last one short and marked', async () => {
  const { rows, batches } = await read({ shuffle: 'NONE', batchSize: 20 });
  expect(rows).toEqual(all);
  expect(batches.map((batch) => batch.rows.length)).toEqual([20, 20, 20, 20, 17]);
  expect(batches.map((batch) => batch.last)).toEqual([false, false, false, false, true]);
  expect(batches.map((batch) => batch.globalBatch)).toEqual([0n, 1n, 2n, 3n, 4n]);
});

test('a shuffle is a permutation: each row once, another one for another seed or epoch', async () => {
  const orders = new Set<string>();
  for (const order of [{ seed: 1n }, { seed: 2n }, { seed: 1n, epoch: 1 }]) {
    const { rows } = await read({ shuffle: 'WINDOWED', batchSize: 10, ...order });
    expect([...rows].sort((a, b) => a - b)).toEqual(all);
    orders.add(rows.join());
  }
  expect(orders.size).toBe(3);
  expect(orders.has(all.join())).toBe(false);
});

test('the order does not depend on columns, batch size, world size or where it is resumed', async () => {
  const whole = (await read({ shuffle: 'WINDOWED', seed: 5n, batchSize: 1000 })).rows;
  const shape = fc.record({
    batchSize: fc.integer({ min: 1, max: 40 }),
    worldSize: fc.integer({ min: 1, max: 4 }),
    columns: fc.constantFrom(['n'], ['n', 'text'], ['split', 'n']),
    resumeAfter: fc.integer({ min: 1, max: 6 }),
    resumed: fc.record({ batchSize: fc.integer({ min: 1, max: 40 }), worldSize: fc.integer({ min: 1, max: 3 }) }),
  });
  await fc.assert(
    fc.asyncProperty(shape, async ({ batchSize, worldSize, columns, resumeAfter, resumed }) => {
      const order = { shuffle: 'WINDOWED', seed: 5n, columns } as const;
      const first = await read({ ...order, batchSize, worldSize, rank: 0 }, resumeAfter);
      const cursor = first.batches.at(-1)?.cursor ?? '';
      const done = Math.min(first.batches.length * batchSize * worldSize, rowCount);
      const rest: number[][] = [];
      for (let rank = 0; rank < resumed.worldSize; rank++) {
        // Seed and shuffle are in the cursor.
        const { batches } = await read({ columns, ...resumed, rank, cursor });
        expect(batches.map((batch) => batch.last)).toEqual([...batches.slice(1).map(() => false), true]);
        for (const [index, batch] of batches.entries()) rest[index] = [...(rest[index] ?? []), ...batch.rows];
      }
      // Ranks that own lanes take turns at the rows of a global batch.
      const globalRows = resumed.batchSize * resumed.worldSize;
      const expected = rest.map((_, batch) => whole.slice(done + batch * globalRows, done + (batch + 1) * globalRows));
      if (resumed.worldSize === 1) expect(rest).toEqual(expected);
      const sorted = (rows: readonly number[]) => [...rows].sort((a, b) => a - b);
      expect(rest.map(sorted)).toEqual(expected.map(sorted));
      expect(rest.flat().length).toBe(whole.length - done);
    }),
    { numRuns: 25 },
  );
});

test('DROP leaves a short global batch out; an empty share carries its mark on an empty batch', async () => {
  const { batches } = await read({ shuffle: 'NONE', batchSize: 20, tail: 'DROP' });
  expect(batches.map((batch) => batch.rows.length)).toEqual([20, 20, 20, 20]);
  expect(batches.at(-1)?.last).toBe(true);
  const after = await read({ shuffle: 'NONE', batchSize: 20, tail: 'DROP', cursor: batches.at(-1)?.cursor });
  expect(after.batches).toMatchObject([{ rows: [], last: true, cursor: batches.at(-1)?.cursor }]);
});

test('a filter and a split', async () => {
  const feed = await feeds.open({ source, where: 'n >= 90', split: 'train', shuffle: 'NONE', columns: ['n'] });
  expect(feed.rowsTotal).toBe(4n);
  expect(feed.schema.metadata.get('icecore.rows-total')).toBe('4');
  expect((await read({ where: 'n >= 90', split: 'train', shuffle: 'NONE' })).rows).toEqual([91, 92, 94, 95]);
});

test('what a cursor holds and is given otherwise is a conflict; a damaged one is none', async () => {
  const { batches } = await read({ seed: 5n, batchSize: 10, split: 'train' }, 1);
  const cursor = batches[0]?.cursor ?? '';
  await expect(read({ cursor, split: 'train', seed: 6n })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(read({ cursor, split: 'test' })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(read({ cursor, split: 'train', shuffle: 'FULL' })).rejects.toMatchObject({ code: 'CONFLICT' });
  await expect(read({ cursor: `${cursor.slice(0, -1)}${cursor.endsWith('0') ? '1' : '0'}` })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
  await expect(read({ cursor: 'x' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  // Made by somebody who knows the format.
  const whole = parseFeedCursor(cursor);
  const forged: readonly Partial<FeedCursor>[] = [
    { position: -5n },
    { epoch: Number.NaN },
    { shuffle: 'X' as 'NONE' },
    { lanes: 0.5 },
    { lanes: 3 },
    { lanes: 2 ** 30 },
    { epoch: 2 ** 31 },
    { seed: 2n ** 63n },
  ];
  for (const change of forged) {
    await expect(read({ cursor: printFeedCursor({ ...whole, ...change }), split: 'train' })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  }
  const members = JSON.parse(Buffer.from(cursor.split('.')[0] ?? '', 'base64url').toString()) as unknown[];
  const others = [
    '{{{',
    'null',
    '[]',
    '['.repeat(20_000) + ']'.repeat(20_000),
    JSON.stringify(members.with(0, { toString: 1 })),
    JSON.stringify(members.with(0, 'another order')),
    JSON.stringify(members.with(3, ['FULL'])),
    JSON.stringify(members.with(7, ['10'])),
  ];
  for (const json of others) {
    const body = Buffer.from(json).toString('base64url');
    await expect(read({ cursor: `${body}.${sha256Hex(`icecore-cursor ${body}`).slice(0, 8)}` })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringMatching(/no cursor of a training feed/),
    });
  }
});

test('refused: unknown columns, wrong numbers, what is not built', async () => {
  await expect(read({ columns: ['nothing'] })).rejects.toThrow(/no column nothing/);
  await expect(read({ where: 'nothing = 1' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(read({ lanes: 3 })).rejects.toThrow(/power of two/);
  await expect(read({ rank: 2, worldSize: 2 })).rejects.toThrow(/rank is 2/);
  await expect(read({ batchSize: 0 })).rejects.toThrow(/batchSize is 0/);
  await expect(read({ source: { trainingSet: { name: 'nothing' } } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});

test('a reader that leaves is gone; an aborted one stops; none holds a connection of the engine', async () => {
  await read({ batchSize: 1 }, 2);
  expect(feeds.counts.open).toBe(0);
  const controller = new AbortController();
  const feed = await feeds.open({ source, batchSize: 1 }, controller.signal);
  await feed.batches.next();
  expect(feeds.counts.open).toBe(1);
  expect(world.store.duckdb.trusted.leased).toBe(0);
  controller.abort(new Error('gone'));
  await expect(feed.batches.next()).rejects.toThrow('gone');
  expect(feeds.counts.open).toBe(0);
});

test('an empty table: one empty batch that is the last', async () => {
  await world.create('raw.empty', { columns: [{ name: 'n', type: 'long' }] });
  const { batches } = await read({ source: { table: { name: 'raw.empty' } } });
  expect(batches).toMatchObject([{ rows: [], last: true }]);
});

test('readers beyond the limit are turned away, and come in when another leaves', async () => {
  const few = openFeeds(world, { feedsMax: 2 });
  const open: TrainingFeed[] = [];
  for (let reader = 0; reader < 2; reader++) {
    const feed = await few.open({ source, batchSize: 1 });
    await feed.batches.next();
    open.push(feed);
  }
  await expect(few.open({ source })).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
  await open.pop()?.batches.return();
  const feed = await few.open({ source });
  expect(await feed.batches.next()).toMatchObject({ value: { rowCount, last: true } });
  await few.close();
});

test('feeds that are closed open no more, and those that were open end', async () => {
  const closed = openFeeds(world);
  const feed = await closed.open({ source });
  await closed.close();
  const refused = { code: 'FAILED_PRECONDITION', message: expect.stringMatching(/are closed/), retryable: true };
  await expect(closed.open({ source })).rejects.toMatchObject(refused);
  await expect(feed.batches.next()).rejects.toMatchObject(refused);
});
