import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ApiKeys } from '../../src/access/api-keys.ts';
import { systemClock } from '../../src/clock.ts';
import { HttpServer } from '../../src/http/server.ts';
import { requestBodyBytesMax } from '../../src/limits.ts';
import { startTestServer, type TestServer } from './test-server.ts';

const keys = JSON.stringify([
  { key: 'scientist-key', subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
  { key: 'viewer-key', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] },
  { key: 'expired-key', subject: 'old', kind: 'SERVICE', roles: ['admin'], expiresAt: '2001-01-01T00:00:00Z' },
]);

let open: TestServer;
let guarded: TestServer;
beforeAll(async () => {
  open = await startTestServer();
  guarded = await startTestServer({ keys });
});
afterAll(async () => {
  await open.close();
  await guarded.close();
});

interface Raw {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** With whatever headers: `fetch` does not let some be set. */
function send(
  server: TestServer,
  path: string,
  options: { readonly method?: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string } = {},
): Promise<Raw> {
  return new Promise((resolve, reject) => {
    const { method = 'GET', headers = {}, body } = options;
    const sent = request(`${server.origin}${path}`, { method, headers: { ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
    });
    sent.on('error', reject).end(body);
  });
}

const json = { 'content-type': 'application/json' };
const typename = JSON.stringify({ query: '{ __typename }' });

describe('the listener', () => {
  it('says that it is alive and ready, and only on its own paths', async () => {
    for (const path of ['/health', '/health/live', '/health/ready']) expect((await send(open, path)).status).toBe(200);
    const swallowed = await send(open, '/graphql?query=%7B__typename%7D&x=/health');
    expect(JSON.parse(swallowed.body)).toEqual({ data: { __typename: 'Query' } });
    expect((await send(open, '/nothing')).status).toBe(404);
  });

  it('gives other origins nothing', async () => {
    const headers = { origin: 'https://evil.example', 'access-control-request-method': 'POST' };
    const preflight = await send(guarded, '/graphql', { method: 'OPTIONS', headers });
    expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
    const answer = await send(guarded, '/graphql', {
      method: 'POST',
      headers: { ...json, origin: 'https://evil.example' },
      body: typename,
    });
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('without access control takes requests under a loopback name and from loopback pages only', async () => {
    const rebound = await send(open, '/graphql', { method: 'POST', headers: { ...json, host: 'evil.example' }, body: typename });
    const page = await send(open, '/graphql', {
      method: 'POST',
      headers: { ...json, origin: 'https://evil.example' },
      body: typename,
    });
    const own = await send(open, '/graphql', { method: 'POST', headers: { ...json, origin: open.origin }, body: typename });
    expect([rebound.status, page.status, own.status]).toEqual([403, 403, 200]);
    const options = { host: '0.0.0.0', port: 0 };
    await expect(HttpServer.start(open.icecore, options)).rejects.toThrow(/ICECORE_API_KEYS/);
    expect((await ApiKeys.load(undefined, systemClock)).inForce).toBe(false);
  });

  it('takes JSON bodies alone', async () => {
    const types = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];
    const statuses = await Promise.all(
      types.map(
        async (type) =>
          (await send(open, '/graphql', { method: 'POST', headers: { 'content-type': type }, body: typename })).status,
      ),
    );
    expect(statuses).toEqual([415, 415, 415]);
  });

  it('makes no change by GET', async () => {
    const query = encodeURIComponent('mutation { dropTable(input: { name: "raw.a" }) { name } }');
    const answer = await send(open, `/graphql?query=${query}`, { headers: { accept: 'application/json' } });
    expect(answer.status).toBe(405);
  });

  it('refuses a body over the limit before it is read, and one that grows beyond it', async () => {
    const big = 'x'.repeat(requestBodyBytesMax + 10);
    const body = JSON.stringify({ query: '{ __typename }', variables: { big } });
    const declared = await send(open, '/graphql', {
      method: 'POST',
      headers: { ...json, 'content-length': String(body.length) },
      body,
    });
    const chunked = await send(open, '/graphql', { method: 'POST', headers: { ...json, 'transfer-encoding': 'chunked' }, body });
    for (const { status, body: text } of [declared, chunked]) {
      expect([status, JSON.parse(text).errors[0].extensions.code]).toEqual([413, 'BAD_USER_INPUT']);
    }
  });

  it('refuses what is nested too deep or costs too much, with its variables', async () => {
    const query =
      'query ($n: Int) { tables(first: $n) { edges { node { snapshots(first: $n) { edges { node { summary } } } } } } }';
    expect((await open.ask(query, { n: 10 })).errors).toBeUndefined();
    const costly = await open.ask(query, { n: 1000 });
    expect([costly.status, costly.errors?.[0]?.extensions.code]).toEqual([400, 'COST_EXCEEDED']);
    const deep = await open.ask(
      `{ table(name: "raw.a") { currentSnapshot { ${'parent { '.repeat(15)} id ${'} '.repeat(15)} } } }`,
    );
    expect(deep.errors?.[0]?.extensions.code).toBe('COST_EXCEEDED');
    const fragments = Array.from({ length: 60 }, (_, at) => `fragment F${at} on Snapshot { ...F${at + 1} ...F${at + 1} }`).join(
      ' ',
    );
    // Walked spread by spread it would never end.
    const bomb = await open.ask(
      `{ table(name: "raw.a") { currentSnapshot { ...F0 } } } ${fragments} fragment F60 on Snapshot { id }`,
    );
    expect(bomb.status).toBe(400);
  });

  it('shows a reference in place of an unexpected error, and keeps the error in the log', async () => {
    const log = vi.spyOn(console, 'error').mockImplementation(() => undefined);
    const find = vi.spyOn(open.icecore.tables, 'find').mockRejectedValue(new Error('the password is swordfish'));
    vi.stubEnv('NODE_ENV', 'development');
    const answer = await open.ask('{ table(name: "raw.a") { id } }');
    vi.unstubAllEnvs();
    find.mockRestore();
    const [error] = answer.errors ?? [];
    expect(error?.extensions.code).toBe('INTERNAL');
    expect(JSON.stringify(answer)).not.toContain('swordfish');
    const logged = log.mock.calls.map(([line]) => String(line)).join('\n');
    log.mockRestore();
    expect(logged).toContain('the password is swordfish');
    expect(logged).toContain(String(error?.extensions.reference));
  });

  it('knows callers by their keys, and tells the others nothing but the type’s name', async () => {
    const query = '{ viewer { actor { id kind } roles } }';
    expect((await guarded.ask(query, {}, 'scientist-key')).data.viewer).toEqual({
      actor: { id: 'ada', kind: 'HUMAN' },
      roles: ['scientist'],
    });
    for (const key of [undefined, 'no-such-key', 'expired-key']) {
      const refused = await guarded.ask(query, {}, key);
      expect([refused.status, refused.errors?.[0]?.extensions.code]).toEqual([401, 'UNAUTHENTICATED']);
      expect((await guarded.ask('{ __typename }', {}, key)).data).toEqual({ __typename: 'Query' });
      expect((await guarded.ask('{ __typename viewer { roles } }', {}, key)).status).toBe(401);
      expect((await guarded.ask('{ __schema { queryType { name } } }', {}, key)).status).toBe(401);
    }
    expect((await guarded.ask(query, {}, 'expired-key')).errors?.[0]?.message).toMatch(/expired/);
  });

  it('keeps what roles may not do from them, and records that they tried', async () => {
    const create = 'mutation { createTable(input: { name: "raw.a", columns: [{ name: "a", type: "int" }] }) { table { name } } }';
    const refused = await guarded.ask(create, {}, 'viewer-key');
    expect([refused.errors?.[0]?.extensions.code, refused.errors?.[0]?.message]).toEqual([
      'FORBIDDEN',
      expect.stringMatching(/scientist/),
    ]);
    expect((await guarded.ask(create, {}, 'scientist-key')).errors).toBeUndefined();
    const log = await guarded.ask('{ auditLog(first: 5) { edges { node { action outcome actor { id } } } } }', {}, 'viewer-key');
    expect(log.data.auditLog.edges.map((edge: { node: unknown }) => edge.node)).toEqual([
      { action: 'createTable', outcome: 'SUCCEEDED', actor: { id: 'ada' } },
      { action: 'createTable', outcome: 'FORBIDDEN', actor: { id: 'vera' } },
    ]);
  });

  it('shows GraphiQL with nothing from elsewhere', async () => {
    const response = await fetch(`${open.origin}/graphql`, { headers: { accept: 'text/html' } });
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
    const page = await response.text();
    expect(page).toContain('query Lineage(');
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/);
  });
});
