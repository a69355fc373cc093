import { rename } from 'node:fs/promises';
import { request as send } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseJson } from '../../../src/iceberg/json.ts';
import { restGzipBytesMin } from '../../../src/limits.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestRequest, refusalOf } from './rest-client.ts';
import { appendRequirements, appendUpdates, createTable } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

const ask = (path: string, request: RestRequest = {}) => askRest(server, path, request);

async function append(path: string, snapshotId: bigint): Promise<void> {
  const { metadata } = (await ask(path)).body;
  const body = { requirements: appendRequirements(metadata), updates: appendUpdates(metadata, snapshotId) };
  const { status, text } = await ask(path, { body });
  expect(status, text).toBe(200);
}

describe('loading a table', () => {
  it('gives all snapshots, or those that branches and tags point to', async () => {
    await createTable(server, 'loaded', 'branched');
    const path = '/v1/namespaces/loaded/tables/branched';
    // Beyond the range that a double holds exactly.
    const ids = [9_007_199_254_740_993n, 9_007_199_254_740_995n, 9_223_372_036_854_775_807n];
    for (const id of ids) await append(path, id);
    const tag = { action: 'set-snapshot-ref', 'ref-name': 'first', type: 'tag', 'snapshot-id': ids[0] };
    await ask(path, { body: { updates: [tag] } });
    const all = (await ask(path)).body.metadata;
    const refs = (await ask(`${path}?snapshots=refs`)).body.metadata;
    const idsOf = (metadata: { snapshots: readonly { 'snapshot-id': bigint }[] }) =>
      metadata.snapshots.map((snapshot) => snapshot['snapshot-id']);
    expect(idsOf(all)).toEqual(ids);
    expect(idsOf(refs)).toEqual([ids[0], ids[2]]);
    expect({ ...refs, snapshots: [] }).toEqual({ ...all, snapshots: [] });
    expect((await ask(`${path}?snapshots=all`)).body.metadata).toEqual(all);
    expect(refusalOf(await ask(`${path}?snapshots=none`))).toContain('400 BadRequestException');
  });

  it('is 304 where the client has that very answer', async () => {
    await createTable(server, 'loaded', 'tagged');
    const path = '/v1/namespaces/loaded/tables/tagged';
    const etagOf = async (query: string) => (await ask(path + query)).headers.get('etag') ?? '';
    const [all, refs] = [await etagOf(''), await etagOf('?snapshots=refs')];
    expect(all).toMatch(/^"[\w-]+"$/);
    expect(refs).not.toBe(all);
    const known = (etag: string, query = '') => ask(path + query, { headers: { 'if-none-match': etag } });
    const unchanged = await known(all);
    expect([unchanged.status, unchanged.text, unchanged.headers.get('etag')]).toEqual([304, '', all]);
    expect((await known(`"other", ${all}`)).status).toBe(304);
    expect((await known(refs, '?snapshots=refs')).status).toBe(304);
    expect((await known(refs)).status).toBe(200);
    await ask(path, { body: { updates: [{ action: 'set-properties', updates: { a: '1' } }] } });
    expect((await known(all)).status).toBe(200);
    expect(await etagOf('')).not.toBe(all);
  });

  it('says that the metadata file is gone, to whoever had it too', async () => {
    const { body, headers } = await createTable(server, 'loaded', 'lost');
    const path = '/v1/namespaces/loaded/tables/lost';
    const file = body['metadata-location'].replace(/^file:\/\//, '');
    await ask(path);
    await rename(file, `${file}.away`);
    const gone = `404 NotFoundException: Failed to open input stream for file: ${body['metadata-location']}`;
    expect(refusalOf(await ask(path))).toBe(gone);
    expect(refusalOf(await ask(path, { headers: { 'if-none-match': headers.get('etag') ?? '' } }))).toBe(gone);
    await rename(`${file}.away`, file);
    expect((await ask(path)).body).toEqual(body);
  });

  it('is 404 for a table, a namespace and a part of one that is not there', async () => {
    await createTable(server, 'loaded', 'there');
    for (const [path, name] of [
      ['/v1/namespaces/loaded/tables/none', 'loaded.none'],
      ['/v1/namespaces/none/tables/there', 'none.there'],
      ['/v1/namespaces/loaded%1Fthere/tables/there', 'loaded.there.there'],
    ] as const) {
      expect(refusalOf(await ask(path))).toBe(`404 NoSuchTableException: Table does not exist: ${name}`);
      const head = await ask(path, { method: 'HEAD' });
      expect([head.status, head.text]).toEqual([404, '']);
    }
    expect((await ask('/v1/namespaces/loaded/tables/there', { method: 'HEAD' })).status).toBe(204);
  });

  it('is compressed where it is long and the client takes that', async () => {
    const { body } = await createTable(server, 'loaded', 'long', { properties: { long: 'x'.repeat(restGzipBytesMin) } });
    const path = '/iceberg/v1/namespaces/loaded/tables/long';
    const packed = await raw(path, 'deflate, gzip;q=0.5');
    expect(packed.encoding).toBe('gzip');
    expect(packed.bytes.byteLength).toBeLessThan(restGzipBytesMin);
    expect(parseJson(gunzipSync(packed.bytes).toString())).toEqual(body);
    for (const accepted of ['', 'deflate', 'gzip;q=0', 'identity;q=1, gzip;q=0.0']) {
      const plain = await raw(path, accepted);
      expect([plain.encoding, parseJson(plain.bytes.toString())], accepted).toEqual([undefined, body]);
    }
  });

  it("reads Icecore's own tables too", async () => {
    await createTable(server, 'loaded', 'last');
    await expect.poll(async () => (await ask('/v1/namespaces/icecore/tables/audit_log')).status).toBe(200);
    expect((await ask('/v1/namespaces/icecore/tables/audit_log')).body.metadata.location).toContain('/icecore/');
    expect(refusalOf(await ask('/v1/namespaces/icecore/tables/audit_log', { body: { updates: [] } }))).toContain(
      '403 ForbiddenException',
    );
    expect(refusalOf(await ask('/v1/namespaces/icecore/tables/audit_log?purgeRequested=true', { method: 'DELETE' }))).toContain(
      '403 ForbiddenException',
    );
  });
});

function raw(path: string, accepted: string): Promise<{ readonly encoding: string | undefined; readonly bytes: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = accepted === '' ? {} : { 'accept-encoding': accepted };
    send(`${server.origin}${path}`, { headers }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece));
      response.on('end', () => resolve({ encoding: response.headers['content-encoding'], bytes: Buffer.concat(pieces) }));
    })
      .on('error', reject)
      .end();
  });
}
