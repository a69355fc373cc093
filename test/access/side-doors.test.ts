import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema } from '../../src/iceberg/metadata.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import type { Table } from '../../src/tables/table.ts';
import { arrowType, subscribe, text } from '../feed/feed-client.ts';
import { askRest, type RestAnswer, type RestRequest } from '../http/iceberg/rest-client.ts';
import { GuardedLakehouse, keyOf, secret, type Who } from './guarded-lakehouse.ts';

let lakehouse: GuardedLakehouse;
let vault: Table;
beforeAll(async () => {
  lakehouse = await GuardedLakehouse.open();
  vault = await load(`secret.${secret}_vault`);
}, 120_000);
afterAll(() => lakehouse.close());

const as = (who: Who, path: string, request: RestRequest = {}): Promise<RestAnswer> =>
  askRest(lakehouse.server, path, { ...request, key: keyOf(who) });

const schema = { type: 'struct', fields: [{ id: 1, name: 'k', required: false, type: 'long' }] };
const features = '/v1/namespaces/features/tables';

function load(name: string): Promise<Table> {
  const { access, tables } = lakehouse.server.icecore;
  return access.asServer(() => tables.load(parseIdentifier(name)));
}

/** The path without its scheme. */
function pathOf(location: string): string {
  return location.replace(/^file:\/\//, '');
}

describe('a table of one’s own is no way into another', () => {
  test('by metadata that is registered under a name of one’s own', async () => {
    const answers = [];
    for (const location of [vault.metadataLocation, `${vault.metadata.location}/metadata/nothing.metadata.json`]) {
      const { status, text } = await as('fay', '/v1/namespaces/features/register', {
        body: { name: 'stolen', 'metadata-location': location },
      });
      answers.push([status, text.replaceAll(location, 'LOCATION')]);
    }
    // Alike, whether or not there is such a file.
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]?.[0]).toBe(403);
    // Nor Icecore's own by who may read all else.
    const log = await load('icecore.audit_log');
    const body = { name: 'stolen', 'metadata-location': log.metadataLocation };
    expect((await as('ben', '/v1/namespaces/raw/register', { body })).status).toBe(403);
  });

  test('by a location in another one’s place, around it, or where others will build', async () => {
    const place = vault.metadata.location;
    const warehouse = place.slice(0, place.indexOf('/secret/'));
    for (const location of [
      place,
      `${place}/data`,
      `${warehouse}/secret`,
      `${warehouse}/secret/later`,
      `${warehouse}/nobody/yet`,
      `${warehouse}/features`,
    ]) {
      const { status, text } = await as('fay', features, { body: { name: 'nested', schema, location } });
      expect([status, text.includes(secret) && !location.includes(secret)], location).toEqual([403, false]);
      for (const property of ['write.data.path', 'write.metadata.path', 'write.object-storage.path']) {
        const settled = { requirements: [], updates: [{ action: 'set-properties', updates: { [property]: location } }] };
        expect((await as('fay', `${features}/copy`, { body: settled })).status, `${property} ${location}`).toBe(403);
      }
      const moved = { requirements: [], updates: [{ action: 'set-location', location }] };
      expect((await as('fay', `${features}/copy`, { body: moved })).status, location).toBe(403);
    }
    // Below the table's own place, wherever a renaming has left that.
    const { access, tables } = lakehouse.server.icecore;
    await access.asServer(async () => {
      const transaction = tables.transaction();
      transaction.create({ namespace: ['secret'], name: 'given' }, { columns: [{ name: 'k', type: 'long' }] });
      const [table] = (await transaction.commit()).tables;
      const renaming = tables.transaction();
      if (table !== undefined) renaming.rename(table, { namespace: ['features'], name: 'given' });
      await renaming.commit();
    });
    const within = { 'write.data.path': `${(await load('features.given')).metadata.location}/files` };
    const settled = { requirements: [], updates: [{ action: 'set-properties', updates: within }] };
    expect((await as('fay', `${features}/given`, { body: settled })).status).toBe(200);
    const { status } = await as('fay', features, { body: { name: 'placed', schema, location: `${warehouse}/features/placed` } });
    expect(status).toBe(200);
  });

  test('by a snapshot that names its manifest list', async () => {
    const made = await as('fay', features, { body: { name: 'listed', schema: await schemaOf('features.plain') } });
    const snapshot = vault.metadata.snapshots.at(-1);
    const { metadata } = made.body;
    const committed = await as('fay', `${features}/listed`, {
      body: {
        requirements: [],
        updates: [
          {
            action: 'add-snapshot',
            snapshot: {
              'snapshot-id': 77,
              'sequence-number': 1,
              'timestamp-ms': metadata['last-updated-ms'] + 1,
              'manifest-list': snapshot?.manifestList,
              summary: { operation: 'append' },
              'schema-id': 0,
            },
          },
          { action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 77 },
        ],
      },
    });
    expect([200, 403]).toContain(committed.status);
    await expectClosed('fay', 'features.listed');
  });

  test('by data files that its manifests name', async () => {
    const { access, tables } = lakehouse.server.icecore;
    await as('fay', features, { body: { name: 'named', schema: await schemaOf('features.plain') } });
    const table = await load('features.named');
    // As another engine with the keys of the store would do it.
    await access.asServer(async () => {
      const plan = await planSnapshot(tables.files, vault.metadata, resolveAsOf(vault), {
        schema: currentSchema(vault.metadata),
      });
      const transaction = tables.transaction();
      transaction.change(table, appendFiles(plan.tasks.map(({ file }) => file)));
      await transaction.commit();
    });
    await expectClosed('fay', 'features.named');
    // Who may read both may read them here too, and by no maintenance make them this table's own.
    const compaction = 'mutation { compactTable(input: { table: "features.named" }) { run { id } } }';
    const { run } = (await lakehouse.data('rita', compaction)).compactTable;
    const ended = await access.asServer(() =>
      lakehouse.server.icecore.runs.ended(JSON.parse(Buffer.from(run.id, 'base64url').toString())[1]),
    );
    expect([ended.status, ended.error]).toEqual(['FAILED', expect.stringContaining('in the place of another table')]);
    const upsert =
      'mutation { writeRows(input: { table: "features.named", mode: UPSERT, keys: ["k"], rows: { json: [{ k: "0" }] } }) { rowsAdded } }';
    expect((await lakehouse.ask('rita', upsert)).errors?.[0]?.extensions.code).toBe('FAILED_PRECONDITION');
    expect(
      (await lakehouse.data('rita', '{ sql(statement: "SELECT count(*) AS n FROM features.named") { rows } }')).sql.rows[0].n,
    ).not.toBe('0');
    // Nor is what the server knows since she planned and fed it for anybody else.
    const plan = '{ trainingPlan(input: { source: { table: { name: "features.named" } } }) { rowsTotal } }';
    expect((await lakehouse.data('rita', plan)).trainingPlan.rowsTotal).not.toBe('0');
    await expectClosed('fay', 'features.named');
  });

  test('by rows from a file of its', async () => {
    const directory = pathOf(`${vault.metadata.location}/data`);
    const [file = ''] = await readdir(directory);
    for (const path of [`${directory}/${file}`, `file://${directory}/${file}`, `${directory}/nothing.parquet`]) {
      const write =
        'mutation ($file: String!) { writeRows(input: { table: "features.copy", rows: { file: $file } }) { rowsAdded } }';
      const { errors } = await lakehouse.ask('fay', write, { file: path });
      expect(errors?.[0]?.message, path).toMatch(/is not under a directory that this server reads from/);
    }
  });
});

