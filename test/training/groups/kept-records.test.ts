import { appendFile, mkdtemp, readdir, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeptRecords } from '../../../src/training/groups/kept-records.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-records-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const opened = (diskBytesMax = 1024 * 1024, memoryBytesMax = 1024): KeptRecords =>
  new KeptRecords(join(directory, 'kept'), { diskBytesMax, memoryBytesMax });
const some = (from: number, to: number): ReadonlyMap<string, Buffer> =>
  new Map(Array.from({ length: to - from }, (_, index) => [`key ${from + index}`, Buffer.from(`content ${from + index}`)]));

test('what was put is there, also for another server over the directory, and all at once', async () => {
  const first = opened();
  await Promise.all([first.put(some(0, 500)), first.put(some(500, 900))]);
  const second = opened();
  await second.put(some(900, 1000));
  await first.put(some(1000, 1100));
  for (const records of [first, second, opened()]) {
    const all = some(0, 1100);
    expect(await records.get([...all.keys(), 'nothing'])).toEqual(all);
  }
});

test('the newer record of a key counts', async () => {
  await opened().put(new Map([['key', Buffer.from('old')]]));
  await opened().put(new Map([['key', Buffer.from('new')]]));
  expect((await opened().get(['key'])).get('key')?.toString()).toBe('new');
});

test('a torn file gives what is before the tear, and takes more', async () => {
  await opened().put(some(0, 1000));
  for (const name of await readdir(join(directory, 'kept'))) {
    const path = join(directory, 'kept', name);
    await truncate(path, (await stat(path)).size - 3);
    await appendFile(path, 'something else');
  }
  const torn = opened();
  const left = await torn.get(some(0, 1000).keys());
  // The last record of each of its files is gone.
  expect(left.size).toBe(1000 - (await readdir(join(directory, 'kept'))).length);
  await torn.put(some(0, 1000));
  expect(await opened().get(some(0, 1000).keys())).toEqual(some(0, 1000));
});

test('never holds more than its limit on disk, and keeps what came last', async () => {
  const limit = 64 * 1024;
  const records = opened(limit);
  for (let from = 0; from < 5000; from += 100) await records.put(some(from, from + 100));
  const sizes = await Promise.all(
    (await readdir(join(directory, 'kept'))).map(async (name) => (await stat(join(directory, 'kept', name))).size),
  );
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(limit);
  expect((await opened(limit).get(some(4900, 5000).keys())).size).toBeGreaterThan(90);
});

test('a directory that cannot be written costs nothing but time', async () => {
  await writeFile(join(directory, 'kept'), 'no directory');
  const records = opened(1024 * 1024, 10_000);
  await records.put(some(0, 3));
  expect((await records.get(['key 1'])).get('key 1')?.toString()).toBe('content 1');
});
