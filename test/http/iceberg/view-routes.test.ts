import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, refusalOf } from './rest-client.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
  await ask('/v1/namespaces', { body: { namespace: ['ns'] } });
  await server.ask(
    'mutation { createTable(input: { name: "ns.table", columns: [{ name: "id", type: "long" }] }) { table { name } } }',
  );
});
afterAll(async () => server.close());

const ask = (path: string, request = {}) => askRest(server, path, request);

/** As Spark sends it: column ids from 0, a schema id of its own. */
const schema = { type: 'struct', 'schema-id': 5, fields: [{ id: 0, name: 'id', required: false, type: 'int', doc: 'unique' }] };

function versionOf(sql: string, dialect = 'spark', schemaId = 5) {
  return {
    'version-id': 1,
    'timestamp-ms': 1700000000000,
    'schema-id': schemaId,
    summary: { 'engine-name': 'spark' },
    'default-namespace': ['ns'],
    representations: [{ type: 'sql', sql, dialect }],
  };
}

async function create(name: string, members = {}) {
  const body = { name, schema, 'view-version': versionOf('SELECT id FROM t'), properties: {}, ...members };
  return await ask('/v1/namespaces/ns/views', { body });
}

function replacing(sql: string, dialect = 'spark', uuid?: string) {
  return {
    requirements: uuid === undefined ? [] : [{ type: 'assert-view-uuid', uuid }],
    updates: [
      { action: 'add-view-version', 'view-version': versionOf(sql, dialect, 0) },
      { action: 'set-current-view-version', 'view-version-id': -1 },
    ],
  };
}

