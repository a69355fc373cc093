import { execFile } from 'node:child_process';
import { lstat, mkdir, mkdtemp, readdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { LocalStorage, toLocation, toPath } from '../../src/storage/local-storage.ts';
import { openStorage } from '../../src/storage/routed-storage.ts';
import { storageBehaviours } from './storage-behaviours.ts';

const secret = 'the secret outside';

describe('local storage', () => {
  let directory: string;
  let storage: LocalStorage;

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'icecore-storage-')));
    storage = new LocalStorage({ roots: [directory] });
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  storageBehaviours(
    () => storage,
    async () => toLocation(await mkdtemp(join(directory, 'w-'))),
  );
});

describe('the roots', () => {
  let directory: string;
  let root: string;
  let storage: LocalStorage;

  beforeEach(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'icecore-roots-')));
    root = join(directory, 'root');
    await mkdir(join(directory, 'outside'));
    await mkdir(join(directory, 'root-but-not'));
    await mkdir(root);
    for (const place of ['outside', 'root-but-not', 'root']) await writeFile(join(directory, place, 'file'), secret);
    await symlink(join(directory, 'outside'), join(root, 'link'));
    await symlink(join(directory, 'outside', 'file'), join(root, 'file-link'));
    await symlink(join(directory, 'outside', 'to-be'), join(root, 'dangling'));
    await symlink(join(root, 'loop'), join(root, 'loop'));
    await symlink(root, join(directory, 'root-link'));
    storage = new LocalStorage({ roots: [root] });
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const escapes: readonly string[] = [
    '../outside/file',
    '../root-but-not/file',
    'x/../../outside/file',
    'link/file',
    'link/new',
    'link/new/deeper',
    'link/../outside/file/../file',
    'file-link',
    'dangling',
    'dangling/below',
    'loop',
    'link',
  ];

  test.each(escapes.filter((path) => path !== 'link/../outside/file/../file'))(
    '%s leads out, and nothing can be done there',
    async (path) => {
      for (const location of [`file://${root}/${path}`, `file:${root}/${path}`, `${root}/${path}`]) {
        const staged = join(directory, 'staged');
        await writeFile(staged, 'staged');
        const acts: readonly (() => Promise<unknown>)[] = [
          () => storage.read(location),
          () => storage.size(location),
          () => storage.write(location, Buffer.from('x')),
          () => storage.write(location, Buffer.from('x'), { ifAbsent: true }),
          () => storage.publish(staged, location),
          () => storage.open(location),
          () => storage.remove([location]),
          () => Array.fromAsync(storage.list(location)),
        ];
        for (const act of acts) {
          const refusal = await act().catch((error: unknown) => error);
          expect(refusal).toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(location) });
          expect(String(refusal)).not.toContain(secret);
        }
        expect(await readFile(staged, 'utf8')).toBe('staged');
      }
      expect((await readdir(join(directory, 'outside'))).toSorted()).toEqual(['file']);
      expect(await readFile(join(directory, 'outside', 'file'), 'utf8')).toBe(secret);
      expect((await lstat(join(root, 'dangling'))).isSymbolicLink()).toBe(true);
    },
  );

  test('what stays inside may be spelled in any way, and the root may be a link', async () => {
    for (const location of [
      `file://${root}/x/../file`,
      `file:${root}//file`,
      `${root}/./file`,
      `file://${directory}/root-link/file`,
    ]) {
      expect(Buffer.from(await storage.read(location)).toString()).toBe(secret);
    }
    const throughLink = new LocalStorage({ roots: [`file://${directory}/root-link`] });
    expect(Buffer.from(await throughLink.read(`${root}/file`)).toString()).toBe(secret);
    const found = await Array.fromAsync(throughLink.list(`file:${directory}/root-link`));
    expect(found.map(({ location }) => location)).toEqual([`file://${directory}/root-link/file`]);
  });

  test('links are not listed, and not followed', async () => {
    expect((await Array.fromAsync(storage.list(root))).map(({ location }) => location)).toEqual([`file://${root}/file`]);
  });

  test.each(['http://host/file', 's3://bucket/key', 'file://host/etc/passwd', 'etc/passwd', 'data:text/plain,x', '\0'])(
    'the scheme of %j is refused by name',
    async (location) => {
      await expect(storage.read(location)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
      const routed = await openStorage({ warehouse: root, cacheDir: join(directory, 'cache') });
      await expect(routed.read(location)).rejects.toMatchObject({
        code: location.startsWith('s3:') ? 'FORBIDDEN' : 'BAD_USER_INPUT',
      });
      await routed.close();
    },
  );

  test('roots that do not exist yet, and several of them', async () => {
    const routed = await openStorage({
      warehouse: join(directory, 'new', 'warehouse'),
      allowedLocations: [`file://${root}`],
      cacheDir: join(directory, 'cache'),
    });
    await routed.write(`file://${directory}/new/warehouse/t/a`, Buffer.from('a'));
    expect(Buffer.from(await routed.read(`file://${directory}/new/warehouse/t/a`)).toString()).toBe('a');
    expect(Buffer.from(await routed.read(`${root}/file`)).toString()).toBe(secret);
    await expect(routed.read(`${directory}/outside/file`)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(routed.remove([`${root}/file`, `${directory}/outside/file`])).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await routed.close();
  });

  test('a write that fails leaves nothing behind', async () => {
    await expect(storage.write(`${root}/file/below`, Buffer.from('x'))).rejects.toMatchObject({ name: 'IcecoreError' });
    await expect(storage.write(`${root}/file`, Buffer.from('x'), { ifAbsent: true })).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
    });
    await expect(storage.write(`${root}/${'n'.repeat(300)}`, Buffer.from('x'))).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    expect((await readdir(root)).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  test('a pipe is no file', async () => {
    await promisify(execFile)('mkfifo', [join(root, 'pipe')]);
    expect(await storage.size(`${root}/pipe`)).toBeNull();
    await expect(storage.read(`${root}/pipe`)).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

test('paths and locations are each other’s inverse', () => {
  expect(toLocation('/w/a b%20')).toBe('file:///w/a b%20');
  expect(toPath('file:///w/a b%20')).toBe('/w/a b%20');
  expect(() => toPath('s3://b/k')).toThrow(/not on local disk/);
});
