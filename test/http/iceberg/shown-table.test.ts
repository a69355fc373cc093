import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { printJson } from '../../../src/iceberg/json.ts';
import { pinSnapshot } from '../../../src/tables/actions/pin-snapshot.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestRequest, refusalOf } from './rest-client.ts';
import { appendRequirements, appendUpdates, schemaJson } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    keys: JSON.stringify([
      { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['scientist'] },
      { key: 'key-of-ida', subject: 'ida', kind: 'HUMAN', roles: ['scientist'] },
      { key: 'key-of-otto', subject: 'otto', kind: 'HUMAN', roles: ['admin'] },
    ]),
    grants: JSON.stringify([
      { subject: 'ada', on: 'shared', may: 'write' },
      { subject: 'ida', on: '*', may: 'write' },
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
  // Each is told their own, also of what is kept ready.
  expect((await ask(one)).body).toEqual(all.body);
  expect((await ask(one, { key: 'key-of-otto' })).body).toEqual(whole.body);
  expect((await ask(`${one}?snapshots=refs`)).body).toEqual(refs.body);

  const known = await ask(one, { headers: { 'if-none-match': whole.headers.get('etag') ?? '' } });
  expect(known.status).toBe(200);
});

it('pins in metadata that somebody wrote elsewhere are taken over by an admin alone', async () => {
  const made = await ask('/v1/namespaces/shared/tables', { body: { name: 'forged', schema: schemaJson } });
  const { 'metadata-location': location, metadata } = made.body;
  await ask('/v1/namespaces/shared/tables/forged', { key: 'key-of-otto', method: 'DELETE' });
  const forged = location.replace('/00000-', '/00001-');
  const properties = { ...metadata.properties, 'icecore.pin.training-set/mine/v1': '[]' };
  await writeFile(forged.replace('file://', ''), printJson({ ...metadata, properties }));
  const register = (key: string) =>
    ask('/v1/namespaces/shared/register', { key, body: { name: 'forged', 'metadata-location': forged } });
  // In no table's place, where only who may read all may look.
  expect(refusalOf(await register('key-of-ida'))).toContain('403 ForbiddenException: ida may not register tables that have pins');
  expect((await register('key-of-otto')).status).toBe(200);
});
