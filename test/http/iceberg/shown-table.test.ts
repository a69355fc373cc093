import { afterAll, beforeAll, expect, it } from 'vitest';
import { pinSnapshot } from '../../../src/tables/actions/pin-snapshot.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestRequest } from './rest-client.ts';
import { appendRequirements, appendUpdates, schemaJson } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    keys: JSON.stringify([
      { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
      { key: 'key-of-otto', subject: 'otto', kind: 'HUMAN', roles: ['admin'] },
    ]),
    grants: JSON.stringify([
      { subject: 'ada', on: 'shared', may: 'write' },
      { subject: 'otto', on: '*', may: 'write' },
    ]),
  });
});
afterAll(async () => server.close());

const ask = (path: string, request: RestRequest = {}) => askRest(server, path, { key: 'key-of-ada', ...request });
const one = '/v1/namespaces/shared/tables/pinned';

it('names of what may not be seen are in no answer, to a load or a commit', async () => {
  await ask('/v1/namespaces', { key: 'key-of-otto', body: { namespace: ['shared'] } });
  await ask('/v1/namespaces/shared/tables', { body: { name: 'pinned', schema: schemaJson } });
  const { metadata } = (await ask(one)).body;
  await ask(one, { body: { requirements: appendRequirements(metadata), updates: appendUpdates(metadata, 1n) } });
  await server.icecore.access.asServer(async () => {
    const transaction = server.icecore.tables.transaction();
    transaction.change({ namespace: ['shared'], name: 'pinned' }, pinSnapshot('training-set/secret/v1', 1n));
    await transaction.commit();
  });
  const committed = await ask(one, { body: { updates: [{ action: 'set-properties', updates: { a: '1' } }] } });
  const [all, refs] = [await ask(one), await ask(`${one}?snapshots=refs`)];
  const refused = await ask(one, { body: { updates: [{ action: 'remove-snapshots', 'snapshot-ids': [1] }] } });
  expect([committed.status, all.status, refs.status, refused.status]).toEqual([200, 200, 200, 409]);
  for (const { text } of [committed, all, refs, refused]) expect(text).not.toContain('secret');
  expect(all.body).toEqual(committed.body);
  expect(all.headers.get('etag')).toBe(committed.headers.get('etag'));
  expect(Object.keys(all.body.metadata.refs)).toEqual(['main', 'icecore-pin-1']);

  const whole = await ask(one, { key: 'key-of-otto' });
  expect(Object.keys(whole.body.metadata.refs)).toEqual(['main', 'training-set/secret/v1']);
  expect(whole.headers.get('etag')).not.toBe(all.headers.get('etag'));
  const known = await ask(one, { headers: { 'if-none-match': whole.headers.get('etag') ?? '' } });
  expect(known.status).toBe(200);
});
