import { readFile } from 'node:fs/promises';
import { request as send } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { requestBodyBytesMax, restJsonDepthMax } from '../../../src/limits.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestRequest, refusalOf } from './rest-client.ts';

const keys = JSON.stringify([
  { key: 'scientist-key', subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
  { key: 'viewer-key', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] },
  { key: 'admin-key', subject: 'otto', kind: 'HUMAN', roles: ['admin'] },
]);

let open: TestServer;
let guarded: TestServer;
let specified: readonly string[];
beforeAll(async () => {
  open = await startTestServer();
  guarded = await startTestServer({ keys });
  const file = await readFile(new URL('specification-operations.json', import.meta.url), 'utf8');
  specified = JSON.parse(file).operations;
});
afterAll(async () => {
  await open.close();
  await guarded.close();
});

/** A request to an operation of the specification, about things that do not exist. */
function probe(endpoint: string): { readonly path: string; readonly request: RestRequest } {
  const [method = '', pattern = ''] = endpoint.split(' ');
  const path = pattern.replace('{prefix}/', '').replaceAll(/\{[^}]+\}/g, 'nothing');
  return { path, request: method === 'POST' ? { method, body: {} } : { method } };
}

describe('the list of endpoints', () => {
  it('is of the specification, and lists everything that answers', async () => {
    const { endpoints } = (await askRest(open, '/v1/config')).body;
    expect(specified).toEqual(expect.arrayContaining(endpoints));
    expect(new Set(endpoints).size).toBe(endpoints.length);
    for (const endpoint of specified) {
      const { path, request } = probe(endpoint);
      const { status, body } = await askRest(open, path, request);
      const isServed = status !== 405 && !(status === 404 && body?.error.type === 'NoSuchEndpointException');
      expect(isServed, `${endpoint}: ${status}`).toBe(endpoints.includes(endpoint));
    }
  });

  it('has what clients cannot do without', async () => {
    const { body } = await askRest(open, '/v1/config');
    // What Java's clients take for granted where nothing is advertised, and what PyIceberg and DuckDB ask for.
    const table = '/v1/{prefix}/namespaces/{namespace}/tables/{table}';
    expect(body.endpoints).toEqual(
      expect.arrayContaining([
        'GET /v1/{prefix}/namespaces',
        'POST /v1/{prefix}/namespaces',
        'GET /v1/{prefix}/namespaces/{namespace}',
        'HEAD /v1/{prefix}/namespaces/{namespace}',
        'DELETE /v1/{prefix}/namespaces/{namespace}',
        'POST /v1/{prefix}/namespaces/{namespace}/properties',
        'GET /v1/{prefix}/namespaces/{namespace}/tables',
        'POST /v1/{prefix}/namespaces/{namespace}/tables',
        'POST /v1/{prefix}/namespaces/{namespace}/register',
        `GET ${table}`,
        `HEAD ${table}`,
        `POST ${table}`,
        `DELETE ${table}`,
        'POST /v1/{prefix}/tables/rename',
        'POST /v1/{prefix}/transactions/commit',
      ]),
    );
  });
});

describe('the configuration', () => {
  it('is given for the one warehouse, by any of its names', async () => {
    const names = [
      '',
      '?warehouse=',
      '?warehouse=main',
      '?warehouse=icecore',
      `?warehouse=${encodeURIComponent(open.icecore.tables.warehouse)}`,
    ];
    for (const query of names) {
      const { status, body } = await askRest(open, `/v1/config${query}`);
      expect([status, Object.keys(body)]).toEqual([200, ['defaults', 'overrides', 'endpoints', 'idempotency-key-lifetime']]);
    }
    expect(refusalOf(await askRest(open, '/v1/config?warehouse=other'))).toContain(
      '404 NoSuchWarehouseException: Warehouse does not exist: other',
    );
  });
});

