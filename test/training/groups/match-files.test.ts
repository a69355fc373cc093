import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MatchFiles } from '../../../src/training/groups/match-files.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-matches-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

test('gives the bytes that were written, and nothing of what is not there', async () => {
  const files = new MatchFiles(directory, 1000);
  await files.write('a', Uint8Array.of(1, 2, 3, 4));
  expect(await files.read(files.path('a'), 1, 2)).toEqual(Uint8Array.of(2, 3));
  expect(await files.read(files.path('a'), 3, 2)).toBeNull();
  expect(await files.read(files.path('b'), 0, 1)).toBeNull();
});

test('those used longest ago leave first, also those that were there before', async () => {
  const before = new MatchFiles(directory, 1000);
  for (const [age, key] of ['old', 'older', 'oldest'].entries()) {
    await before.write(key, new Uint8Array(200));
    const then = new Date(Date.now() - 100_000 * (age + 1));
    await utimes(before.path(key), then, then);
  }
  // Used since.
  await before.read(before.path('oldest'), 0, 1);
  const files = new MatchFiles(directory, 1000);
  await files.write('x', new Uint8Array(300));
  await files.write('y', new Uint8Array(200));
  const left = await Promise.all(['old', 'older', 'oldest', 'x', 'y'].map((key) => files.read(files.path(key), 0, 1)));
  expect(left.map((bytes) => bytes !== null)).toEqual([false, false, true, true, true]);
});

test('a directory that is removed is made again, and nothing half written stays', async () => {
  const files = new MatchFiles(join(directory, 'matches'), 1000);
  await files.write('a', new Uint8Array(10));
  await rm(join(directory, 'matches'), { recursive: true });
  await files.write('a', new Uint8Array(10));
  const names = (await readdir(directory, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile());
  expect(names.map(({ name }) => name.replace(/^.*\./, ''))).toEqual(['bits']);
});
