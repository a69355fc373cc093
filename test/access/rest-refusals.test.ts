import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { routes } from '../../src/http/iceberg/routes.ts';
import { askRest, type RestAnswer, type RestRequest, refusalOf } from '../http/iceberg/rest-client.ts';
import { GuardedLakehouse, keyOf, secret, type Who } from './guarded-lakehouse.ts';

let lakehouse: GuardedLakehouse;
beforeAll(async () => {
  lakehouse = await GuardedLakehouse.open();
  const made = await as('rita', '/v1/namespaces/secret/views', { body: viewOf(`${secret}_view`) });
  expect(made.status).toBe(200);
}, 120_000);
afterAll(() => lakehouse.close());

const as = (who: Who, path: string, request: RestRequest = {}): Promise<RestAnswer> =>
  askRest(lakehouse.server, path, { ...request, key: keyOf(who) });

const schema = { type: 'struct', fields: [{ id: 1, name: 'k', required: false, type: 'long' }] };

function viewOf(name: string): object {
  return {
    name,
    schema,
    properties: {},
    'view-version': {
      'version-id': 1,
      'timestamp-ms': 1,
      'schema-id': 0,
      summary: {},
      'default-namespace': ['secret'],
      representations: [{ type: 'sql', sql: `SELECT k FROM secret.${secret}_vault`, dialect: 'spark' }],
    },
  };
}

interface Question extends RestRequest {
  readonly path: string;
}

/** What can be asked about a name; the body too may hold it. */
type Ask = (name: string) => Question;

const [table, view] = [`${secret}_vault`, `${secret}_view`];
const tables = '/v1/namespaces/secret/tables';
const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { a: 'b' } }] };
const ofTable = (name: string) => ({ namespace: ['secret'], name });
const own = { namespace: ['features'], name: 'plain' };

/** For every operation that the server advertises: about things in a namespace that fay does not see. */
const questions: Readonly<Record<string, readonly Ask[]>> = {
  listTables: [],
  createTable: [
    (name) => ({ path: tables, body: { name, schema } }),
    (name) => ({ path: tables, body: { name, schema, 'stage-create': true } }),
  ],
  loadTable: [(name) => ({ path: `${tables}/${name}` }), (name) => ({ path: `${tables}/${name}?snapshots=refs` })],
  tableExists: [(name) => ({ path: `${tables}/${name}`, method: 'HEAD' })],
  dropTable: [(name) => ({ path: `${tables}/${name}?purgeRequested=true`, method: 'DELETE' })],
  renameTable: [
    (name) => ({
      path: '/v1/tables/rename',
      body: { source: ofTable(name), destination: { namespace: ['features'], name: 'mine' } },
    }),
    (name) => ({ path: '/v1/tables/rename', body: { source: own, destination: ofTable(name) } }),
  ],
  registerTable: [
    (name) => ({ path: '/v1/namespaces/secret/register', body: { name, 'metadata-location': '/nowhere/m.metadata.json' } }),
  ],
  updateTable: [(name) => ({ path: `${tables}/${name}`, body: { ...commit, identifier: ofTable(name) } })],
  commitTransaction: [
    (name) => ({
      path: '/v1/transactions/commit',
      body: {
        'table-changes': [
          { identifier: own, ...commit },
          { identifier: ofTable(name), ...commit },
        ],
      },
    }),
  ],
  reportMetrics: [
    (name) => ({
      path: `${tables}/${name}/metrics`,
      body: { 'report-type': 'scan-report', 'table-name': name, 'snapshot-id': 1 },
    }),
  ],
  planTableScan: [(name) => ({ path: `${tables}/${name}/plan`, body: {} })],
  fetchPlanningResult: [(name) => ({ path: `${tables}/${name}/plan/x` })],
  cancelPlanning: [(name) => ({ path: `${tables}/${name}/plan/x`, method: 'DELETE' })],
  fetchScanTasks: [(name) => ({ path: `${tables}/${name}/tasks`, body: { 'plan-task': 'x' } })],
  listViews: [],
  createView: [(name) => ({ path: '/v1/namespaces/secret/views', body: viewOf(name) })],
  loadView: [(name) => ({ path: `/v1/namespaces/secret/views/${name}` })],
  viewExists: [(name) => ({ path: `/v1/namespaces/secret/views/${name}`, method: 'HEAD' })],
  replaceView: [(name) => ({ path: `/v1/namespaces/secret/views/${name}`, body: { requirements: [], updates: [] } })],
  dropView: [(name) => ({ path: `/v1/namespaces/secret/views/${name}`, method: 'DELETE' })],
  renameView: [
    (name) => ({
      path: '/v1/views/rename',
      body: { source: ofTable(name), destination: { namespace: ['features'], name: 'mine' } },
    }),
  ],
  registerView: [
    (name) => ({ path: '/v1/namespaces/secret/register-view', body: { name, 'metadata-location': '/nowhere/m.metadata.json' } }),
  ],
};

