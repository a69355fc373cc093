import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FileCache } from '../../src/storage/file-cache.ts';

let directory: string;
let cache: FileCache;
let downloads: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'icecore-cache-'));
  cache = await FileCache.open(directory, 100);
  downloads = [];
});

afterEach(async () => {
  await cache.close();
  expect(await readdir(directory)).toEqual([]);
  await rm(directory, { recursive: true });
});

const fetch = (location: string, sizeBytes = 40, writtenBytes = sizeBytes) =>
  cache.open(location, async () => {
    downloads.push(location);
    return { sizeBytes, download: (path) => writeFile(path, 'x'.repeat(writtenBytes)) };
  });

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  );

test('concurrent opens of one file share one download', async () => {
  const copies = await Promise.all(Array.from({ length: 10 }, () => fetch('s3://b/a.parquet')));
  expect(downloads).toEqual(['s3://b/a.parquet']);
  expect(new Set(copies.map(({ path }) => path)).size).toBe(1);
  expect(copies[0]?.path).toMatch(/\.parquet$/);
  for (const copy of copies) copy.release();
  await fetch('s3://b/a.parquet');
  expect(downloads).toHaveLength(1);
});

test('the file used longest ago leaves first, and never one that is in use', async () => {
  const a = await fetch('a');
  (await fetch('b')).release();
  a.release();
  const again = await fetch('a');
  const c = await fetch('c');
  expect(downloads).toEqual(['a', 'b', 'c']);
  await expect(fetch('d')).rejects.toMatchObject({ code: 'OVERLOADED', retryable: true });
  expect(await readFile(again.path, 'utf8')).toHaveLength(40);
  again.release();
  await fetch('d');
  await expect.poll(() => exists(again.path)).toBe(false);
  expect(await exists(c.path)).toBe(true);
  expect(cache.bytes).toBe(80);
});

test('what is larger than the whole cache is refused', async () => {
  await expect(fetch('large', 101)).rejects.toMatchObject({ code: 'OVERLOADED', retryable: false, context: { bytesMax: 100 } });
  expect(cache.bytes).toBe(0);
});

test('a download of the wrong size or one that fails is told to all who wait, and made again', async () => {
  const outcomes = await Promise.allSettled([fetch('a', 40, 39), fetch('a', 40, 39)]);
  expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(outcomes[0]).toMatchObject({ reason: { code: 'INTERNAL', message: 'The copy of a has 39 bytes of 40.' } });
  await expect(
    cache.open('a', async () => {
      throw new Error('gone');
    }),
  ).rejects.toThrow('gone');
  expect(cache.bytes).toBe(0);
  (await fetch('a')).release();
  expect(downloads).toEqual(['a', 'a']);
});

test('a forgotten file is fetched again, and stays for those who have it open', async () => {
  const first = await fetch('a');
  cache.forget('a');
  const second = await fetch('a');
  expect(downloads).toEqual(['a', 'a']);
  expect(second.path).not.toBe(first.path);
  expect(await exists(first.path)).toBe(true);
  first.release();
  first.release();
  await expect.poll(() => exists(first.path)).toBe(false);
  expect(await exists(second.path)).toBe(true);
  expect(cache.bytes).toBe(40);
});

test('what a dead process left is cleared away; what a living one has is not', async () => {
  await mkdir(join(directory, 'files-999999999-dead'));
  await mkdir(join(directory, `files-${process.pid}-of-an-earlier-process-with-this-number`));
  await mkdir(join(directory, `files-${process.ppid}-alive`));
  const second = await FileCache.open(directory, 100);
  const left = await readdir(directory);
  expect(left).toContain(`files-${process.ppid}-alive`);
  expect(left).toHaveLength(3);
  await second.close();
  await rm(join(directory, `files-${process.ppid}-alive`), { recursive: true });
});
