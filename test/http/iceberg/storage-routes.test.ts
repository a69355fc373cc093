import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { noObjectStore, type ObjectStore, startObjectStore } from '../../s3/seaweedfs.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestAnswer, type RestRequest, refusalOf } from './rest-client.ts';

const reason = noObjectStore();
if (reason !== null) console.log(reason);

const writerSecret = 'secret-of-scoped-writer';
const readerSecret = 'secret-of-scoped-reader';
const serverSecret = 'testsecret123';
const keys = JSON.stringify([
  { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['scientist', 'admin'] },
  { key: 'key-of-vera', subject: 'vera', kind: 'HUMAN', roles: ['viewer'] },
  { key: 'key-of-eve', subject: 'eve', kind: 'HUMAN', roles: ['scientist'] },
]);
const grants = JSON.stringify([
  { subject: 'ada', on: '*', may: 'write' },
  { subject: 'ada', on: 'icecore', may: 'read' },
  { subject: 'vera', on: 'raw', may: 'read' },
  { subject: 'eve', on: 'other', may: 'write' },
]);
const vended = { 'x-iceberg-access-delegation': 'vended-credentials' };
const signed = { 'x-iceberg-access-delegation': 'remote-signing' };
const schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'id', type: 'long', required: false }] };

describe.skipIf(reason !== null)('tables on S3', () => {
  let store: ObjectStore;
  let server: TestServer;
  /** With credentials and with settings of the store for clients. */
  let vending: TestServer;
  let endpoint: string;

  beforeAll(async () => {
    store = await startObjectStore();
    endpoint = store.environment.AWS_ENDPOINT_URL_S3 ?? '';
    for (const [name, value] of Object.entries(store.environment)) vi.stubEnv(name, value);
    server = await startTestServer({ keys, grants, environment: { ICECORE_WAREHOUSE: `s3://${store.bucket}/scoped/one` } });
    const credential = (key: string, more: object) => ({ prefix: `s3://${store.bucket}/scoped`, accessKeyId: key, ...more });
    vending = await startTestServer({
      keys,
      grants,
      environment: {
        ICECORE_WAREHOUSE: `s3://${store.bucket}/scoped/two`,
        ICECORE_ALLOWED_LOCATIONS: `s3://${store.bucket}/beside`,
        ICECORE_CLIENT_S3_ENDPOINT: endpoint,
        ICECORE_CLIENT_S3_REGION: 'us-east-1',
        ICECORE_STORAGE_CREDENTIALS: JSON.stringify([
          credential('scoped-writer', { secretAccessKey: writerSecret }),
          credential('scoped-reader', { secretAccessKey: readerSecret, for: 'read' }),
        ]),
      },
    });
    for (const each of [server, vending]) {
      for (const namespace of ['raw', 'other']) await ask(each, '/v1/namespaces', { body: { namespace: [namespace] } });
    }
  }, 300_000);

  afterAll(async () => {
    await server?.close();
    await vending?.close();
    await store?.stop();
    vi.unstubAllEnvs();
  });

  async function ask(at: TestServer, path: string, request: RestRequest = {}): Promise<RestAnswer> {
    return await askRest(at, path, { key: 'key-of-ada', ...request });
  }

  async function create(
    at: TestServer,
    name: string,
    body: object = {},
    headers: Record<string, string> = {},
  ): Promise<RestAnswer> {
    return await ask(at, '/v1/namespaces/raw/tables', { body: { name, schema, ...body }, headers });
  }

  /** The store's answer to a request that Icecore signed; the sign endpoint's own where it did not. */
  async function throughSignature(
    path: string,
    request: {
      readonly method: string;
      readonly uri: string;
      readonly headers?: Record<string, readonly string[]>;
      readonly body?: string;
    },
    key = 'key-of-ada',
    at = server,
  ): Promise<{ readonly answer: RestAnswer; readonly response: Response | null }> {
    const { method, uri, headers = {}, body } = request;
    const isDeletion = new URL(uri).search === '?delete';
    const asked = { region: 'us-east-1', method, uri, headers, ...(isDeletion ? { body, provider: 's3' } : {}) };
    const answer = await ask(at, `/${path}`, { body: asked, key });
    if (answer.status !== 200) return { answer, response: null };
    const sent = new Headers();
    for (const [name, values] of Object.entries({ ...headers, ...answer.body.headers })) sent.set(name, String(values));
    sent.delete('host');
    return { answer, response: await fetch(answer.body.uri, { method, headers: sent, ...(body === undefined ? {} : { body }) }) };
  }

  test('a table is made, committed to and loaded, by clients and by Icecore', async () => {
    const made = await create(server, 'plain');
    expect(made.status).toBe(200);
    expect(made.body.metadata.location).toMatch(new RegExp(`^s3://${store.bucket}/scoped/one/raw/plain-[0-9a-f]{8}$`));
    expect(made.body.config).toEqual({});
    expect(made.body['storage-credentials']).toBeUndefined();
    const commit = { requirements: [], updates: [{ action: 'set-properties', updates: { owner: 'ada' } }] };
    const committed = await ask(server, '/v1/namespaces/raw/tables/plain', { body: commit });
    expect(committed.status).toBe(200);
    const loaded = await ask(server, '/v1/namespaces/raw/tables/plain');
    expect(loaded.body.metadata.properties.owner).toBe('ada');
    expect(loaded.body['metadata-location']).toBe(committed.body['metadata-location']);
    const written = await server.ask(
      'mutation { writeRows(input: { table: "raw.plain", rows: { json: [{ id: 7 }] } }) { __typename } }',
      {},
      'key-of-ada',
    );
    expect(written.errors).toBeUndefined();
    const rows = await server.ask('{ sql(statement: "SELECT id FROM raw.plain") { rows } }', {}, 'key-of-ada');
    expect(rows.data.sql.rows).toEqual([{ id: '7' }]);
    const dropped = await ask(server, '/v1/namespaces/raw/tables/plain?purgeRequested=true', { method: 'DELETE' });
    expect(dropped.status).toBe(204);
    expect(await Array.fromAsync(server.icecore.tables.storage.list(`${made.body.metadata.location}/`))).toEqual([]);
  });

  test('a plan of a scan comes with credentials for reading, to who asks for them', async () => {
    await create(vending, 'planned');
    const plan = (headers: Record<string, string>) =>
      ask(vending, '/v1/namespaces/raw/tables/planned/plan', { body: {}, headers });
    const given = await plan(vended);
    expect(given.body).toMatchObject({ status: 'completed', 'file-scan-tasks': [] });
    expect(given.body['storage-credentials']).toEqual([
      { prefix: `s3://${store.bucket}/scoped`, config: expect.objectContaining({ 's3.access-key-id': 'scoped-reader' }) },
    ]);
    expect(given.headers.get('cache-control')).toBe('no-store');
    expect(given.text).not.toContain(writerSecret);
    expect((await plan({})).body['storage-credentials']).toBeUndefined();
  });

  test('a table elsewhere is refused, and one at an allowed location is kept as it was spelled', async () => {
    for (const location of [`s3://${store.bucket}/elsewhere/t`, 's3://another/scoped/two/t', 'file:///tmp/t']) {
      expect(refusalOf(await create(vending, 'refused', { location }))).toMatch(
        /^403 ForbiddenException: The location of raw\.refused, /,
      );
    }
    for (const location of [`s3://${store.bucket}/scoped/two/../x`, `gs://${store.bucket}/scoped/two/t`]) {
      expect(refusalOf(await create(vending, 'refused', { location }))).toMatch(/^400 BadRequestException: /);
    }
    const kept = await create(vending, 'kept', { location: `s3a://${store.bucket}/beside/kept/` }, vended);
    expect(kept.body.metadata.location).toBe(`s3a://${store.bucket}/beside/kept`);
    expect(kept.body['storage-credentials']).toBeUndefined();
    expect((await ask(vending, '/v1/namespaces/raw/tables/kept')).status).toBe(200);
  });

  test('the place of a table that a caller may not see is taken all the same', async () => {
    const { body } = await create(vending, 'hidden');
    for (const location of [
      body.metadata.location,
      `${body.metadata.location}/data`,
      `s3://${store.bucket}/scoped/two/icecore`,
    ]) {
      const asked = { body: { name: 'thief', schema, location }, key: 'key-of-eve' };
      const refusal = refusalOf(await ask(vending, '/v1/namespaces/other/tables', asked));
      expect(refusal).toMatch(/^403 ForbiddenException: The location of other\.thief, /);
      expect(refusal).not.toContain('raw.hidden');
    }
  });

  test('what a server has is what it says: endpoints, and how the store is reached', async () => {
    const { body } = await ask(vending, '/v1/config');
    expect(body.endpoints).toEqual(
      expect.arrayContaining([
        'GET /v1/{prefix}/namespaces/{namespace}/tables/{table}/credentials',
        'POST /v1/{prefix}/namespaces/{namespace}/tables/{table}/sign',
      ]),
    );
    expect(body.defaults).toEqual({
      's3.endpoint': endpoint,
      's3.region': 'us-east-1',
      'client.region': 'us-east-1',
      's3.path-style-access': 'true',
    });
    expect((await ask(server, '/v1/config')).body.defaults).toEqual({});
    const local = await startTestServer();
    const { body: without } = await askRest(local, '/v1/config');
    await local.close();
    expect(without.endpoints.filter((name: string) => /credentials|sign/.test(name))).toEqual([]);
  });

  describe('storage credentials', () => {
    const path = '/v1/namespaces/raw/tables/vended';

    beforeAll(async () => {
      await create(vending, 'vended');
    });

    test('are given to who asks for them: for writing, for reading, or none', async () => {
      const config = (key: string, secret: string) => ({
        's3.access-key-id': key,
        's3.secret-access-key': secret,
        's3.endpoint': endpoint,
        's3.region': 'us-east-1',
        'client.region': 'us-east-1',
        's3.path-style-access': 'true',
      });
      const prefix = `s3://${store.bucket}/scoped`;
      for (const [key, expected] of [
        ['key-of-ada', config('scoped-writer', writerSecret)],
        ['key-of-vera', config('scoped-reader', readerSecret)],
      ] as const) {
        const { body, headers } = await ask(vending, path, { key, headers: vended });
        expect(body.config).toEqual(expected);
        expect(body['storage-credentials']).toEqual([{ prefix, config: expected }]);
        expect(headers.get('cache-control')).toBe('private, no-cache');
        const refreshed = await ask(vending, `${path}/credentials`, { key });
        expect(refreshed.body).toEqual({ 'storage-credentials': [{ prefix, config: expected }] });
        expect(refreshed.headers.get('cache-control')).toBe('no-store');
        const plain = await ask(vending, path, { key });
        expect(plain.body.config).toEqual({});
        expect(plain.text).not.toContain('secret');
      }
      for (const each of ['', '/credentials']) {
        expect(refusalOf(await ask(vending, path + each, { key: 'key-of-eve', headers: vended }))).toMatch(
          /^404 NoSuchTableException/,
        );
      }
    });

    test('come with a table that is made or staged too, spelled as its location is', async () => {
      const location = `s3a://${store.bucket}/scoped/two/spelled`;
      for (const body of [{ 'stage-create': true }, {}]) {
        const made = await create(vending, 'spelled', { location, ...body }, vended);
        expect(made.body['storage-credentials']).toEqual([
          { prefix: `s3a://${store.bucket}/scoped`, config: expect.objectContaining({ 's3.access-key-id': 'scoped-writer' }) },
        ]);
      }
    });

    test("icecore's own tables are read, not written", async () => {
      const { body } = await ask(vending, '/v1/namespaces/icecore/tables/audit_log', { headers: vended });
      expect(body.config['s3.access-key-id']).toBe('scoped-reader');
    });

    test('a tag tells answers with them from answers without, and for whom they are', async () => {
      const tag = async (request: RestRequest) => (await ask(vending, path, request)).headers.get('etag') ?? '';
      const tags = [
        await tag({}),
        await tag({ headers: vended }),
        await tag({ headers: signed }),
        await tag({ headers: vended, key: 'key-of-vera' }),
      ];
      expect(new Set(tags).size).toBe(tags.length);
      const again = await ask(vending, path, { headers: { ...vended, 'if-none-match': tags[1] ?? '' } });
      expect([again.status, again.text]).toEqual([304, '']);
      expect((await ask(vending, path, { headers: { 'if-none-match': tags[1] ?? '' } })).status).toBe(200);
    });
  });

  describe('remote signing', () => {
    let location: string;
    let base: string;
    let path: string;

    beforeAll(async () => {
      const { body } = await create(server, 'signed', {}, signed);
      location = body.metadata.location;
      base = location.replace('s3://', `${endpoint}/`);
      path = body.config['signer.endpoint'];
      expect(body.config).toEqual({
        's3.remote-signing-enabled': 'true',
        'signer.endpoint': 'v1/namespaces/raw/tables/signed/sign',
        's3.signer.endpoint': 'v1/namespaces/raw/tables/signed/sign',
        's3.signer': 'S3V4RestSigner',
        'py-io-impl': 'pyiceberg.io.fsspec.FsspecFileIO',
        's3.endpoint': endpoint,
        's3.region': 'us-east-1',
        'client.region': 'us-east-1',
        's3.path-style-access': 'true',
      });
      expect(body['storage-credentials']).toBeUndefined();
    });

    test('a writer writes, reads, lists and removes through signatures', async () => {
      const uri = `${base}/data/a%20b%3Dc%2B%25d.bin`;
      expect((await throughSignature(path, { method: 'PUT', uri, body: 'content' })).response?.status).toBe(200);
      const { answer, response } = await throughSignature(path, { method: 'GET', uri, headers: { range: ['bytes=1-3'] } });
      expect([response?.status, await response?.text()]).toEqual([206, 'ont']);
      expect(answer.headers.get('cache-control')).toBe('private');
      expect(Object.keys(answer.body.headers).toSorted()).toEqual(['authorization', 'x-amz-content-sha256', 'x-amz-date']);
      expect(Buffer.from(await server.icecore.tables.storage.read(`${location}/data/a b=c+%d.bin`)).toString()).toBe('content');
      const prefix = encodeURIComponent(`${location.replace(`s3://${store.bucket}/`, '')}/data/`);
      const listed = await throughSignature(path, {
        method: 'GET',
        uri: `${endpoint}/${store.bucket}?list-type=2&prefix=${prefix}`,
      });
      expect(await listed.response?.text()).toContain('a b=c+%d.bin</Key>');
      expect((await throughSignature(path, { method: 'HEAD', uri })).response?.status).toBe(200);
      expect((await throughSignature(path, { method: 'DELETE', uri })).response?.status).toBe(204);
      expect((await throughSignature(path, { method: 'HEAD', uri })).response?.status).toBe(404);
    });

    test('a file goes up in parts, and many are removed at once', async () => {
      const uri = `${base}/data/parts`;
      const begun = await (await throughSignature(path, { method: 'POST', uri: `${uri}?uploads` })).response?.text();
      const upload = /<UploadId>([^<]+)/.exec(begun ?? '')?.[1] ?? '';
      const part = await throughSignature(path, { method: 'PUT', uri: `${uri}?partNumber=1&uploadId=${upload}`, body: 'part' });
      const etag = part.response?.headers.get('etag') ?? '';
      const body = `<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>${etag}</ETag></Part></CompleteMultipartUpload>`;
      expect((await throughSignature(path, { method: 'POST', uri: `${uri}?uploadId=${upload}`, body })).response?.status).toBe(
        200,
      );
      expect(await server.icecore.tables.storage.size(`${location}/data/parts`)).toBe(4);
      const key = `${location.replace(`s3://${store.bucket}/`, '')}/data/parts`;
      const deletion = `<Delete><Object><Key>${key}</Key></Object><Quiet>true</Quiet></Delete>`;
      const removed = await throughSignature(path, {
        method: 'POST',
        uri: `${endpoint}/${store.bucket}?delete`,
        headers: { 'content-md5': [createHash('md5').update(deletion).digest('base64')] },
        body: deletion,
      });
      expect(removed.response?.status).toBe(200);
      expect(await server.icecore.tables.storage.size(`${location}/data/parts`)).toBeNull();
    });

    test('a reader reads and no more, and who may not read the table learns nothing of it', async () => {
      const metadata = (await ask(server, '/v1/namespaces/raw/tables/signed')).body['metadata-location'];
      const uri = metadata.replace('s3://', `${endpoint}/`);
      expect((await throughSignature(path, { method: 'GET', uri }, 'key-of-vera')).response?.status).toBe(200);
      for (const method of ['PUT', 'DELETE']) {
        const { answer } = await throughSignature(path, { method, uri }, 'key-of-vera');
        expect(refusalOf(answer)).toMatch(/^403 ForbiddenException: vera may read this table and not write it/);
      }
      expect(refusalOf((await throughSignature(path, { method: 'GET', uri }, 'key-of-eve')).answer)).toMatch(
        /^404 NoSuchTableException/,
      );
      expect(refusalOf((await throughSignature(path, { method: 'GET', uri }, 'no-such-key')).answer)).toMatch(/^401 /);
    });

    test('nothing outside the table is signed for', async () => {
      const other = (await create(server, 'unsigned')).body.metadata.location.replace('s3://', `${endpoint}/`);
      for (const uri of [`${other}/metadata/x`, `${base}-2/x`, `${endpoint}/${store.bucket}/x`, `${endpoint}/another/x`]) {
        expect(refusalOf((await throughSignature(path, { method: 'GET', uri })).answer)).toMatch(/^403 ForbiddenException/);
      }
      expect(refusalOf((await throughSignature(path, { method: 'GET', uri: `${base}/../x` })).answer)).toMatch(
        /^400 BadRequestException/,
      );
    });

    test("icecore's own tables are not written through signatures", async () => {
      const own = await ask(server, '/v1/namespaces/icecore/tables/audit_log', { headers: signed });
      const uri = own.body['metadata-location'].replace('s3://', `${endpoint}/`);
      const at = own.body.config['signer.endpoint'];
      expect((await throughSignature(at, { method: 'GET', uri })).response?.status).toBe(200);
      expect(refusalOf((await throughSignature(at, { method: 'PUT', uri, body: 'x' })).answer)).toMatch(/^403 /);
    });

    test('a staged table is written before it is there, by who staged it alone', async () => {
      const { body } = await create(server, 'staged', { 'stage-create': true }, signed);
      const uri = `${body.metadata.location.replace('s3://', `${endpoint}/`)}/data/x`;
      const at = body.config['signer.endpoint'];
      expect(at).toMatch(/^v1\/namespaces\/raw\/tables\/staged\/sign\?staged=/);
      expect((await throughSignature(at, { method: 'PUT', uri, body: 'x' })).response?.status).toBe(200);
      expect((await throughSignature(at.split('?')[0], { method: 'PUT', uri })).answer.status).toBe(404);
      expect((await throughSignature(`${at}x`, { method: 'PUT', uri })).answer.status).toBe(404);
      expect((await throughSignature(at, { method: 'PUT', uri }, 'key-of-vera')).answer.status).toBe(404);
      expect((await throughSignature(at.replace('tables/staged', 'tables/stolen'), { method: 'PUT', uri })).answer.status).toBe(
        404,
      );
      await create(server, 'staged');
      expect((await throughSignature(at, { method: 'PUT', uri })).answer.status).toBe(403);
    });
  });

  test('no secret is told: not in GraphQL, refusals, metadata, the audit log or on disk', async () => {
    const told: string[] = [];
    const kept = vi.spyOn(console, 'error').mockImplementation((...values) => void told.push(values.map(String).join(' ')));
    const paths = ['/v1/namespaces/raw/tables/vended', '/v1/namespaces/raw/tables/nothing', '/v1/config?warehouse=other'];
    for (const path of paths) {
      const { text, status } = await ask(vending, path, { headers: vended });
      if (status !== 200) told.push(text);
    }
    const asked = await vending.ask(
      `{ auditLog(first: 1000) { edges { node { action subject payload } } }
         tables(first: 100) { edges { node { name location properties } } } }`,
      {},
      'key-of-ada',
    );
    expect(asked.errors).toBeUndefined();
    told.push(JSON.stringify(asked));
    for await (const { location } of vending.icecore.tables.storage.list(vending.icecore.tables.warehouse)) {
      told.push(Buffer.from(await vending.icecore.tables.storage.read(location)).toString('latin1'));
    }
    for (const file of await readdir(vending.directory, { recursive: true, withFileTypes: true })) {
      if (file.isFile()) told.push(await readFile(join(file.parentPath, file.name), 'latin1'));
    }
    kept.mockRestore();
    const all = told.join('\n');
    expect(all.length).toBeGreaterThan(10_000);
    for (const secret of [writerSecret, readerSecret, serverSecret]) expect(all.includes(secret)).toBe(false);
  });
});