/** The same about namespaces. */
const aboutNamespaces: Readonly<Record<string, readonly Ask[]>> = {
  listNamespaces: [(name) => ({ path: `/v1/namespaces?parent=${name}` })],
  createNamespace: [(name) => ({ path: '/v1/namespaces', body: { namespace: [name] } })],
  loadNamespaceMetadata: [(name) => ({ path: `/v1/namespaces/${name}` })],
  namespaceExists: [(name) => ({ path: `/v1/namespaces/${name}`, method: 'HEAD' })],
  dropNamespace: [(name) => ({ path: `/v1/namespaces/${name}`, method: 'DELETE' })],
  updateProperties: [(name) => ({ path: `/v1/namespaces/${name}/properties`, body: { updates: { a: 'b' } } })],
  listTables: [(name) => ({ path: `/v1/namespaces/${name}/tables` })],
  listViews: [(name) => ({ path: `/v1/namespaces/${name}/views` })],
};

async function told(who: Who, ask: Ask, name: string): Promise<string> {
  const { path, ...request } = ask(name);
  const { status, text } = await as(who, path, request);
  expect(status, path).toBeGreaterThanOrEqual(400);
  for (const trace of lakehouse.hiddenTraces) expect(text, path).not.toContain(trace);
  return `${status} ${text}`.replaceAll(name, 'NAME');
}

