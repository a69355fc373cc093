import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pinSnapshot } from '../../../src/tables/actions/pin-snapshot.ts';
import { startTestServer, type TestServer } from '../test-server.ts';
import { askRest, type RestAnswer, type RestRequest, refusalOf } from './rest-client.ts';
import { appendRequirements, appendUpdates, createTable, schemaJson } from './rest-table.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer();
});
afterAll(async () => server.close());

const ask = (path: string, request: RestRequest = {}) => askRest(server, path, request);
const at = (name: string) => `/v1/namespaces/changed/tables/${name}`;
const commit = (name: string, body: object) => ask(at(name), { body });
const setting = (updates: object) => [{ action: 'set-properties', updates }];
const metadataOf = async (name: string) => (await ask(at(name))).body.metadata;
const change = (name: string, body: object) => ({ identifier: { namespace: ['changed'], name }, ...body });
const transact = (...changes: readonly object[]) => ask('/v1/transactions/commit', { body: { 'table-changes': changes } });

async function append(name: string, snapshotId: bigint): Promise<RestAnswer> {
  const metadata = await metadataOf(name);
  return await commit(name, { requirements: appendRequirements(metadata), updates: appendUpdates(metadata, snapshotId) });
}

describe('a commit to one table', () => {
  it('gives the table as it is afterwards, and GraphQL hears of it', async () => {
    await createTable(server, 'changed', 'one');
    const { status, body, headers } = await append('one', 4_611_686_018_427_387_905n);
    expect(status).toBe(200);
    expect(body.metadata['current-snapshot-id']).toBe(4_611_686_018_427_387_905n);
    expect(body.metadata['metadata-log']).toHaveLength(1);
    const loaded = await ask(at('one'));
    expect([loaded.body, loaded.headers.get('etag')]).toEqual([body, headers.get('etag')]);
    const { data } = await server.ask('{ table(name: "changed.one") { currentSnapshot { snapshotId } } }');
    expect(data.table.currentSnapshot.snapshotId).toBe('4611686018427387905');
  });

  it('is refused in the words of the reference where a requirement does not hold', async () => {
    await createTable(server, 'changed', 'required');
    const uuid = '11111111-1111-4111-8111-111111111111';
    for (const [requirement, words] of [
      [{ type: 'assert-table-uuid', uuid }, 'UUID does not match'],
      [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 5 }, 'branch or tag main is missing, expected 5'],
      [
        { type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 77 },
        'last assigned field id changed: expected id 77 != 4',
      ],
      [{ type: 'assert-current-schema-id', 'current-schema-id': 7 }, 'current schema changed: expected id 7 != 0'],
      [{ type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 7 }, 'last assigned partition id changed'],
      [{ type: 'assert-default-spec-id', 'default-spec-id': 7 }, 'default partition spec changed: expected id 7 != 0'],
      [{ type: 'assert-default-sort-order-id', 'default-sort-order-id': 7 }, 'default sort order changed: expected id 7 != 0'],
      [{ type: 'assert-create' }, 'table already exists'],
    ] as const) {
      const refused = await commit('required', { requirements: [requirement], updates: [] });
      expect(refusalOf(refused), requirement.type).toContain(`409 CommitFailedException: Requirement failed: ${words}`);
    }
    expect((await metadataOf('required'))['metadata-log']).toEqual([]);
  });

  it('is 409 with a late snapshot, 400 with what can never be, 404 without the table', async () => {
    await createTable(server, 'changed', 'late');
    const before = await metadataOf('late');
    await append('late', 1n);
    const late = appendUpdates({ ...before, 'current-snapshot-id': 1 }, 2n);
    expect(refusalOf(await commit('late', { updates: late }))).toContain('409 CommitFailedException');
    for (const updates of [
      [{ action: 'never-heard-of' }],
      [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 99 }],
      [{ action: 'upgrade-format-version', 'format-version': 1 }],
      [{ action: 'upgrade-format-version', 'format-version': 4 }],
      [{ action: 'set-location', location: 'file:///etc' }],
      'all of them',
    ]) {
      expect([400, 403], JSON.stringify(updates)).toContain((await commit('late', { updates })).status);
    }
    expect(refusalOf(await commit('late', { requirements: [{ type: 'assert-nothing' }], updates: [] }))).toContain(
      '400 BadRequestException',
    );
    expect(refusalOf(await commit('none', { updates: setting({ a: '1' }) }))).toBe(
      '404 NoSuchTableException: Table does not exist: changed.none',
    );
    const other = { identifier: { namespace: ['changed'], name: 'other' }, updates: [] };
    expect(refusalOf(await commit('late', other))).toContain('400 BadRequestException');
    expect((await commit('late', change('late', { updates: setting({ a: '1' }) }))).status).toBe(200);
  });

  it('is repeated by the server where others came first and its requirements still hold', async () => {
    await createTable(server, 'changed', 'busy');
    const names = Array.from({ length: 16 }, (_, index) => `key${index}`);
    const { 'table-uuid': uuid } = await metadataOf('busy');
    const requirements = [{ type: 'assert-table-uuid', uuid }];
    const answers = await Promise.all(names.map((name) => commit('busy', { requirements, updates: setting({ [name]: '1' }) })));
    expect(answers.map(({ status }) => status)).toEqual(names.map(() => 200));
    expect(Object.keys((await metadataOf('busy')).properties)).toEqual(expect.arrayContaining(names));
  });

  it('of several that append to the same snapshot lets one through, and the others know', async () => {
    await createTable(server, 'changed', 'raced');
    const metadata = await metadataOf('raced');
    const answers = await Promise.all(
      [1n, 2n, 3n, 4n].map((id) =>
        commit('raced', { requirements: appendRequirements(metadata), updates: appendUpdates(metadata, id) }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 409, 409, 409]);
    expect((await metadataOf('raced')).snapshots).toHaveLength(1);
  });

  it('that changes nothing writes nothing', async () => {
    const { body } = await createTable(server, 'changed', 'still');
    const answer = await commit('still', { requirements: [], updates: [] });
    expect([answer.status, answer.body]).toEqual([200, body]);
  });

  it('removes old metadata files where the table wants that', async () => {
    await createTable(server, 'changed', 'tidy', {
      properties: { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '1' },
    });
    for (let time = 0; time < 4; time++)
      expect((await commit('tidy', { updates: setting({ time: String(time) }) })).status).toBe(200);
    const { location } = await metadataOf('tidy');
    expect(await readdir(`${location.replace(/^file:\/\//, '')}/metadata`)).toHaveLength(2);
  });
});

