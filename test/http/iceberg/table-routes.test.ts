import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestRequest, refusalOf } from './rest-client.ts';
import { createTable, schemaJson } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

const ask = (path: string, request: RestRequest = {}) => askRest(server, path, request);
const pathOf = (location: string) => location.replace(/^file:\/\//, '');

describe('a table over REST', () => {
  it('is created with column ids from 1, a location of its own, and what was asked for', async () => {
    const { status, body, headers } = await createTable(server, 'made', 'whole', {
      'partition-spec': { 'spec-id': 5, fields: [{ name: 'day', transform: 'identity', 'source-id': 3 }] },
      'write-order': {
        'order-id': 1,
        fields: [{ transform: 'identity', 'source-id': 7, direction: 'asc', 'null-order': 'nulls-first' }],
      },
      properties: { owner: 'ada', 'format-version': '3' },
    });
    expect(status).toBe(200);
    const { metadata } = body;
    expect(metadata.schemas[0].fields.map(({ id, name }: { id: number; name: string }) => [id, name])).toEqual([
      [1, 'id'],
      [2, 'day'],
      [3, 'place'],
    ]);
    expect(metadata.schemas[0].fields[2].type.fields[0].id).toBe(4);
    expect(metadata['partition-specs']).toEqual([
      { 'spec-id': 0, fields: [{ name: 'day', transform: 'identity', 'source-id': 2, 'field-id': 1000 }] },
    ]);
    expect(metadata['sort-orders'].at(-1).fields[0]['source-id']).toBe(1);
    expect(metadata['format-version']).toBe(3);
    expect(metadata.properties).toEqual({ owner: 'ada', 'write.parquet.compression-codec': 'zstd' });
    expect(metadata.location).toMatch(/\/made\/whole-[0-9a-f]{8}$/);
    expect(body['metadata-location'].startsWith(`${metadata.location}/metadata/00000-`)).toBe(true);

    const loaded = await ask('/v1/namespaces/made/tables/whole');
    expect(loaded.body).toEqual(body);
    expect(loaded.headers.get('etag')).toBe(headers.get('etag'));
    const { data } = await server.ask('{ table(name: "made.whole") { name formatVersion } }');
    expect(data.table).toEqual({ name: 'made.whole', formatVersion: 3 });
  });

  it('is not created where the name is taken, the namespace missing, or the place not allowed', async () => {
    await createTable(server, 'made', 'twice');
    expect(refusalOf(await createTable(server, 'made', 'twice'))).toBe(
      '409 AlreadyExistsException: Table already exists: made.twice',
    );
    const missing = await ask('/v1/namespaces/not%1Fthere/tables', { body: { name: 't', schema: schemaJson } });
    expect(refusalOf(missing)).toBe('404 NoSuchNamespaceException: Namespace does not exist: not.there');
    for (const location of [
      'file:///etc/table',
      `${server.icecore.tables.warehouse}/../elsewhere`,
      's3://bucket/table',
      'http://host/t',
    ]) {
      const refused = await createTable(server, 'made', 'outside', { location });
      expect([400, 403], location).toContain(refused.status);
      const staged = await createTable(server, 'made', 'outside', { location, 'stage-create': true });
      expect([400, 403], location).toContain(staged.status);
    }
    expect((await ask('/v1/namespaces/made/tables/outside', { method: 'HEAD' })).status).toBe(404);
    for (const name of ['', ' ', '..', 'a\u0000b', 'x'.repeat(129)]) {
      expect(refusalOf(await createTable(server, 'made', name)), name).toContain('400 BadRequestException');
    }
    expect(refusalOf(await createTable(server, 'made', 'odd', { properties: { 'format-version': '4' } }))).toContain(
      '400 BadRequestException: A table cannot be created with format-version "4"',
    );
    const own = await ask('/v1/namespaces/icecore/tables', { body: { name: 'mine', schema: schemaJson } });
    expect(refusalOf(own)).toContain('403 ForbiddenException');
  });

  it('is staged without a trace, and created by the commit', async () => {
    const staged = await createTable(server, 'made', 'staged', { 'stage-create': true });
    expect(staged.status).toBe(200);
    expect(staged.body['metadata-location']).toBeUndefined();
    const { metadata } = staged.body;
    expect((await ask('/v1/namespaces/made/tables/staged', { method: 'HEAD' })).status).toBe(404);
    await expect(readdir(pathOf(metadata.location))).rejects.toThrow('ENOENT');

    const create = () =>
      ask('/v1/namespaces/made/tables/staged', {
        body: {
          requirements: [{ type: 'assert-create' }],
          updates: [
            { action: 'assign-uuid', uuid: metadata['table-uuid'] },
            { action: 'upgrade-format-version', 'format-version': 2 },
            { action: 'add-schema', schema: metadata.schemas[0], 'last-column-id': 4 },
            { action: 'set-current-schema', 'schema-id': -1 },
            { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
            { action: 'set-default-spec', 'spec-id': -1 },
            { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
            { action: 'set-default-sort-order', 'sort-order-id': -1 },
            { action: 'set-location', location: metadata.location },
            { action: 'set-properties', updates: { staged: 'yes' } },
          ],
        },
      });
    const created = await create();
    expect(created.status).toBe(200);
    expect(created.body.metadata).toMatchObject({ 'table-uuid': metadata['table-uuid'], properties: { staged: 'yes' } });
    // Of a creation all conflicts are that somebody else was first.
    expect(refusalOf(await create())).toBe('409 CommitFailedException: Requirement failed: table already exists');
    expect(refusalOf(await createTable(server, 'made', 'staged', { 'stage-create': true }))).toContain('Table already exists');
  });

  it('is renamed with its files where they are, and another of the old name has other files', async () => {
    const before = (await createTable(server, 'named', 'old')).body;
    await ask('/v1/namespaces', { body: { namespace: ['named', 'below'] } });
    const from = { namespace: ['named'], name: 'old' };
    const rename = (source: object, destination: object) => ask('/v1/tables/rename', { body: { source, destination } });
    expect((await rename(from, { namespace: ['named', 'below'], name: 'new' })).status).toBe(204);
    expect((await ask('/v1/namespaces/named/tables/old', { method: 'HEAD' })).status).toBe(404);
    expect((await ask('/v1/namespaces/named%1Fbelow/tables/new')).body).toEqual(before);
    const other = (await createTable(server, 'named', 'old')).body;
    expect(other.metadata.location).not.toBe(before.metadata.location);

    expect(refusalOf(await rename(from, { namespace: ['named', 'below'], name: 'new' }))).toBe(
      '409 AlreadyExistsException: Table already exists: named.below.new',
    );
    expect(refusalOf(await rename(from, { namespace: ['nowhere'], name: 'new' }))).toBe(
      '404 NoSuchNamespaceException: Namespace does not exist: nowhere',
    );
    expect(refusalOf(await rename({ namespace: ['named'], name: 'none' }, { namespace: ['named'], name: 'n' }))).toBe(
      '404 NoSuchTableException: Table does not exist: named.none',
    );
    expect(refusalOf(await rename(from, { namespace: ['icecore'], name: 'models' }))).toContain('403 ForbiddenException');
    expect(refusalOf(await rename({ namespace: ['icecore'], name: 'audit_log' }, from))).toContain('403 ForbiddenException');
  });

  it('is dropped, registered again from its metadata, and purged', async () => {
    const { body } = await createTable(server, 'gone', 'table');
    const one = '/v1/namespaces/gone/tables/table';
    const register = (overwrite = false, location = body['metadata-location']) =>
      ask('/v1/namespaces/gone/register', { body: { name: 'table', 'metadata-location': location, overwrite } });
    expect(refusalOf(await register())).toBe('409 AlreadyExistsException: Table already exists: gone.table');
    expect((await ask(one, { method: 'DELETE' })).status).toBe(204);
    expect(refusalOf(await ask(one, { method: 'DELETE' }))).toBe('404 NoSuchTableException: Table does not exist: gone.table');
    expect((await register()).body).toEqual(body);
    expect(refusalOf(await register(true, `${body.metadata.location}/metadata/none.json`))).toContain(
      '404 NotFoundException: Failed to open input stream for file: ',
    );
    expect(refusalOf(await register(true, 'file:///etc/passwd'))).toContain('403 ForbiddenException');
    expect((await register(true)).status).toBe(200);

    await writeFile(join(pathOf(body.metadata.location), 'of-somebody-else'), 'kept');
    expect((await ask(`${one}?purgeRequested=true`, { method: 'DELETE' })).status).toBe(204);
    expect(await readdir(pathOf(body.metadata.location), { recursive: true })).toEqual(['metadata', 'of-somebody-else']);
  });

  it('is purged to the last of its own files, and of no others', async () => {
    await ask('/v1/namespaces', { body: { namespace: ['purged'] } });
    const rows = 'mutation { writeRows(input: { table: "purged.t", rows: { sql: "SELECT 1 AS id" } }) { snapshot { id } } }';
    await createTable(server, 'purged', 't', {
      schema: { type: 'struct', fields: [{ id: 1, name: 'id', required: false, type: 'int' }] },
    });
    for (let time = 0; time < 2; time++) expect((await server.ask(rows)).errors).toBeUndefined();
    const one = '/v1/namespaces/purged/tables/t';
    const { body } = await ask(one);
    const place = pathOf(body.metadata.location);
    // What another table of these files would need, and what the metadata names elsewhere.
    const outside = join(server.directory, 'warehouse', 'purged', 'outside.stats');
    await mkdir(join(outside, '..'), { recursive: true });
    await writeFile(outside, 'kept');
    const statistics = {
      'snapshot-id': body.metadata['current-snapshot-id'],
      'statistics-path': `file://${outside}`,
      'file-size-in-bytes': 4,
      'file-footer-size-in-bytes': 1,
      'blob-metadata': [],
    };
    const set = await ask(one, {
      body: { updates: [{ action: 'set-statistics', 'snapshot-id': statistics['snapshot-id'], statistics }] },
    });
    expect(set.status).toBe(200);
    expect(refusalOf(await purgeWithoutCollection(one))).toContain(
      '400 ValidationException: Cannot purge table purged.t: GC is disabled',
    );
    await ask(one, { body: { updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'true' } }] } });
    expect((await ask(`${one}?purgeRequested=true`, { method: 'DELETE' })).status).toBe(204);
    const left = await readdir(place, { recursive: true, withFileTypes: true });
    expect(left.filter((entry) => entry.isFile()).map(({ name }) => name)).toEqual([]);
    await rm(outside);
  });

  it('does not show or hide behind a view of the same name', async () => {
    await createTable(server, 'shared', 'table');
    const view = {
      name: 'table',
      schema: { type: 'struct', fields: [] },
      'view-version': {
        'version-id': 1,
        'schema-id': 0,
        'timestamp-ms': 1,
        summary: {},
        representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'spark' }],
        'default-namespace': ['shared'],
      },
      properties: {},
    };
    expect(refusalOf(await ask('/v1/namespaces/shared/views', { body: view }))).toContain(
      '409 AlreadyExistsException: Table with same name already exists: shared.table',
    );
    expect((await ask('/v1/namespaces/shared/views', { body: { ...view, name: 'view' } })).status).toBe(200);
    expect(refusalOf(await createTable(server, 'shared', 'view'))).toBe(
      '409 AlreadyExistsException: View with same name already exists: shared.view',
    );
    expect(refusalOf(await ask('/v1/namespaces/shared/tables/view'))).toContain('404 NoSuchTableException');
    expect((await ask('/v1/namespaces/shared/tables')).body.identifiers).toEqual([{ namespace: ['shared'], name: 'table' }]);
  });

  it('is listed in its namespace alone, in pages that joined are the whole', async () => {
    const names = ['b', 'a', 'c.d', 'e f', 'g/h', 'ü', 'z'];
    for (const name of names) await createTable(server, 'listed', name);
    await ask('/v1/namespaces', { body: { namespace: ['listed', 'below'] } });
    await ask('/v1/namespaces/listed%1Fbelow/tables', { body: { name: 'hidden', schema: schemaJson } });
    const whole = (await ask('/v1/namespaces/listed/tables')).body.identifiers;
    expect(whole.map(({ name }: { name: string }) => name).toSorted()).toEqual(names.toSorted());
    for (const pageSize of [1, 2, 3, 5, 6, 7]) {
      const joined: unknown[] = [];
      let token: string | null = '';
      while (token !== null) {
        const { body } = await ask(`/v1/namespaces/listed/tables?pageSize=${pageSize}&pageToken=${token}`);
        joined.push(...body.identifiers);
        token = body['next-page-token'];
      }
      expect(joined).toEqual(whole);
    }
    expect((await ask('/v1/namespaces/listed%1Fbelow/tables?pageToken=')).body).toEqual({
      identifiers: [{ namespace: ['listed', 'below'], name: 'hidden' }],
      'next-page-token': null,
    });
    expect(refusalOf(await ask('/v1/namespaces/unlisted/tables'))).toContain('404 NoSuchNamespaceException');
    expect(refusalOf(await ask('/v1/namespaces/listed', { method: 'DELETE' }))).toContain('409 NamespaceNotEmptyException');
  });

  it('leaves an entry in the audit log for each change', async () => {
    const { body } = await createTable(server, 'audited', 't');
    const subject = `table/${body.metadata['table-uuid']}`;
    await ask('/v1/tables/rename', {
      body: { source: { namespace: ['audited'], name: 't' }, destination: { namespace: ['audited'], name: 'u' } },
    });
    await ask('/v1/namespaces/audited/tables/u', { body: { updates: [{ action: 'set-properties', updates: { a: '1' } }] } });
    await ask('/v1/namespaces/audited/tables/u', { method: 'DELETE' });
    await ask('/v1/namespaces/audited/register', { body: { name: 't', 'metadata-location': body['metadata-location'] } });
    const { data } = await server.ask(
      'query ($subject: String) { auditLog(subject: $subject) { edges { node { action outcome } } } }',
      { subject },
    );
    expect(
      data.auditLog.edges.map(({ node }: { node: { action: string; outcome: string } }) => `${node.action} ${node.outcome}`),
    ).toEqual([
      'registerTable SUCCEEDED',
      'dropTable SUCCEEDED',
      'updateTable SUCCEEDED',
      'renameTable SUCCEEDED',
      'createTable SUCCEEDED',
    ]);
  });
});

async function purgeWithoutCollection(one: string) {
  await ask(one, { body: { updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'false' } }] } });
  return await ask(`${one}?purgeRequested=true`, { method: 'DELETE' });
}