describe('views over REST', () => {
  it('keep their files where the table around them goes with its own', async () => {
    const around = join(server.directory, 'warehouse', 'ns', 'around');
    expect((await create('within', { location: join(around, 'within') })).status).toBe(200);
    const table = { name: 'around', location: around, schema, properties: { 'gc.enabled': 'FALSE' } };
    const made = await ask('/v1/namespaces/ns/tables', { body: table });
    const [foreign, own] = [join(around, 'data', 'foreign.txt'), made.body['metadata-location']];
    await mkdir(dirname(foreign), { recursive: true });
    await writeFile(foreign, 'of somebody else');
    const drop = 'mutation { dropTable(input: { name: "ns.around", purge: true }) { name } }';
    const orphans = 'mutation { removeOrphanFiles(input: { table: "ns.around", olderThan: "2020-01-01T00:00:00Z" }) { files } }';
    for (const mutation of [drop, orphans]) {
      const { errors } = await server.ask(mutation);
      expect([errors?.[0]?.extensions.code, errors?.[0]?.message]).toEqual([
        'FAILED_PRECONDITION',
        expect.stringContaining('GC is disabled'),
      ]);
    }
    await ask('/v1/namespaces/ns/tables/around', {
      body: { updates: [{ action: 'remove-properties', removals: ['gc.enabled'] }] },
    });
    expect((await server.ask(drop)).errors).toBeUndefined();
    await expect(readFile(own.replace(/^file:\/\//, ''))).rejects.toThrow('ENOENT');
    expect(await readFile(foreign, 'utf8')).toBe('of somebody else');
    expect((await ask('/v1/namespaces/ns/views/within')).status).toBe(200);
    await ask('/v1/namespaces/ns/views/within', { method: 'DELETE' });
  });

  it('are created, loaded, listed, replaced, renamed and dropped', async () => {
    const created = await create('late', { properties: { comment: 'late flights' } });
    expect(created.status).toBe(200);
    const { metadata } = created.body;
    expect(metadata).toMatchObject({
      'format-version': 1,
      'current-version-id': 1,
      schemas: [{ ...schema, 'schema-id': 0 }],
      versions: [{ ...versionOf('SELECT id FROM t'), 'schema-id': 0 }],
      'version-log': [{ 'timestamp-ms': 1700000000000, 'version-id': 1 }],
      properties: { comment: 'late flights' },
    });
    const location: string = created.body['metadata-location'];
    expect(location.startsWith(`${metadata.location}/metadata/00000-`)).toBe(true);
    expect(JSON.parse(await readFile(new URL(location), 'utf8'))).toEqual(metadata);
    expect((await ask('/v1/namespaces/ns/views/late')).body).toEqual({ 'metadata-location': location, metadata, config: {} });
    expect((await ask('/v1/namespaces/ns/views/late', { method: 'HEAD' })).status).toBe(204);
    const named = { identifiers: [{ namespace: ['ns'], name: 'late' }], 'next-page-token': null };
    expect((await ask('/v1/namespaces/ns/views')).body).toEqual(named);

    const uuid = metadata['view-uuid'];
    const replaced = await ask('/v1/namespaces/ns/views/late', { body: replacing('SELECT 2', 'spark', uuid) });
    expect(replaced.body.metadata).toMatchObject({ 'view-uuid': uuid, 'current-version-id': 2, versions: [{}, {}] });
    expect(replaced.body['metadata-location']).toContain('/metadata/00001-');

    const rename = { source: { namespace: ['ns'], name: 'late' }, destination: { namespace: ['ns'], name: 'delayed' } };
    expect((await ask('/v1/views/rename', { body: rename })).status).toBe(204);
    expect((await ask('/v1/namespaces/ns/views/delayed')).body).toEqual(replaced.body);
    expect((await ask('/v1/namespaces/ns/views/late', { method: 'HEAD' })).status).toBe(404);

    expect((await ask('/v1/namespaces/ns/views/delayed', { method: 'DELETE' })).status).toBe(204);
    expect((await ask('/v1/namespaces/ns/views')).body.identifiers).toEqual([]);
    const registered = await ask('/v1/namespaces/ns/register-view', {
      body: { name: 'again', 'metadata-location': replaced.body['metadata-location'] },
    });
    expect(registered.body).toEqual(replaced.body);
    const gone = await ask('/v1/namespaces/ns/views/again', { method: 'DELETE' });
    expect([gone.status, gone.text]).toEqual([204, '']);
  });

  it('are in the audit chain, each change with its version', async () => {
    const { body } = await create('audited');
    const uuid = body.metadata['view-uuid'];
    await ask('/v1/namespaces/ns/views/audited', { body: replacing('SELECT 3') });
    await ask('/v1/namespaces/ns/views/audited', { method: 'DELETE' });
    const { entries } = await server.icecore.audit.entries({ subject: `view/${uuid}` });
    expect(entries.map(({ action, subject, outcome }) => [action, subject, outcome])).toEqual([
      ['dropView', `view/${uuid}`, 'SUCCEEDED'],
      ['replaceView', `view/${uuid}@2`, 'SUCCEEDED'],
      ['createView', `view/${uuid}@1`, 'SUCCEEDED'],
    ]);
  });

  it('share their names with tables', async () => {
    await create('taken');
    expect(refusalOf(await create('taken'))).toBe('409 AlreadyExistsException: View already exists: ns.taken');
    expect(refusalOf(await create('table'))).toBe('409 AlreadyExistsException: Table with same name already exists: ns.table');
    expect(refusalOf(await ask('/v1/namespaces/ns/views/table'))).toBe('404 NoSuchViewException: View does not exist: ns.table');
    const to = (name: string, namespace = 'ns') => ({
      body: { source: { namespace: ['ns'], name: 'taken' }, destination: { namespace: [namespace], name } },
    });
    expect(refusalOf(await ask('/v1/views/rename', to('table')))).toBe(
      '409 AlreadyExistsException: Cannot rename ns.taken to ns.table. Table already exists',
    );
    await create('other');
    expect(refusalOf(await ask('/v1/views/rename', to('other')))).toBe(
      '409 AlreadyExistsException: Cannot rename ns.taken to ns.other. View already exists',
    );
    expect(refusalOf(await ask('/v1/views/rename', to('x', 'nowhere')))).toBe(
      '404 NoSuchNamespaceException: Namespace does not exist: nowhere',
    );
  });

  it('are no tables to GraphQL and its SELECT, which say so', async () => {
    await create('seen');
    const message =
      'Table ns.seen does not exist: ns.seen is a view, which engines read over REST. Read the tables that it is made of.';
    const { errors } = await server.ask('{ sql(statement: "SELECT * FROM ns.seen") { rows } }');
    expect(errors?.map((error) => [error.message, error.extensions.code])).toEqual([[message, 'NOT_FOUND']]);
  });

  it('that are missing are said to be, and so are namespaces', async () => {
    const missing = '404 NoSuchViewException: View does not exist: ns.none';
    expect(refusalOf(await ask('/v1/namespaces/ns/views/none'))).toBe(missing);
    expect(refusalOf(await ask('/v1/namespaces/ns/views/none', { method: 'DELETE' }))).toBe(missing);
    expect(refusalOf(await ask('/v1/namespaces/ns/views/none', { body: replacing('SELECT 1') }))).toBe(missing);
    expect(refusalOf(await ask('/v1/namespaces/nowhere/views'))).toBe(
      '404 NoSuchNamespaceException: Namespace does not exist: nowhere',
    );
    const body = { name: 'v', schema, 'view-version': versionOf('SELECT 1'), properties: {} };
    expect(refusalOf(await ask('/v1/namespaces/nowhere/views', { body }))).toBe(
      '404 NoSuchNamespaceException: Namespace does not exist: nowhere',
    );
  });

  it('keep their dialects, one query each', async () => {
    await create('spoken');
    expect(refusalOf(await ask('/v1/namespaces/ns/views/spoken', { body: replacing('SELECT 1', 'trino') }))).toContain(
      '400 IllegalArgumentException: Cannot replace view due to loss of view dialects (replace.drop-dialect.allowed=false)',
    );
    const query = { type: 'sql', sql: 'SELECT 1', dialect: 'trino' };
    const twins = { ...versionOf('SELECT 1'), representations: [query, { ...query, dialect: 'TRINO' }] };
    expect(refusalOf(await create('twins', { 'view-version': twins }))).toBe(
      '400 IllegalArgumentException: Invalid view version: Cannot add multiple queries for dialect trino',
    );
  });

  it('refuse what cannot be', async () => {
    await create('checked');
    const other = replacing('SELECT 5', 'spark', '3d1b7f86-8a1a-4c31-b16f-5b0df3b1b6b2');
    expect(refusalOf(await ask('/v1/namespaces/ns/views/checked', { body: other }))).toContain(
      '409 CommitFailedException: Requirement failed: view UUID does not match',
    );
    const snapshot = { updates: [{ action: 'add-snapshot', snapshot: {} }] };
    expect(refusalOf(await ask('/v1/namespaces/ns/views/checked', { body: snapshot }))).toContain('There is no view update');
    for (const location of ['/etc', `file://${server.directory}/../elsewhere`]) {
      expect((await create('outside', { location })).status, location).toBeGreaterThanOrEqual(400);
      const moved = { updates: [{ action: 'set-location', location }] };
      expect((await ask('/v1/namespaces/ns/views/checked', { body: moved })).status).toBeGreaterThanOrEqual(400);
    }
    expect(
      refusalOf(await ask('/v1/namespaces/icecore/views', { body: { name: 'v', schema, 'view-version': versionOf('x') } })),
    ).toContain('403 ForbiddenException: The namespace icecore');
    const register = { name: 'broken', 'metadata-location': `file://${server.directory}/warehouse/none.metadata.json` };
    expect((await ask('/v1/namespaces/ns/register-view', { body: register })).status).toBe(404);
    const secret = join(server.directory, 'warehouse', 'salaries.csv');
    await mkdir(dirname(secret), { recursive: true });
    await writeFile(secret, 'ada,100000');
    const notMetadata = { name: 'broken', 'metadata-location': `file://${secret}` };
    const told = await ask('/v1/namespaces/ns/register-view', { body: notMetadata });
    expect(refusalOf(told)).toContain('salaries.csv is no metadata file of a view');
    expect(told.text).not.toContain('100000');
    const long = versionOf('x'.repeat(9 * 1024 * 1024));
    expect((await create('long', { 'view-version': long })).status).toBe(200);
    const longer = replacing('y'.repeat(9 * 1024 * 1024));
    expect(refusalOf(await ask('/v1/namespaces/ns/views/long', { body: longer }))).toContain(
      'The metadata of the view has more than',
    );
  });

  it('replaced at the same time are all replaced, in some order', async () => {
    await create('busy');
    const queries = Array.from({ length: 8 }, (_, index) => `SELECT ${index}`);
    const answers = await Promise.all(queries.map((sql) => ask('/v1/namespaces/ns/views/busy', { body: replacing(sql) })));
    expect(answers.map(({ status }) => status)).toEqual(queries.map(() => 200));
    const { metadata } = (await ask('/v1/namespaces/ns/views/busy')).body;
    const found = metadata.versions.map((version: { representations: [{ sql: string }] }) => version.representations[0].sql);
    expect(found.toSorted()).toEqual(['SELECT id FROM t', ...queries].toSorted());
  });

  it('have any name that comes back as it went, and are listed in pages', async () => {
    await ask('/v1/namespaces', { body: { namespace: ['named', 'deep.er'] } });
    const path = '/v1/namespaces/named%1Fdeep.er/views';
    const unit = fc.constantFrom('a', 'Z', '.', '"', ' ', '+', '%', '/', '?', '#', 'ä', '雪', '🧊');
    const name = fc.string({ unit, minLength: 1, maxLength: 12 }).filter((text) => !['.', '..', ''].includes(text.trim()));
    const names =
      fc.sample(fc.uniqueArray(name, { minLength: 7, maxLength: 7, selector: (text) => text.trim() }), {
        numRuns: 1,
        seed: 7,
      })[0] ?? [];
    for (const each of names) {
      const body = { name: each, schema, 'view-version': versionOf('SELECT 1'), properties: {} };
      expect((await ask(path, { body })).status, each).toBe(200);
      expect((await ask(`${path}/${encodeURIComponent(each)}`, { method: 'HEAD' })).status, each).toBe(204);
    }
    const listed: string[] = [];
    for (let token: string | null = ''; token !== null; ) {
      const { body } = await ask(`${path}?pageSize=3&pageToken=${encodeURIComponent(token)}`);
      listed.push(...body.identifiers.map((identifier: { name: string }) => identifier.name));
      token = body['next-page-token'];
    }
    expect(listed.toSorted()).toEqual(names.toSorted());
    for (const each of names) {
      expect((await ask(`${path}/${encodeURIComponent(each)}`, { method: 'DELETE' })).status, each).toBe(204);
    }
  });

  it('show to whom they are granted, and are changed by who may write them', async () => {
    const of = (subject: string) => ({ key: `key-of-${subject}`, subject, kind: 'SERVICE', roles: ['admin'] });
    const guarded = await startTestServer({
      keys: JSON.stringify([of('owner'), of('reader'), of('stranger')]),
      grants: JSON.stringify([
        { subject: 'owner', on: '*', may: 'write' },
        { subject: 'reader', on: 'ns', may: 'read' },
        { subject: 'stranger', on: 'other', may: 'write' },
      ]),
    });
    try {
      const as = (who: string, path: string, request = {}) => askRest(guarded, path, { ...request, key: `key-of-${who}` });
      for (const namespace of ['ns', 'other']) await as('owner', '/v1/namespaces', { body: { namespace: [namespace] } });
      const body = { name: 'v', schema, 'view-version': versionOf('SELECT 1'), properties: {} };
      const made = await as('owner', '/v1/namespaces/ns/views', { body });
      expect(made.status).toBe(200);
      const rename = (namespace: string) => ({
        body: { source: { namespace: ['ns'], name: 'v' }, destination: { namespace: [namespace], name: 'w' } },
      });
      for (const [path, request] of [
        ['/v1/namespaces/ns/views/v', {}],
        ['/v1/namespaces/ns/views/v', { method: 'DELETE' }],
        ['/v1/namespaces/ns/views/v', { body: replacing('SELECT 2') }],
        ['/v1/views/rename', rename('other')],
      ] as const) {
        expect(refusalOf(await as('stranger', path, request))).toBe('404 NoSuchViewException: View does not exist: ns.v');
      }
      expect((await as('stranger', '/v1/namespaces/ns/views')).status).toBe(404);
      expect((await as('reader', '/v1/namespaces/ns/views/v')).status).toBe(200);
      for (const [path, request] of [
        ['/v1/namespaces/ns/views', { body: { ...body, name: 'u' } }],
        ['/v1/namespaces/ns/views/v', { method: 'DELETE' }],
        ['/v1/namespaces/ns/views/v', { body: replacing('SELECT 2') }],
        ['/v1/namespaces/ns/register-view', { body: { name: 'u', 'metadata-location': made.body['metadata-location'] } }],
        ['/v1/views/rename', rename('ns')],
      ] as const) {
        expect(refusalOf(await as('reader', path, request)), path).toContain('403 ForbiddenException: reader may not');
      }
      const stolen = { name: 'mine', 'metadata-location': made.body['metadata-location'] };
      expect((await as('stranger', '/v1/namespaces/other/register-view', { body: stolen })).status).toBe(403);
    } finally {
      await guarded.close();
    }
  });

  it('have roles as tables have', async () => {
    const keys = ['viewer', 'scientist'].map((role) => ({
      key: `key-of-${role}`,
      subject: role,
      kind: 'SERVICE',
      roles: [role],
    }));
    const guarded = await startTestServer({ keys: JSON.stringify(keys) });
    try {
      const as = (role: string, path: string, request = {}) => askRest(guarded, path, { ...request, key: `key-of-${role}` });
      await as('scientist', '/v1/namespaces', { body: { namespace: ['ns'] } });
      const body = { name: 'v', schema, 'view-version': versionOf('SELECT 1'), properties: {} };
      expect((await as('viewer', '/v1/namespaces/ns/views', { body })).status).toBe(403);
      expect((await as('scientist', '/v1/namespaces/ns/views', { body })).status).toBe(200);
      expect((await as('viewer', '/v1/namespaces/ns/views/v')).status).toBe(200);
      expect((await as('scientist', '/v1/namespaces/ns/views/v', { method: 'DELETE' })).status).toBe(403);
      expect((await askRest(guarded, '/v1/namespaces/ns/views/v', {})).status).toBe(401);
    } finally {
      await guarded.close();
    }
  });
});
