import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManualClock } from '../../../src/clock.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestAnswer, refusalOf } from './rest-client.ts';

const clock = new ManualClock(1_900_000_000_000_000n);
const keys = JSON.stringify([
  { key: 'key-of-ada', subject: 'ada', kind: 'HUMAN', roles: ['admin'] },
  { key: 'key-of-bob', subject: 'bob', kind: 'HUMAN', roles: ['admin'] },
]);
let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({ keys, clock });
  await ask('/v1/namespaces', { body: { namespace: ['ns'] } });
});
afterAll(async () => server.close());

let made = 0;
const newKey = () => `019a0000-0000-7000-8000-${String(++made).padStart(12, '0')}`;
const ask = (path: string, request: object, idempotencyKey?: string, key = 'key-of-ada'): Promise<RestAnswer> =>
  askRest(server, path, {
    key,
    ...request,
    ...(idempotencyKey === undefined ? {} : { headers: { 'idempotency-key': idempotencyKey } }),
  });

const schema = { type: 'struct', fields: [{ id: 1, name: 'id', required: false, type: 'long' }] };
const table = (name: string) => ({ body: { name, schema } });
const view = (name: string) => ({
  body: {
    name,
    schema,
    properties: {},
    'view-version': {
      'version-id': 1,
      'timestamp-ms': 1,
      'schema-id': 0,
      summary: {},
      'default-namespace': ['ns'],
      representations: [{ type: 'sql', sql: 'SELECT 1', dialect: 'spark' }],
    },
  },
});
const tables = '/v1/namespaces/ns/tables';
const views = '/v1/namespaces/ns/views';
const properties = (updates: object, removals: readonly string[] = []) => ({ body: { updates, removals } });
const renamed = (from: string, to: string) => ({
  body: { source: { namespace: ['ns'], name: from }, destination: { namespace: ['ns'], name: to } },
});

