import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseForeignAddress } from '../../../src/catalog/foreign/foreign-address.ts';
import { ForeignClient } from '../../../src/catalog/foreign/foreign-client.ts';
import { ManualClock } from '../../../src/clock.ts';

interface Reply {
  readonly status?: number;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

let server: Server;
let origin: string;
let requests: string[];
/** What is answered, by method and path; several are answered one after the other, and the last again and again. */
let replies: Map<string, Reply[]>;

beforeEach(async () => {
  requests = [];
  replies = new Map();
  server = createServer(async (request, response) => {
    const key = `${request.method} ${request.url}`;
    requests.push([key, request.headers.authorization ?? '', await bodyOf(request)].filter((part) => part !== '').join(' '));
    const known = replies.get(key) ?? [];
    const reply = (known.length > 1 ? known.shift() : known[0]) ?? { status: 404 };
    response.writeHead(reply.status ?? 200, { 'content-type': 'application/json', ...reply.headers });
    response.end(reply.body === undefined ? '' : JSON.stringify(reply.body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => server.close());

const clock = new ManualClock(1_000_000_000_000_000n);
const connect = (address = origin) => ForeignClient.connect(parseForeignAddress(address), clock);

test('its configuration says where things are and how namespaces are put together; what is overridden wins', async () => {
  replies.set('GET /v1/config?warehouse=a%20b', [
    {
      body: { defaults: { prefix: 'theirs' }, overrides: { prefix: 'x/y', 'namespace-separator': '%2E' }, endpoints: ['A', 'B'] },
    },
  ]);
  replies.set('GET /v1/x/y/namespaces/a.b%20c/tables/t%2F1', [{ body: { found: true } }]);
  const client = await connect(`${origin}/?warehouse=a%20b`);
  const path = client.objectPath('tables', { namespace: ['a', 'b c'], name: 't/1' });
  expect(await client.find(path)).toEqual({ found: true });
  expect(await client.find('/namespaces/none')).toBeNull();
  expect([client.serves('A', false), client.serves('C', true)]).toEqual([true, false]);
});

test('an answer that does not come is asked for again', async () => {
  replies.set('GET /v1/config', [{ status: 503 }, { status: 429 }, { body: { defaults: {}, overrides: {} } }]);
  const client = await connect();
  expect(requests).toHaveLength(3);
  expect(client.serves('A', true)).toBe(true);
  replies.set('GET /v1/namespaces/raw', [{ status: 500 }]);
  await expect(client.find('/namespaces/raw')).rejects.toMatchObject({
    code: 'OVERLOADED',
    retryable: true,
    message: expect.stringContaining('status 500'),
  });
});

test('all pages of a list are read, and one that goes in circles is refused', async () => {
  replies.set('GET /v1/config', [{ body: {} }]);
  const client = await connect();
  const page = (token: string) => `GET /v1/namespaces?pageToken=${token}&pageSize=1000`;
  replies.set(page(''), [{ body: { namespaces: [['a']], 'next-page-token': 'n/1' } }]);
  replies.set(page('n%2F1'), [{ body: { namespaces: [['b']], 'next-page-token': '' } }]);
  expect(await client.list('/namespaces', 'namespaces')).toEqual([['a'], ['b']]);
  expect(await client.list('/views', 'identifiers')).toEqual([]);
  replies.set(page('n%2F1'), [{ body: { namespaces: [['b']], 'next-page-token': 'n/1' } }]);
  await expect(client.list('/namespaces', 'namespaces')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
});

test('a token is asked for once, kept, renewed before it ends and once more where it is refused', async () => {
  let given = 0;
  const token = () => ({ body: { access_token: `t${++given}`, expires_in: 1000 } });
  replies.set('POST /tokens', [token(), token(), token(), token()]);
  replies.set('GET /v1/config', [{ body: {} }]);
  replies.set('GET /v1/namespaces/raw', [{ body: {} }]);
  const address = `${origin.replace('//', '//me:my%20secret@')}?scope=all&oauth2-server-uri=${encodeURIComponent(`${origin}/tokens`)}`;
  const client = await connect(address);
  await Promise.all([client.find('/namespaces/raw'), client.find('/namespaces/raw')]);
  expect(requests).toEqual([
    'POST /tokens grant_type=client_credentials&client_id=me&client_secret=my+secret&scope=all',
    'GET /v1/config Bearer t1',
    'GET /v1/namespaces/raw Bearer t1',
    'GET /v1/namespaces/raw Bearer t1',
  ]);
  clock.advance(801_000_000n);
  await client.find('/namespaces/raw');
  expect(requests.slice(-2).map((line) => line.slice(0, 40))).toEqual([
    'POST /tokens grant_type=client_credentia',
    'GET /v1/namespaces/raw Bearer t2',
  ]);
  replies.set('GET /v1/namespaces/raw', [{ status: 401 }, { body: {} }]);
  expect(await client.find('/namespaces/raw')).toEqual({});
  expect(requests.at(-1)).toBe('GET /v1/namespaces/raw Bearer t3');
  replies.set('GET /v1/namespaces/raw', [{ status: 401 }]);
  await expect(client.find('/namespaces/raw')).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('credential'),
  });
});

test('it is led nowhere else, and told what it was refused with', async () => {
  replies.set('GET /v1/config', [{ body: {} }]);
  const client = await connect();
  replies.set('GET /v1/namespaces/raw', [{ status: 302, headers: { location: `${origin}/elsewhere` } }]);
  await expect(client.find('/namespaces/raw')).rejects.toMatchObject({ code: 'FAILED_PRECONDITION' });
  expect(requests.some((line) => line.includes('elsewhere'))).toBe(false);
  replies.set('GET /v1/namespaces/raw', [{ status: 400, body: { error: { message: 'No such thing', type: 'X', code: 400 } } }]);
  await expect(client.find('/namespaces/raw')).rejects.toThrow(/status 400, "No such thing"/);
});

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
