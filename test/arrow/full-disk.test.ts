import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Field, Int32, makeData, Schema } from 'apache-arrow';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { BlockCache } from '../../src/arrow/block-cache.ts';
import { temporaryName } from '../../src/arrow/block-cache-files.ts';
import { BlockFileWriter } from '../../src/arrow/block-file-writer.ts';
import { IcecoreError } from '../../src/errors.ts';
import { FullShuffleDealer } from '../../src/training/full-shuffle/full-shuffle-dealer.ts';
import { fullShufflePlan } from '../../src/training/full-shuffle/full-shuffle-plan.ts';
import { addressSchema, groupFile, pathsIn } from '../training/full-shuffle/full-shuffle-files.ts';

const mebibyte = 1024 * 1024;
/** A disk of one MiB, which only root can make. */
const disk = mkdtempSync(join(tmpdir(), 'icecore-full-disk-'));
const isMounted = mount();

function mount(): boolean {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

afterAll(() => {
  if (isMounted) execFileSync('umount', [disk]);
  rmSync(disk, { recursive: true });
});
beforeEach(() => {
  for (const name of readdirSync(disk)) rmSync(join(disk, name));
});

const schema = new Schema([new Field('n', new Int32(), false)]);

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}

describe.skipIf(!isMounted)('A full disk', () => {
  test('ends a block file, which leaves nothing and says what to do', () => {
    const writer = BlockFileWriter.create(join(disk, 'group.blocks'), 'key', schema, 65_536);
    const column = makeData({ type: new Int32(), data: new Int32Array(65_536), nullCount: 0 });
    const error = thrownBy(() => {
      for (let block = 0; block < 5; block++) writer.write({ rowCount: 65_536, columns: [column] });
    });
    expect(IcecoreError.is(error, 'OVERLOADED') && error.message).toContain(
      `is full: ${disk}. Make room there, set ICECORE_CACHE_DIR`,
    );
    expect(readdirSync(disk)).toEqual([]);
    writer.abandon();
  });

  test('makes the cache let files go that its limit would let stay, and refuse what does not fit', async () => {
    const cache = await BlockCache.open(disk, 1024 * mebibyte);
    const paths = ['a', 'b'].map((key) => cache.pathOf(key));
    for (const path of paths) {
      writeFileSync(path, Buffer.alloc(400_000));
      await cache.admit(path, 400_000);
    }
    const room = await cache.room(500_000);
    expect(paths.map((path) => existsSync(path))).toEqual([false, true]);
    await expect(cache.room(600_000)).rejects.toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    room.release();
    await expect(cache.room(mebibyte + 1)).rejects.toThrow(/no room for 1048577 bytes/);
  });

  test('counts what is being written once, not as promised and as written', async () => {
    const cache = await BlockCache.open(disk, 1024 * mebibyte);
    await cache.room(600_000);
    await expect(cache.room(500_000)).rejects.toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    writeFileSync(temporaryName(cache.pathOf('a')), Buffer.alloc(500_000));
    await expect(cache.room(500_000)).rejects.toThrow(expect.objectContaining({ code: 'OVERLOADED' }));
    expect(await cache.room(300_000)).toMatchObject({ bytes: 300_000 });
  });

  test('ends a full shuffle, which leaves nothing', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'icecore-full-disk-groups-'));
    try {
      const file = groupFile(pathsIn(elsewhere), 0, 100_000);
      expect(statSync(file.path).size).toBeGreaterThan(mebibyte);
      const plan = fullShufflePlan({ contentKey: 'content', rows: 100_000, rowBytes: 1024, order: { seed: 1n, epoch: 0 } });
      const buckets = Array.from({ length: plan.buckets }, (_, bucket) => bucket);
      const options = { plan, schema: addressSchema, dealer: 0, dealers: 1, buckets, pathOf: pathsIn(disk), roundBytes: 200_000 };
      const dealer = new FullShuffleDealer(options);
      const error = await dealer.add(file, 0).catch((thrown: unknown) => thrown);
      expect(IcecoreError.is(error, 'OVERLOADED')).toBe(true);
      dealer.abandon();
      expect(readdirSync(disk)).toEqual([]);
    } finally {
      rmSync(elsewhere, { recursive: true });
    }
  });
});