describe('over REST, what may not be read is refused as what does not exist', () => {
  test('the questions are about all there is', () => {
    const served = routes.filter(({ isServed }) => isServed === undefined).map(({ operation }) => operation);
    // Neither is about a thing of the catalog.
    const others = new Set(['getConfig', 'getToken']);
    expect([...new Set([...Object.keys(questions), ...Object.keys(aboutNamespaces)])].sort()).toEqual(
      served.filter((operation) => !others.has(operation)).sort(),
    );
  });

  test.each(['fay', 'adm', 'nil'] as const)('to %s', async (who) => {
    for (const [operation, asks] of Object.entries(questions)) {
      for (const ask of asks) {
        const isView = operation.endsWith('View') || operation === 'viewExists';
        const hidden = await told(who, ask, isView ? view : table);
        expect(hidden, operation).toBe(await told(who, ask, `${secret}_nought`));
        if (operation.endsWith('Exists')) expect(hidden).toMatch(/^404/);
      }
    }
    for (const [operation, asks] of Object.entries(aboutNamespaces))
      for (const ask of asks) expect(await told(who, ask, 'secret'), operation).toBe(await told(who, ask, 'nought'));
  });

  test('lists hold what may be read, page by page, and the cursors say no more', async () => {
    const { body } = await as('fay', '/v1/namespaces');
    expect(body.namespaces).toEqual([['features'], ['training']]);
    expect((await as('fay', '/v1/namespaces/training/tables')).body.identifiers).toEqual([]);
    const names: string[] = [];
    for (let token = ''; ; ) {
      const page = (await as('fay', `/v1/namespaces/features/tables?pageSize=1&pageToken=${token}`)).body;
      names.push(...page.identifiers.map(({ name }: { readonly name: string }) => name));
      if (page['next-page-token'] == null) break;
      token = page['next-page-token'];
      expect(Buffer.from(token, 'base64url').toString()).not.toMatch(new RegExp(secret));
    }
    expect(names).toEqual(['computed', 'copy', 'plain']);
    for (const who of ['adm', 'nil'] as const) expect((await as(who, '/v1/namespaces')).body.namespaces).toEqual([]);
    // All but Icecore's own, which has to be granted by name.
    const ofBen = (await as('ben', '/v1/namespaces')).body.namespaces.flat();
    expect(ofBen).toContain('secret');
    expect(ofBen).not.toContain('icecore');
    expect((await as('ben', '/v1/namespaces/icecore/tables/runs')).status).toBe(404);
    expect((await as('rita', '/v1/namespaces/icecore/tables/runs')).status).toBe(200);
  });

  test('a table that may be read tells of no other', async () => {
    for (const name of ['plain', 'computed', 'copy']) {
      const { status, text } = await as('fay', `/v1/namespaces/features/tables/${name}`);
      expect(status).toBe(200);
      for (const trace of [secret, ...lakehouse.hiddenTraces]) expect(text).not.toContain(trace);
    }
    const pinned = await as('rita', '/v1/namespaces/features/tables/plain');
    expect(pinned.text).toContain(`training-set/${secret}_training/v1`);
    // Not even in the answer to a commit.
    const changed = await as('fay', '/v1/namespaces/features/tables/plain', { body: commit });
    expect([changed.status, changed.text.includes(secret)]).toEqual([200, false]);
    const unpin = {
      requirements: [],
      updates: [{ action: 'remove-snapshots', 'snapshot-ids': [pinned.body.metadata['current-snapshot-id']] }],
    };
    const refused = await as('fay', '/v1/namespaces/features/tables/plain', { body: unpin });
    expect(refused.status).toBeGreaterThanOrEqual(400);
    expect(refused.text).not.toContain(secret);
  });

  test('who may only read is told which grant is missing', async () => {
    for (const [path, request] of [
      ['/v1/namespaces/features/tables/plain', { body: commit }],
      ['/v1/namespaces/features/tables/plain', { method: 'DELETE' }],
      ['/v1/namespaces/features/tables', { body: { name: 'new', schema } }],
      ['/v1/namespaces/features/properties', { body: { updates: { a: 'b' } } }],
      ['/v1/namespaces/features', { method: 'DELETE' }],
      ['/v1/namespaces', { body: { namespace: ['features', 'below'] } }],
      ['/v1/tables/rename', { body: { source: own, destination: { namespace: ['features'], name: 'other' } } }],
    ] as const) {
      expect(refusalOf(await as('lou', path, request)), path).toMatch(
        /^403 ForbiddenException: lou may not .*takes a grant to write/,
      );
    }
  });

  test('who sees a definition is not theirs to say', async () => {
    for (const [name, text] of [
      ['icecore.feature.definition-reads', '[]'],
      // Who may read more would compute it, and put into fay's table what she may not read.
      ['icecore.feature.definition', `SELECT * FROM secret.${secret}_vault`],
    ] as const) {
      const updates = [{ action: 'set-properties', updates: { [name]: text } }];
      expect((await as('fay', '/v1/namespaces/features/tables/computed', { body: { updates } })).status).toBe(400);
      const body = { name: 'defined', schema, properties: { [name]: text } };
      expect((await as('fay', '/v1/namespaces/features/tables', { body })).status).toBe(400);
      expect((await as('fay', '/v1/namespaces/features/tables', { body: { ...body, 'stage-create': true } })).status).toBe(400);
    }
  });

  test('a uuid that is taken does not tell by what', async () => {
    const { access, tables } = lakehouse.server.icecore;
    const { uuid } = await access.asServer(() => tables.load({ namespace: ['secret'], name: `${secret}_vault` }));
    const updates = [
      { action: 'assign-uuid', uuid },
      { action: 'add-schema', schema: { ...schema, 'schema-id': 0 }, 'last-column-id': 1 },
      { action: 'set-current-schema', 'schema-id': -1 },
      { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
      { action: 'set-default-spec', 'spec-id': -1 },
      { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
      { action: 'set-default-sort-order', 'sort-order-id': -1 },
    ];
    const body = { requirements: [{ type: 'assert-create' }], updates };
    const { status, text } = await as('fay', '/v1/namespaces/features/tables/twin', { body });
    expect([status, text.includes(secret)]).toEqual([409, false]);
  });
});
