import { mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, refusalOf } from './rest-client.ts';

const schema = {
  type: 'struct',
  'schema-id': 0,
  fields: [
    { id: 1, name: 'id', type: 'long', required: true },
    { id: 2, name: 'name', type: 'string', required: false },
  ],
  'identifier-field-ids': [1],
};

let server: TestServer;
let directory: string;

beforeAll(async () => {
  directory = await realpath(await mkdtemp(join(tmpdir(), 'icecore-local-')));
  await mkdir(join(directory, 'real'));
  await mkdir(join(directory, 'outside'));
  await symlink(join(directory, 'real'), join(directory, 'warehouse'));
  await mkdir(join(directory, 'shared'));
  await symlink(join(directory, 'outside'), join(directory, 'shared', 'out'));
  server = await startTestServer({
    environment: { ICECORE_WAREHOUSE: join(directory, 'warehouse'), ICECORE_ALLOWED_LOCATIONS: `file:${directory}/shared` },
  });
  await askRest(server, '/v1/namespaces', { body: { namespace: ['raw'] } });
});

afterAll(async () => {
  await server?.close();
  await rm(directory, { recursive: true, force: true });
});

async function ask(query: string): Promise<Record<string, unknown>> {
  const { data, errors } = await server.ask(query);
  expect(errors).toBeUndefined();
  return data;
}

test.each([
  ['one_slash', () => `file:${directory}/shared/one`],
  ['three_slashes', () => `file://${directory}/shared/three`],
  ['no_scheme', () => `${directory}/shared/none`],
  ['warehouse_behind_a_link', () => undefined],
])('a table at %s is written, read, changed and purged', async (name, locationOf) => {
  const location = locationOf();
  const made = await askRest(server, '/v1/namespaces/raw/tables', {
    body: { name, schema, ...(location === undefined ? {} : { location }) },
  });
  expect(made.status).toBe(200);
  const kept: string = made.body.metadata.location;
  if (location !== undefined) expect(kept).toBe(location);
  const path = kept.replace(/^file:(\/\/)?/, '');
  await ask(
    `mutation { writeRows(input: { table: "raw.${name}", rows: { json: [{ id: 1, name: "a" }, { id: 2, name: "b" }, { id: 3 }] } }) { __typename } }`,
  );
  await ask(
    `mutation { writeRows(input: { table: "raw.${name}", mode: DELETE, keys: ["id"], rows: { json: [{ id: 2 }] } }) { __typename } }`,
  );
  await ask(
    `mutation { writeRows(input: { table: "raw.${name}", mode: UPSERT, keys: ["id"], rows: { json: [{ id: 3, name: "c" }] } }) { __typename } }`,
  );
  const { sql } = await ask(`{ sql(statement: "SELECT id, name FROM raw.${name} ORDER BY id") { rows } }`);
  expect(sql).toEqual({
    rows: [
      { id: '1', name: 'a' },
      { id: '3', name: 'c' },
    ],
  });
  const loaded = await askRest(server, `/v1/namespaces/raw/tables/${name}`);
  expect(loaded.body['metadata-location'].startsWith(`${kept}/metadata/`)).toBe(true);
  for (const snapshot of loaded.body.metadata.snapshots)
    expect(snapshot['manifest-list'].startsWith(`${kept}/metadata/`)).toBe(true);
  expect((await readdir(join(path, 'data'))).length).toBeGreaterThan(0);
  const dropped = await askRest(server, `/v1/namespaces/raw/tables/${name}?purgeRequested=true`, { method: 'DELETE' });
  expect(dropped.status).toBe(204);
  const left = await readdir(path, { recursive: true, withFileTypes: true }).catch(() => []);
  expect(left.filter((entry) => entry.isFile())).toEqual([]);
});

test.each([
  ['shared/out/t', /^403 ForbiddenException: The location of raw\.bad, .* is outside the warehouse and the allowed locations/],
  ['elsewhere/t', /^403 ForbiddenException/],
  ['shared/../outside/t', /^400 BadRequestException/],
  ['shared/%2e%2e/outside/t', /^400 BadRequestException/],
])('nothing is made at %s', async (path, refusal) => {
  for (const scheme of ['file:', 'file://', '']) {
    for (const stage of [false, true]) {
      const body = { name: 'bad', schema, location: `${scheme}${directory}/${path}`, 'stage-create': stage };
      expect(refusalOf(await askRest(server, '/v1/namespaces/raw/tables', { body }))).toMatch(refusal);
    }
  }
  expect(await readdir(join(directory, 'outside'))).toEqual([]);
});

test('a metadata file elsewhere is not registered, nor read', async () => {
  for (const [location, refusal] of [
    ['/etc/passwd', /^403 ForbiddenException: The location \/etc\/passwd is outside/],
    [`file:${directory}/shared/out/metadata.json`, /^403 ForbiddenException/],
    ['http://127.0.0.1/metadata.json', /^400 BadRequestException/],
    [`file:${directory}/shared/none.json`, /^404 NotFoundException: Failed to open input stream for file/],
  ] as const) {
    const body = { name: 'registered', 'metadata-location': location };
    expect(refusalOf(await askRest(server, '/v1/namespaces/raw/register', { body }))).toMatch(refusal);
  }
});
