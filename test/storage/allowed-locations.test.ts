import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  allowedLocations,
  realLocalRoots,
  requireAllowedLocation,
  requireReachableLocation,
} from '../../src/storage/allowed-locations.ts';
import { canonicalLocation, parseLocation } from '../../src/storage/location.ts';

const locations = allowedLocations('s3://lake/warehouse', ['file:/tmp/shared', '/srv/tables', 's3a://other']);
const what = 'The location of raw.flights';

test.each([
  's3://lake/warehouse/raw/flights',
  's3a://lake/warehouse/raw/flights',
  'S3N://lake/warehouse/raw/flights',
  's3://lake/warehouse//raw',
  's3://other',
  's3://other/anything/at all',
  'file:/tmp/shared/raw/flights',
  'file:///tmp/shared/raw/flights',
  '/tmp/shared/raw',
  'file:/srv/tables/t',
  '/srv/tables/day=2026-11-23/a%3Db',
  '/srv/tables/Lärm/…',
])('%s is taken as it is written', (text) => {
  expect(requireAllowedLocation(locations, text, what)).toBe(text);
});

test('slashes at the end go, as engines append their own', () => {
  expect(requireAllowedLocation(locations, 'file:/tmp/shared/t//', what)).toBe('file:/tmp/shared/t');
  expect(requireAllowedLocation(allowedLocations('/'), 'file:///', what)).toBe('file:///');
});

test.each([
  's3://lake/warehouse-2/t',
  's3://lake/Warehouse/t',
  's3://lake',
  's3://LAKE/warehouse/t',
  's3://lake//warehouse/t',
  's3://stranger/warehouse/t',
  'file:/tmp/sharedt',
  'file:/tmp',
  'file:///etc/passwd',
  '/tmp/Shared/t',
  '/lake/warehouse/t',
])('%s lies elsewhere', (text) => {
  expect(() => requireAllowedLocation(locations, text, what)).toThrow(
    expect.objectContaining({
      code: 'FORBIDDEN',
      message: expect.stringMatching(
        /^The location of raw\.flights, .* is outside .* s3:\/\/lake\/warehouse.*ICECORE_ALLOWED_LOCATIONS/,
      ),
      context: { location: text },
    }),
  );
});

test.each([
  '',
  'raw/flights',
  'file:raw',
  'file://other-host/tmp/shared/t',
  'file://localhost/tmp/shared/t',
  'hdfs://lake/warehouse/t',
  'gs://lake/warehouse/t',
  'http://lake/warehouse/t',
  's3:lake/warehouse/t',
  's3://',
  's3://lake/warehouse/../secret',
  's3://lake/warehouse/t/./x',
  's3://lake/warehouse/%2e%2e/secret',
  's3://lake/warehouse/%252E%252e/secret',
  's3://lake/warehouse/t/..%2f..%2f..%2fsecret',
  's3://lake/warehouse/t/..%5c..%5csecret',
  's3://lake/warehouse/t\\..\\..\\secret',
  's3://lake/warehouse/t?acl',
  's3://lake/warehouse/t#x',
  's3://lake/warehouse/t%00',
  's3://lake/warehouse/t\n',
  's3://lake/warehouse/t\0',
  '/tmp/shared/../shared/t',
  '/tmp/shared/../../etc/passwd',
  'file:/tmp/shared/%2E%2E/x',
  `/tmp/shared/${'x'.repeat(5000)}`,
  `/tmp/shared/${'%25'.repeat(500_000)}`,
])('%j is refused for what it is', (text) => {
  expect(() => requireAllowedLocation(locations, text, what)).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
});

