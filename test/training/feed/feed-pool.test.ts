import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { feedWorkerNiceness } from '../../../src/limits.ts';
import { FeedPool, type FeedPoolOptions, type FeedWorker } from '../../../src/training/feed/feed-pool.ts';

let directory: string;
const pools: FeedPool[] = [];
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-pool-'));
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close()));
  await rm(directory, { recursive: true });
});

function openPool(workers = 1, options: Pick<FeedPoolOptions, 'script' | 'restMs'> = {}): FeedPool {
  const storage = { warehouse: directory, cacheDir: join(directory, 'cache') };
  const pool = new FeedPool({ storage, workers, ...options });
  pools.push(pool);
  return pool;
}

function first(pool: FeedPool): FeedWorker {
  const [worker] = pool.workers();
  if (worker === undefined) throw new Error('no worker');
  return worker;
}

/** A feed of so many groups of one row; it has no files. */
async function openFeed(worker: FeedWorker, feed: number, groups: number): Promise<void> {
  const order = { shuffle: 'NONE', seed: 0n, epoch: 0, lanes: 1 } as const;
  await worker.call('open', { feed, matchingRows: new Uint32Array(groups).fill(1), order, columns: [], compression: 'NONE' });
}

function batch(worker: FeedWorker, feed: number, rows: number, signal?: AbortSignal) {
  const span = { from: 0, to: rows, firstLane: 0, endLane: 1, rows };
  return worker.call('batches', { feed, parts: [{ span, metadata: new Map() }], files: [] }, signal);
}

test('workers start when they are asked for, and are the same ones as long as they live', () => {
  const pool = openPool(3);
  const workers = pool.workers();
  expect(workers.length).toBe(3);
  expect(pool.workers()).toEqual(workers);
});

test('workers that nobody has work for end, and others start when they are asked for; those with a feed stay', async () => {
  const [idle, busy] = [openPool(2, { restMs: 20 }), openPool(1, { restMs: 20 })];
  const reading = first(busy);
  reading.feeds++;
  for (let turn = 0; turn < 2; turn++) {
    const workers = idle.workers();
    await openFeed(first(idle), 1, 3);
    await expect.poll(() => workers.some(({ isAlive }) => isAlive), { timeout: 60_000 }).toBe(false);
  }
  expect(reading.isAlive).toBe(true);
  await openFeed(reading, 1, 3);
});

test('what fails in a worker fails for who asked, with its code; the worker goes on', async () => {
  const worker = first(openPool());
  await expect(batch(worker, 7, 1)).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/no feed 7/) });
  await openFeed(worker, 7, 3);
  await expect(batch(worker, 7, 1)).rejects.toMatchObject({ code: 'INTERNAL', message: expect.stringMatching(/group 0/) });
  expect(await batch(worker, 7, 0)).toMatchObject({ messages: expect.any(Uint8Array) });
});

test('a call that is aborted fails at once with the reason', async () => {
  const worker = first(openPool());
  const controller = new AbortController();
  const called = batch(worker, 1, 1, controller.signal);
  controller.abort(new Error('gone'));
  await expect(called).rejects.toThrow('gone');
  await expect(batch(worker, 1, 1, controller.signal)).rejects.toThrow('gone');
  await openFeed(worker, 1, 1);
});

test('a worker that dies fails what it was asked for, so that it can be tried again, and another takes its place', async () => {
  const pool = openPool(1, { script: new URL('./dying-worker.ts', import.meta.url) });
  const worker = first(pool);
  await openFeed(worker, 1, 1);
  const other = openFeed(worker, 2, 1);
  const retryable = { code: 'INTERNAL', retryable: true, message: expect.stringMatching(/Resume from the last cursor/) };
  await other;
  await expect(batch(worker, 1, 1)).rejects.toMatchObject(retryable);
  await expect(openFeed(worker, 3, 1)).rejects.toMatchObject(retryable);
  expect(worker.isAlive).toBe(false);
  const next = first(pool);
  expect(next).not.toBe(worker);
  await openFeed(next, 3, 1);
  expect(await batch(next, 3, 0)).toMatchObject({ messages: expect.any(Uint8Array) });
});

test('a pool that is closed fails what is under way, and gives out no workers', async () => {
  const pool = openPool(2);
  const [worker] = pool.workers();
  const called = worker?.call('close', { feed: 1 });
  await Promise.all([pool.close(), expect(called).rejects.toMatchObject({ code: 'INTERNAL', retryable: true })]);
  expect(() => pool.workers()).toThrow(/closed/);
});

/** Niceness of this process's threads of feeds, and of its first thread (proc(5), field 19 of `stat`). */
function niceness(): { readonly feeds: readonly number[]; readonly main: number } {
  const of = (thread: string) => {
    const [, name, rest = ''] = /\((.*)\) (.*)/s.exec(readFileSync(`/proc/self/task/${thread}/stat`, 'utf8')) ?? [];
    return { name, nice: Number(rest.split(' ')[16]) };
  };
  const threads = readdirSync('/proc/self/task').map(of);
  return {
    feeds: threads.filter(({ name }) => name === 'training-feed').map(({ nice }) => nice),
    main: of(String(process.pid)).nice,
  };
}

test.runIf(process.platform === 'linux')('workers give way to the threads that answer, and to them alone', async () => {
  const pool = openPool(2);
  await Promise.all(pool.workers().map((worker) => openFeed(worker, 1, 3)));
  const { feeds, main } = niceness();
  expect(main).toBe(getPriority());
  expect(feeds.filter((nice) => nice === Math.min(main + feedWorkerNiceness, 19)).length).toBeGreaterThanOrEqual(2);
});
