import { execFile, execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/arrow/block-cache.ts';
import { temporaryName } from '../../src/arrow/block-cache-files.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'icecore-block-cache-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A file of a key, as a worker leaves it: what is in it is nothing to the cache. */
function put(cache: BlockCache, key: string, bytes: number): string {
  const path = cache.pathOf(key);
  writeFileSync(path, Buffer.alloc(bytes));
  return path;
}

async function admit(cache: BlockCache, key: string, bytes: number): Promise<string> {
  const path = put(cache, key, bytes);
  await cache.admit(path, bytes);
  return path;
}

/** As if it had last been used so many minutes ago. */
function age(path: string, minutes: number): void {
  utimesSync(path, Date.now() / 1000 - minutes * 60, Date.now() / 1000 - minutes * 60);
}

function kept(...paths: string[]): readonly boolean[] {
  return paths.map((path) => existsSync(path));
}

describe('The block cache', () => {
  test('lets the files leave that were used least recently', async () => {
    const cache = await BlockCache.open(directory, 1000);
    const [a, b, c] = [await admit(cache, 'a', 300), await admit(cache, 'b', 300), await admit(cache, 'c', 300)];
    expect(cache.touch(a)).toBe(true);
    const d = await admit(cache, 'd', 300);
    expect(kept(a, b, c, d)).toEqual([true, false, true, true]);
    expect(cache.bytes).toBe(900);
    expect(cache.touch(b)).toBe(false);
  });

  test('counts what is written again once', async () => {
    const cache = await BlockCache.open(directory, 1000);
    await admit(cache, 'a', 300);
    await admit(cache, 'a', 400);
    expect(cache.bytes).toBe(400);
  });

  test('keeps what is in use, also twice, and lets it go afterwards', async () => {
    const cache = await BlockCache.open(directory, 1000);
    const a = await admit(cache, 'a', 600);
    const releases = [cache.pin(a), cache.pin(a)] as const;
    const b = await admit(cache, 'b', 600);
    expect(kept(a, b)).toEqual([true, false]);
    releases[0]();
    releases[0]();
    const c = await admit(cache, 'c', 600);
    expect(kept(a, c)).toEqual([true, false]);
    releases[1]();
    const d = await admit(cache, 'd', 600);
    expect(kept(a, d)).toEqual([false, true]);
  });

  test('goes on by use after a restart', async () => {
    const before = await BlockCache.open(directory, 1000);
    const [a, b, c] = [await admit(before, 'a', 300), await admit(before, 'b', 300), await admit(before, 'c', 300)];
    age(a, 30);
    age(b, 50);
    age(c, 40);
    const cache = await BlockCache.open(directory, 1000);
    expect(cache.bytes).toBe(900);
    cache.touch(b);
    expect(Date.now() - statSync(b).mtimeMs).toBeLessThan(10_000);
    await admit(cache, 'd', 300);
    expect(kept(a, b, c)).toEqual([true, true, false]);
    // A smaller limit holds from the start.
    const smaller = await BlockCache.open(directory, 700);
    expect(kept(a, b)).toEqual([false, true]);
    expect(smaller.bytes).toBe(600);
  });

  test('keeps room free for who is about to write, and nobody else takes it', async () => {
    const cache = await BlockCache.open(directory, 1000);
    const [a, b] = [await admit(cache, 'a', 400), await admit(cache, 'b', 400)];
    const room = await cache.room(500);
    expect(kept(a, b)).toEqual([false, true]);
    await expect(cache.room(600)).rejects.toThrow(
      expect.objectContaining({ code: 'OVERLOADED', context: { bytesNeeded: 600, bytesAvailable: 500, bytesMax: 1000 } }),
    );
    room.release();
    room.release();
    const release = cache.pin(await admit(cache, 'c', 400));
    await expect(cache.room(700)).rejects.toThrow('has no room for 700 bytes: 600 of its 1000 can be had');
    release();
    await cache.room(1000);
    expect(readdirSync(directory)).toEqual([]);
  });

  test('refuses what the disk has no room for, whatever the limit says', async () => {
    const cache = await BlockCache.open(directory, Number.MAX_SAFE_INTEGER);
    await expect(cache.room(2 ** 52)).rejects.toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
  });

  test('takes a share of the disk where no limit is given', async () => {
    const { bytesMax } = await BlockCache.open(directory);
    expect(bytesMax).toBeGreaterThan(0);
    expect(bytesMax).toBeLessThanOrEqual(64 * 1024 ** 3);
  });

  test('goes on where its files, or its directory, are removed by somebody else', async () => {
    const cache = await BlockCache.open(directory, 1000);
    const [a, b] = [await admit(cache, 'a', 400), await admit(cache, 'b', 400)];
    rmSync(a);
    // Only what is still there counts.
    const c = await admit(cache, 'c', 400);
    expect(kept(b, c)).toEqual([true, true]);
    expect(cache.bytes).toBe(800);
    rmSync(directory, { recursive: true });
    expect(cache.touch(b)).toBe(false);
    await cache.room(900);
    await admit(cache, 'd', 100);
    expect(cache.bytes).toBe(100);
  });

  test('shares its directory with others: together they keep within the limit, and know the uses of each other', async () => {
    const [one, other] = [await BlockCache.open(directory, 1000), await BlockCache.open(directory, 1000)];
    const a = await admit(one, 'a', 400);
    const b = await admit(other, 'b', 400);
    age(a, 30);
    age(b, 20);
    expect(other.touch(a)).toBe(true);
    const c = await admit(one, 'c', 400);
    expect(kept(a, b, c)).toEqual([true, false, true]);
    age(a, 20);
    const d = await admit(other, 'd', 400);
    expect(kept(a, c, d)).toEqual([false, true, true]);
    expect(other.bytes).toBe(800);
  });

  test('removes what writers that are gone left behind, and counts what others write', async () => {
    const target = join(directory, `${'0'.repeat(64)}.blocks`);
    const gone = execFileSync(process.execPath, ['-p', 'process.pid'], { encoding: 'utf8' }).trim();
    const dead = `${target}.${hostname().replaceAll('.', '%2E')}.${gone}.x.tmp`;
    const foreign = `${target}.elsewhere.${gone}.x.tmp`;
    const stale = `${target}.elsewhere.${gone}.y.tmp`;
    const own = temporaryName(target);
    const earlierOwn = temporaryName(target);
    const unrelated = join(directory, 'README');
    for (const path of [dead, foreign, stale, own, earlierOwn, unrelated]) writeFileSync(path, Buffer.alloc(100));
    age(stale, 2 * 60 * 60);
    age(earlierOwn, process.uptime() + 30);
    const cache = await BlockCache.open(directory, 1000);
    expect(kept(dead, foreign, stale, own, earlierOwn, unrelated)).toEqual([false, true, false, true, false, true]);
    expect(cache.bytes).toBe(100);
    // What somebody else still writes is not taken away.
    await expect(cache.room(950)).rejects.toThrow('900 of its 1000');
    expect(kept(foreign)).toEqual([true]);
  });

  test('is used by several processes at once, which make and remove the same files', async () => {
    const bytesMax = 100_000;
    const user = fileURLToPath(new URL('./cache-user.ts', import.meta.url));
    const run = promisify(execFile);
    const outputs = await Promise.all(['1', '2'].map((seed) => run(process.execPath, [user, directory, String(bytesMax), seed])));
    for (const { stdout } of outputs) {
      const { made, found } = JSON.parse(stdout);
      expect(made).toBeGreaterThan(20);
      expect(found).toBeGreaterThan(300);
    }
    const left = readdirSync(directory);
    expect(left.filter((name) => name.endsWith('.tmp'))).toEqual([]);
    const bytes = left.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    expect(bytes).toBeLessThan(bytesMax * 1.15);
  });
});