describe('the feed of snapshots', () => {
  it('hears of what engines commit, alone or over several tables', async () => {
    await createTable(server, 'changed', 'fed');
    const leaves = new AbortController();
    const feed = server.icecore.snapshotFeed.snapshots('changed.fed', null, leaves.signal);
    const first = feed.next();
    expect((await append('fed', 21n)).status).toBe(200);
    expect((await first).value?.snapshot.snapshotId).toBe(21n);
    const second = feed.next();
    const metadata = await metadataOf('fed');
    const committed = await transact(change('fed', { requirements: [], updates: appendUpdates(metadata, 22n) }));
    expect(committed.status, committed.text).toBe(204);
    expect((await second).value?.snapshot.snapshotId).toBe(22n);
    leaves.abort();
    await feed.return(undefined);
  });
});

describe('a commit of very many changes', () => {
  it('is refused where each would copy the others, and made where they are removals', async () => {
    await createTable(server, 'changed', 'many');
    const refused = await commit('many', { updates: Array.from({ length: 20_000 }, (_, i) => setting({ [`k${i}`]: 'v' })[0]) });
    expect(refusalOf(refused)).toMatch(/^400 BadRequestException: .* 1000 changes .* not 20000/);
    const properties = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`k${i}`, 'v']));
    expect((await commit('many', { updates: setting(properties) })).status).toBe(200);
    const removal = { action: 'remove-properties', removals: Object.keys(properties).toReversed() };
    const snapshots = Array.from({ length: 5000 }, (_, i) => ({ action: 'remove-snapshots', 'snapshot-ids': [i + 1] }));
    const removed = await commit('many', { updates: [removal, ...snapshots] });
    expect(removed.status, removed.text.slice(0, 500)).toBe(200);
    expect(Object.keys(removed.body.metadata.properties)).not.toContain('k7');
  });
});