describe('a request under an Idempotency-Key', () => {
  it('is advertised for half an hour', async () => {
    expect((await ask('/v1/config', {})).body['idempotency-key-lifetime']).toBe('PT30M');
  });

  it('repeated has no second effect and is answered as before', async () => {
    await ask(tables, table('moved'));
    await ask(views, view('gone'));
    await ask('/v1/namespaces', { body: { namespace: ['doomed'] } });
    const setProperties = { updates: [{ action: 'set-properties', updates: { a: '1' } }] };
    for (const [path, request, status] of [
      ['/v1/namespaces', { body: { namespace: ['fresh'], properties: { a: '1' } } }, 200],
      ['/v1/namespaces/ns/properties', properties({ b: '2' }, ['never']), 200],
      ['/v1/namespaces/ns/properties', properties({}, ['b']), 200],
      ['/v1/namespaces/doomed', { method: 'DELETE' }, 204],
      [tables, table('t'), 200],
      [`${tables}/t`, { body: setProperties }, 200],
      ['/v1/tables/rename', renamed('moved', 'there'), 204],
      [`${tables}/there?purgeRequested=true`, { method: 'DELETE' }, 204],
      [
        '/v1/transactions/commit',
        { body: { 'table-changes': [{ identifier: { namespace: ['ns'], name: 't' }, ...setProperties }] } },
        204,
      ],
      [views, view('v'), 200],
      [`${views}/v`, { body: setProperties }, 200],
      ['/v1/views/rename', renamed('v', 'w'), 204],
      [`${views}/gone`, { method: 'DELETE' }, 204],
    ] as const) {
      const key = newKey();
      const first = await ask(path, request, key);
      expect(first.status, `${path} ${first.text}`).toBe(status);
      const changes = await server.icecore.catalog.headSeq();
      for (let again = 0; again < 2; again++) {
        const repeated = await ask(path, request, key.toUpperCase());
        expect([repeated.status, repeated.body], path).toEqual([first.status, first.body]);
      }
      expect(await server.icecore.catalog.headSeq(), path).toBe(changes);
    }
  });

  it('sent several times at once has one effect, and all get its answer', async () => {
    const key = newKey();
    const answers = await Promise.all(Array.from({ length: 6 }, () => ask(tables, table('once'), key)));
    expect(answers.map(({ status }) => status)).toEqual(Array(6).fill(200));
    expect(new Set(answers.map(({ body }) => body.metadata['table-uuid'])).size).toBe(1);
  });

  it('that was refused is refused again, whatever has become of the reason', async () => {
    await ask(tables, table('taken'));
    const key = newKey();
    const refused = await ask(tables, table('taken'), key);
    expect(refusalOf(refused)).toContain('409 AlreadyExistsException');
    await ask(`${tables}/taken`, { method: 'DELETE' });
    const again = await ask(tables, table('taken'), key);
    expect([again.status, again.body]).toEqual([refused.status, refused.body]);
    expect((await ask(tables, table('taken'), newKey())).status).toBe(200);
  });

  it('is tried anew where the refusal was about the caller', async () => {
    const key = newKey();
    expect((await ask('/v1/namespaces', { body: { namespace: ['icecore', 'x'] } }, key)).status).toBe(403);
    expect(await server.icecore.catalog.answer(JSON.stringify(['ada', 'createNamespace']), key)).toBeNull();
  });

  it('that finds nothing to change keeps its key too', async () => {
    const key = newKey();
    await ask(views, view('same'));
    const first = await ask(`${views}/same`, { body: { updates: [] } }, key);
    await ask(`${views}/same`, { method: 'DELETE' });
    expect(first.status).toBe(200);
    // What there is now is told, and now there is nothing.
    expect((await ask(`${views}/same`, { body: { updates: [] } }, key)).status).toBe(404);
    await ask(views, view('same'));
    expect((await ask(`${views}/same`, { body: { updates: [] } }, key)).status).toBe(200);
  });

  it('must have a key of its own, of its caller, for an hour', async () => {
    const key = newKey();
    expect((await ask(tables, table('own'), key)).status).toBe(200);
    expect(refusalOf(await ask(tables, table('other'), key))).toContain('422 UnprocessableEntityException: The idempotency key');
    expect(refusalOf(await ask(tables, table('own'), key, 'key-of-bob'))).toContain('409 AlreadyExistsException');
    expect(refusalOf(await ask(tables, table('x'), '2f0c8f3e-52a4-4a52-9e0f-0a3fbb1cbb70'))).toContain(
      'must be a UUID of version 7',
    );
    clock.advance(3_600_000_001n * 1000n);
    expect(refusalOf(await ask(tables, table('own'), key))).toContain('409 AlreadyExistsException');
  });

  it('for a table that is only staged leaves no trace', async () => {
    const key = newKey();
    const staged = { body: { name: 'staged', schema, 'stage-create': true } };
    expect((await ask(tables, staged, key)).status).toBe(200);
    expect((await ask(tables, staged, key)).status).toBe(200);
    expect((await ask(`${tables}/staged`, { method: 'HEAD' })).status).toBe(404);
  });

  it('comes to the same however often each request arrives', async () => {
    const word = fc.constantFrom('a', 'b', 'c');
    const change = fc.oneof(
      fc.record({ kind: fc.constant('create' as const), name: word }),
      fc.record({ kind: fc.constant('drop' as const), name: word }),
      fc.record({ kind: fc.constant('rename' as const), name: word, to: word }),
      fc.record({ kind: fc.constant('replace' as const), name: word, sql: word }),
    );
    type Change = typeof change extends fc.Arbitrary<infer T> ? T : never;
    let runs = 0;
    const play = async (namespace: string, history: readonly (readonly [Change, number])[]): Promise<unknown> => {
      await ask('/v1/namespaces', { body: { namespace: [namespace] } });
      const path = `/v1/namespaces/${namespace}/views`;
      const statuses: number[] = [];
      for (const [each, times] of history) {
        const key = newKey();
        let last = 0;
        for (let time = 0; time < times; time++) last = (await ask(...requestOf(path, namespace, each), key)).status;
        statuses.push(last);
      }
      const { body } = await ask(path, {});
      const names: string[] = body.identifiers.map((identifier: { name: string }) => identifier.name);
      const queries = await Promise.all(
        names.map(async (name) => (await ask(`${path}/${name}`, {})).body.metadata.versions.map(queryOf)),
      );
      return { statuses: statuses.map((status) => status < 300), names, queries };
    };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(change, fc.integer({ min: 1, max: 3 })), { maxLength: 8 }), async (history) => {
        runs++;
        const once = await play(
          `once${runs}`,
          history.map(([each]) => [each, 1]),
        );
        expect(await play(`often${runs}`, history)).toEqual(once);
      }),
      { numRuns: 10 },
    );
  });
});

function requestOf(
  path: string,
  namespace: string,
  change: { readonly kind: string; readonly name: string; readonly to?: string; readonly sql?: string },
): readonly [string, object] {
  switch (change.kind) {
    case 'create':
      return [path, view(change.name)];
    case 'drop':
      return [`${path}/${change.name}`, { method: 'DELETE' }];
    case 'rename': {
      const identifier = (name: string | undefined) => ({ namespace: [namespace], name });
      return ['/v1/views/rename', { body: { source: identifier(change.name), destination: identifier(change.to) } }];
    }
    default: {
      const version = view('').body['view-version'];
      const representations = [{ type: 'sql', sql: change.sql, dialect: 'spark' }];
      const updates = [
        { action: 'add-view-version', 'view-version': { ...version, representations } },
        { action: 'set-current-view-version', 'view-version-id': -1 },
      ];
      return [`${path}/${change.name}`, { body: { updates } }];
    }
  }
}

function queryOf(version: { readonly representations: readonly [{ readonly sql: string }] }): string {
  return version.representations[0].sql;
}