test('what is no place is refused when the server starts, by the name of its setting', () => {
  expect(() => allowedLocations('hdfs://nn/warehouse')).toThrow(/^The warehouse: The location 'hdfs:/);
  expect(() => allowedLocations('/w', ['s3://a', 's3://a/../b'])).toThrow(/^ICECORE_ALLOWED_LOCATIONS: The location 's3:/);
});

test('whatever is taken lies below a root, however often its escapes are undone', () => {
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', '%2e%2e', '%252e.', '..%2f', '\\', 'link', 't', 'lake', 'warehouse', 'tmp', 'shared', 'x%20y'),
    fc.string({ maxLength: 4 }),
  );
  const start = fc.constantFrom(
    's3://lake/warehouse/',
    's3://',
    'file:/tmp/shared/',
    'file:///',
    '/',
    '/srv/tables/',
    'S3A://other/',
    '',
  );
  fc.assert(
    fc.property(start, fc.array(part, { maxLength: 6 }), (head, parts) => {
      const text = head + parts.join('/');
      let taken: string;
      try {
        taken = requireAllowedLocation(locations, text, what);
      } catch (error) {
        expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_USER_INPUT|FORBIDDEN)$/) });
        return;
      }
      expect(text.startsWith(taken)).toBe(true);
      expect(canonicalLocation(taken)).toMatch(
        /^(s3:\/\/lake\/warehouse|s3:\/\/other|file:\/\/\/tmp\/shared|file:\/\/\/srv\/tables)(\/|$)/,
      );
      let read = taken;
      for (let again = 0; again < 3; again++) {
        const url = /^[a-z0-9]+:/i.test(read) ? URL.parse(read)?.pathname : read;
        expect(url?.split('/')).not.toContain('..');
        read = unescapeOnce(read);
      }
    }),
    { numRuns: 2000 },
  );
});

function unescapeOnce(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

describe('on disk', () => {
  let directory: string;
  let root: string;

  beforeAll(async () => {
    directory = await realpath(await mkdtemp(join(tmpdir(), 'icecore-allowed-')));
    root = join(directory, 'root');
    await mkdir(join(root, 'inner'), { recursive: true });
    await mkdir(join(directory, 'outside', 'deep'), { recursive: true });
    await writeFile(join(directory, 'outside', 'file'), 'x');
    await symlink(join(directory, 'outside'), join(root, 'out'));
    await symlink('../outside/deep', join(root, 'relative-out'));
    await symlink(join(root, 'inner'), join(root, 'in'));
    await symlink(join(directory, 'nowhere'), join(root, 'dangling'));
    await symlink(join(root, 'loop'), join(root, 'loop'));
    await symlink(root, join(directory, 'root-link'));
  });

  afterAll(async () => {
    await rm(directory, { recursive: true });
  });

  test('a link that leads out is refused, one that stays inside is not', async () => {
    const allowed = allowedLocations(root);
    for (const path of ['out', 'out/t', 'out/file', 'relative-out/t', 'dangling', 'dangling/t', 'loop', 'loop/t']) {
      await expect(requireReachableLocation(allowed, `file:${root}/${path}`, what)).rejects.toMatchObject({
        code: 'FORBIDDEN',
        message: expect.stringMatching(/^The location of raw\.flights, /),
      });
    }
    for (const path of ['in/t', 'inner', 'new/deeper']) {
      expect(await requireReachableLocation(allowed, `file:${root}/${path}`, what)).toBe(`file:${root}/${path}`);
    }
  });

  test('the root itself may be a link', async () => {
    const allowed = allowedLocations(`file:${directory}/root-link`);
    expect(await requireReachableLocation(allowed, `${directory}/root-link/t`, what)).toBe(`${directory}/root-link/t`);
    expect(await realLocalRoots(allowed)).toEqual([root]);
    expect(await realLocalRoots(allowedLocations(`${directory}/root-link/not/yet`))).toEqual([join(root, 'not/yet')]);
  });

  test('nothing that is taken leads out, by whatever names', async () => {
    const allowed = allowedLocations(root);
    const names = fc.constantFrom(
      '..',
      '.',
      'out',
      'in',
      'inner',
      'loop',
      'dangling',
      'relative-out',
      'deep',
      'file',
      'new',
      '',
      '%2e%2e',
    );
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('file:', 'file://', ''), fc.array(names, { maxLength: 5 }), async (scheme, parts) => {
        let taken: string;
        try {
          taken = await requireReachableLocation(allowed, `${scheme}${root}/${parts.join('/')}`, what);
        } catch (error) {
          expect(error).toMatchObject({ code: expect.stringMatching(/^(BAD_USER_INPUT|FORBIDDEN)$/) });
          return;
        }
        const location = parseLocation(taken);
        if (location.scheme !== 'file') throw new Error(taken);
        // Made as an engine would make it, it is inside.
        await mkdir(location.path, { recursive: true });
        expect(relative(root, await realpath(location.path))).not.toMatch(/^\.\./);
      }),
      { numRuns: 300 },
    );
  });
});