describe('a pin', () => {
  it('is not taken away, nor what it holds, nor the table', async () => {
    await createTable(server, 'changed', 'pinned');
    await append('pinned', 1n);
    await append('pinned', 2n);
    const { tables } = server.icecore;
    const transaction = tables.transaction();
    const tag = 'training-set/delays/v1';
    transaction.change({ namespace: ['changed'], name: 'pinned' }, pinSnapshot(tag, 1n));
    await transaction.commit();
    for (const updates of [
      [{ action: 'remove-snapshots', 'snapshot-ids': [1] }],
      [{ action: 'remove-snapshot-ref', 'ref-name': tag }],
      [{ action: 'set-snapshot-ref', 'ref-name': tag, type: 'tag', 'snapshot-id': 2 }],
      [{ action: 'remove-properties', removals: [`icecore.pin.${tag}`] }],
    ]) {
      const refused = refusalOf(await commit('pinned', { updates }));
      expect(refused, JSON.stringify(updates)).toContain('409 CommitFailedException');
      expect(refused).toContain(tag);
    }
    for (const query of ['', '?purgeRequested=true']) {
      const refused = refusalOf(await ask(at('pinned') + query, { method: 'DELETE' }));
      expect(refused).toContain('409 CommitFailedException');
      expect(refused).toContain(tag);
    }
    const expired = await commit('pinned', { updates: setting({ a: '1' }) });
    expect(expired.body.metadata.refs[tag]['snapshot-id']).toBe(1);
  });
});

describe('a commit that expires snapshots', () => {
  it('leaves what they came from in the lineage', async () => {
    await createTable(server, 'changed', 'expired');
    for (const id of [11n, 12n, 13n]) await append('expired', id);
    const { 'table-uuid': uuid } = await metadataOf('expired');
    expect((await commit('expired', { updates: [{ action: 'remove-snapshots', 'snapshot-ids': [11, 12] }] })).status).toBe(200);
    const { edges } = await server.icecore.lineage.graph({
      of: [{ kind: 'TABLE', uuid, version: '13', name: 'changed.expired' }],
      direction: 'UPSTREAM',
    });
    expect(edges.map(({ from, to }) => `${from.version} ${to.version}`).toSorted()).toEqual(['11 12', '12 13', 'null 11']);
  });
});

describe('a transaction over several tables', () => {
  it('happens as a whole', async () => {
    await createTable(server, 'changed', 'left');
    await createTable(server, 'changed', 'right');
    const both = await transact(
      change('left', { updates: setting({ a: '1' }) }),
      change('right', { updates: setting({ a: '1' }) }),
      change('new', {
        requirements: [{ type: 'assert-create' }],
        updates: [
          { action: 'add-schema', schema: { ...schemaJson, 'schema-id': 0 } },
          { action: 'set-current-schema', 'schema-id': -1 },
          { action: 'add-spec', spec: { 'spec-id': 0, fields: [] } },
          { action: 'set-default-spec', 'spec-id': -1 },
          { action: 'add-sort-order', 'sort-order': { 'order-id': 0, fields: [] } },
          { action: 'set-default-sort-order', 'sort-order-id': -1 },
        ],
      }),
    );
    expect([both.status, both.text]).toEqual([204, '']);
    for (const name of ['left', 'right']) expect((await metadataOf(name)).properties.a).toBe('1');
    // Without a place and an identity of its own it gets them.
    expect((await metadataOf('new')).location).toMatch(/\/changed\/new-[0-9a-f]{8}$/);
  });

  it('does not happen at all where one of them cannot', async () => {
    await createTable(server, 'changed', 'whole');
    await createTable(server, 'changed', 'part');
    const good = change('whole', { updates: setting({ a: '1' }) });
    for (const [bad, status] of [
      [change('part', { requirements: [{ type: 'assert-current-schema-id', 'current-schema-id': 5 }], updates: [] }), 409],
      [change('missing', { updates: setting({ a: '1' }) }), 404],
      [change('part', { updates: [{ action: 'set-current-schema', 'schema-id': 44 }] }), 400],
      [change('part', { requirements: [{ type: 'assert-create' }], updates: [] }), 409],
      [change('empty', { requirements: [{ type: 'assert-create' }], updates: [] }), 400],
      [{ updates: [] }, 400],
      [{ identifier: { namespace: ['icecore'], name: 'models' }, updates: setting({ a: '1' }) }, 403],
    ] as const) {
      const refused = await transact(good, bad);
      expect(refused.status, refused.text).toBe(status);
    }
    expect((await metadataOf('whole')).properties.a).toBeUndefined();
    expect(refusalOf(await ask('/v1/transactions/commit', { body: {} }))).toContain('400 BadRequestException');
    expect((await transact()).status).toBe(204);
  });
});