async function schemaOf(name: string): Promise<object> {
  const { fields } = currentSchema((await load(name)).metadata);
  return { type: 'struct', fields: fields.map(({ id, name: column, type, required }) => ({ id, name: column, type, required })) };
}

/** However it is read, nothing comes of it. */
async function expectClosed(who: Who, name: string): Promise<void> {
  const questions = [
    `{ table(name: "${name}") { rows { rows } } }`,
    `{ sql(statement: "SELECT * FROM ${name}") { rows } }`,
    `{ sql(statement: "SELECT count(*) FROM ${name}") { rows } }`,
    `{ table(name: "${name}") { columns { statistics { min max rowCount } } } }`,
    `mutation { writeRows(input: { table: "features.copy", rows: { sql: "SELECT * FROM ${name}" } }) { rowsAdded } }`,
    `{ trainingPlan(input: { source: { table: { name: "${name}" } } }) { rowsTotal files { edges { node { url } } } } }`,
  ];
  for (const query of questions) {
    const answer = await lakehouse.ask(who, query);
    expect(answer.errors?.[0]?.extensions.code, query).toBe('FORBIDDEN');
    expect(JSON.stringify(answer), query).not.toContain(secret);
  }
  const query = `subscription { trainingBatches(input: { source: { table: { name: "${name}" } } }) { ipc } }`;
  const response = await subscribe({ origin: lakehouse.server.origin, query, accept: arrowType, key: keyOf(who) });
  expect([response.statusCode, await text(response)]).toEqual([403, expect.stringContaining('outside of its location')]);
  const plan = await as(who, `${features}/${name.replace('features.', '')}/plan`, { body: {} });
  for (const trace of lakehouse.hiddenTraces.filter((each) => each.includes('/manifest'))) expect(plan.text).not.toContain(trace);
}
