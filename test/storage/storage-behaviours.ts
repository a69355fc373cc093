import { randomBytes } from 'node:crypto';
import { access, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Storage, StoredObject } from '../../src/storage/storage.ts';

/** What every storage does. `root` gives an empty prefix of its own to each test. */
export function storageBehaviours(storage: () => Storage, root: () => Promise<string>): void {
  const bytes = Buffer.from('0123456789');
  let base: string;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'icecore-scratch-'));
  });

  beforeEach(async () => {
    base = await root();
  });

  afterAll(async () => {
    await rm(scratch, { recursive: true });
  });

  test('what was written is read, whole and by ranges', async () => {
    await storage().write(`${base}/a/b/c.bin`, bytes);
    expect(await text(`${base}/a/b/c.bin`)).toBe('0123456789');
    expect(await text(`${base}/a/b/c.bin`, 2, 5)).toBe('234');
    expect(await text(`${base}/a/b/c.bin`, 0, 10)).toBe('0123456789');
    expect(await text(`${base}/a/b/c.bin`, 9, 10)).toBe('9');
    expect(await text(`${base}/a/b/c.bin`, 4, 4)).toBe('');
    expect(await storage().size(`${base}/a/b/c.bin`)).toBe(10);
    await storage().write(`${base}/a/b/c.bin`, Buffer.from('other'));
    expect(await text(`${base}/a/b/c.bin`)).toBe('other');
    await storage().write(`${base}/empty`, new Uint8Array(0));
    expect(await text(`${base}/empty`)).toBe('');
    expect(await storage().size(`${base}/empty`)).toBe(0);
  });

  test('a range that the object does not have is refused, not cut short', async () => {
    await storage().write(`${base}/a`, bytes);
    for (const [start, end] of [
      [5, 11],
      [10, 11],
      [100, 200],
    ] as const) {
      await expect(storage().read(`${base}/a`, { start, end })).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
    }
    for (const [start, end] of [
      [5, 4],
      [-1, 4],
      [0.5, 4],
    ] as const) {
      await expect(storage().read(`${base}/a`, { start, end })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    }
  });

  test('where nothing is, nothing is found, and the location is named', async () => {
    const location = `${base}/no/such/file`;
    expect(await storage().size(location)).toBeNull();
    for (const act of [() => storage().read(location), () => storage().open(location)]) {
      await expect(act()).rejects.toMatchObject({ code: 'NOT_FOUND', message: expect.stringContaining('no/such/file') });
    }
    await storage().remove([location]);
    expect(await listed(`${base}/no`)).toEqual([]);
  });

  test('a directory is no object', async () => {
    await storage().write(`${base}/a/b`, bytes);
    expect(await storage().size(`${base}/a`)).toBeNull();
    await expect(storage().read(`${base}/a`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(storage().open(`${base}/a`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await storage().remove([`${base}/a`]);
    expect(await text(`${base}/a/b`)).toBe('0123456789');
  });

  test('of many that write where nothing must be, one wins, and the whole of it is there', async () => {
    const contents = Array.from({ length: 12 }, (_, index) => Buffer.alloc(50_000, index));
    const outcomes = await Promise.allSettled(
      contents.map((content) => storage().write(`${base}/v1.json`, content, { ifAbsent: true })),
    );
    const winner = outcomes.findIndex((outcome) => outcome.status === 'fulfilled');
    expect(outcomes.filter((outcome) => outcome.status === 'fulfilled')).toHaveLength(1);
    expect(Buffer.compare(await storage().read(`${base}/v1.json`), contents[winner] ?? Buffer.alloc(0))).toBe(0);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject({ code: 'ALREADY_EXISTS', message: expect.stringContaining('v1.json') });
    }
    expect((await listed(base)).map(({ location }) => location)).toEqual([`${base}/v1.json`]);
  });

  test('a finished local file is moved to its location', async () => {
    const path = join(scratch, 'finished.parquet');
    const content = randomBytes(300_000);
    await writeFile(path, content);
    await storage().publish(path, `${base}/data/finished.parquet`);
    expect(Buffer.compare(await storage().read(`${base}/data/finished.parquet`), content)).toBe(0);
    await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(storage().publish(path, `${base}/data/again.parquet`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect(await storage().size(`${base}/data/again.parquet`)).toBeNull();
  });

  test('an open object is a local file until it is released', async () => {
    await storage().write(`${base}/a.parquet`, bytes);
    const copies = await Promise.all([storage().open(`${base}/a.parquet`), storage().open(`${base}/a.parquet`)]);
    for (const copy of copies) {
      expect(copy.path).toMatch(/\.parquet$/);
      expect(await readFile(copy.path, 'utf8')).toBe('0123456789');
      copy.release();
      copy.release();
    }
  });

  test('everything below a prefix is listed, nothing beside it, with sizes and times', async () => {
    const names = ['t/a', 't/b/c', 't/b/d=x%3Dy/é f#?+.parquet', 't/z/z/z/z'];
    for (const name of names) await storage().write(`${base}/${name}`, bytes);
    await storage().write(`${base}/tt`, bytes);
    for (const prefix of [`${base}/t`, `${base}/t/`]) {
      const found = await listed(prefix);
      expect(found.map(({ location }) => location)).toEqual(names.map((name) => `${base}/${name}`));
      for (const { sizeBytes, modifiedMs } of found) {
        expect(sizeBytes).toBe(10);
        expect(Math.abs(Date.now() - modifiedMs)).toBeLessThan(600_000);
      }
    }
    expect(await text(`${base}/t/b/d=x%3Dy/é f#?+.parquet`)).toBe('0123456789');
    const stopped = new AbortController();
    const reading = (async () => {
      for await (const _ of storage().list(`${base}/t`, stopped.signal)) stopped.abort();
    })();
    await expect(reading).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('what is written unsettled is there like anything else, and can be settled with others, in new directories too', async () => {
    const folder = `${base}/unsettled`;
    const locations = ['a/b/one', 'a/b/two', 'a/three'].map((name) => `${folder}/${name}`);
    for (const location of locations) await storage().write(location, Buffer.from(location), { isUnsettled: true });
    const [first = ''] = locations;
    const again = storage().write(first, Buffer.from('other'), { ifAbsent: true, isUnsettled: true });
    await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
    await storage().settle(locations);
    await storage().settle([]);
    for (const location of locations) expect(Buffer.from(await storage().read(location)).toString()).toBe(location);
  });

  test('many are removed at once, missing ones among them', async () => {
    const locations = Array.from({ length: 40 }, (_, index) => `${base}/t/${index}`);
    await Promise.all(locations.map((location) => storage().write(location, bytes)));
    await storage().remove([...locations.slice(1), `${base}/t/none`]);
    expect((await listed(`${base}/t`)).map(({ location }) => location)).toEqual([`${base}/t/0`]);
    await storage().remove([]);
  });

  async function text(location: string, start?: number, end?: number): Promise<string> {
    const range = start === undefined || end === undefined ? undefined : { start, end };
    return Buffer.from(await storage().read(location, range)).toString();
  }

  async function listed(prefix: string): Promise<readonly StoredObject[]> {
    const found = await Array.fromAsync(storage().list(prefix));
    return found.toSorted((left, right) => (left.location < right.location ? -1 : 1));
  }
}