describe('a request', () => {
  it('to a path that is none is 404, with a method that is not served there 405', async () => {
    for (const path of ['', '/', '/v1', '/v1/nothing', '/v1/namespaces/', '/v2/config', '/v1/config/', '/v1//config']) {
      expect(refusalOf(await askRest(open, path)), path).toContain('404 NoSuchEndpointException');
    }
    const refused = await askRest(open, '/v1/namespaces', { method: 'DELETE' });
    expect([refused.status, refused.body.error.type, refused.headers.get('allow')]).toEqual([
      405,
      'MethodNotAllowedException',
      'GET, POST',
    ]);
  });

  it('is answered in the shape of the specification whatever is wrong with it, and never with a stack', async () => {
    for (const body of [
      '',
      '{',
      'null',
      '[]',
      '"text"',
      '{"namespace":1}',
      '{"namespace":["a",2]}',
      '{}',
      '{"namespace":["a"],"properties":{"a":1}}',
    ]) {
      const { body: answer, status } = await askRest(open, '/v1/namespaces', { body });
      expect(status, body).toBe(400);
      expect(Object.keys(answer)).toEqual(['error']);
      expect(answer.error, body).toEqual({ message: expect.any(String), type: 'BadRequestException', code: 400 });
    }
    const text = await askRest(open, '/v1/namespaces', { body: '{}', headers: { 'content-type': 'text/plain' } });
    expect(refusalOf(text)).toContain('400 BadRequestException: The content type text/plain');
  });

  it('may be nested deep, but not without end', async () => {
    const nested = (depth: number) => `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    const deep = refusalOf(await askRest(open, '/v1/namespaces', { body: nested(restJsonDepthMax) }));
    expect(deep).toContain(`nested more than ${restJsonDepthMax} deep`);
    const worse = refusalOf(await askRest(open, '/v1/namespaces', { body: nested(1_000_000) }));
    expect(worse).toContain('400 BadRequestException');
    // Brackets in texts nest nothing.
    const texts = `{"namespace":["${'['.repeat(10_000)}\\"${'{'.repeat(10_000)}"]}`;
    expect(refusalOf(await askRest(open, '/v1/namespaces', { body: texts }))).toContain('more than 128 characters');
    const schema = { type: 'struct', fields: deepField(50) };
    await askRest(open, '/v1/namespaces', { body: { namespace: ['deep'] } });
    const table = await askRest(open, '/v1/namespaces/deep/tables', { body: { name: 'deep', schema } });
    expect(table.text.slice(0, 300)).toContain('metadata-location');
  });

  it('may have a large body, but not one without end', async () => {
    const large = await askRest(open, '/v1/namespaces', {
      body: { namespace: ['large'], properties: { a: 'x'.repeat(300_000) } },
    });
    expect(refusalOf(large)).toContain('400 BadRequestException: The properties of a namespace take');
    expect(await sendLarge(open, false)).toContain('BadRequestException');
    expect(await sendLarge(open, true)).toContain('BadRequestException');
  });

  it('of a page of another origin is refused where nobody is asked for a key', async () => {
    const refused = await askRest(open, '/v1/config', { headers: { origin: 'https://evil.example' } });
    expect(refusalOf(refused)).toContain('403 ForbiddenException');
    expect(refused.headers.get('access-control-allow-origin')).toBeNull();
  });
});

describe('a caller', () => {
  it('without a key learns nothing, not even which paths there are', async () => {
    for (const path of ['/v1/config', '/v1/namespaces', '/v1/nothing']) {
      for (const key of [undefined, 'made-up-key']) {
        const refused = await askRest(guarded, path, key === undefined ? {} : { key });
        expect(refusalOf(refused)).toMatch(/^401 NotAuthorizedException: /);
        expect(refused.headers.get('www-authenticate')).toBe('Bearer');
      }
    }
    expect((await askRest(guarded, '/v1/config', { key: 'viewer-key' })).status).toBe(200);
  });

  it('needs a role for changes, and a refused attempt is recorded', async () => {
    const refused = await askRest(guarded, '/v1/namespaces', { key: 'viewer-key', body: { namespace: ['mine'] } });
    expect(refusalOf(refused)).toContain('403 ForbiddenException: vera may not create namespaces');
    const own = await askRest(guarded, '/v1/namespaces/icecore/properties', { key: 'admin-key', body: { updates: { a: '1' } } });
    expect(refusalOf(own)).toContain('403 ForbiddenException');
    await askRest(guarded, '/v1/namespaces/dotted.one%1Ftwo/tables/t.u', { key: 'viewer-key', method: 'DELETE' });
    await vi.waitFor(async () => {
      const { data } = await guarded.ask(
        '{ auditLog { edges { node { actor { id } action subject outcome } } } }',
        {},
        'admin-key',
      );
      expect(data.auditLog.edges.map(({ node }: { node: unknown }) => node)).toEqual(
        expect.arrayContaining([
          { actor: { id: 'vera' }, action: 'createNamespace', subject: 'server', outcome: 'FORBIDDEN' },
          { actor: { id: 'vera' }, action: 'dropTable', subject: 'table/"dotted.one".two."t.u"', outcome: 'FORBIDDEN' },
          { actor: { id: 'otto' }, action: 'updateProperties', subject: 'namespace/icecore', outcome: 'FORBIDDEN' },
        ]),
      );
    });
  });
});

function deepField(depth: number): readonly unknown[] {
  const type = depth === 0 ? 'long' : { type: 'struct', fields: deepField(depth - 1) };
  return [{ id: depth + 1, name: `f${depth}`, required: false, type }];
}

/** More than a body may have, announced or not; the text of the answer. */
function sendLarge({ origin }: TestServer, chunked: boolean): Promise<string> {
  return new Promise((resolve, reject) => {
    const body = Buffer.alloc(requestBodyBytesMax + 1, ' ');
    const headers = { 'content-type': 'application/json', ...(chunked ? {} : { 'content-length': body.byteLength }) };
    const sent = send(`${origin}/iceberg/v1/namespaces`, { method: 'POST', headers }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    // The answer may come before all of it is sent.
    sent.on('error', () => undefined);
    sent.end(body);
  });
}
