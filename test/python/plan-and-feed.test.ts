import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { ServerProcess } from '../http/server-process.ts';
import { noObjectStore, type ObjectStore, startObjectStore } from '../s3/seaweedfs.ts';
import { icecorePython, type ReadTraining, readTraining } from './python-reader.ts';

const installMs = 5 * 60_000;
const table = 'raw.rows';
const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
const alter = 'mutation ($input: AlterTableInput!) { alterTable(input: $input) { table { name } } }';
const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded rowsRemoved } }';

/** Rows of every kind of change: parted, renamed and widened columns, one with a default, deletes by position. */
async function fill(server: ServerProcess): Promise<void> {
  const columns = [
    { name: 'n', type: 'long', required: true },
    { name: 'text', type: 'string' },
    { name: 'part', type: 'string' },
    { name: 'small', type: 'int' },
    { name: 'at', type: 'timestamptz' },
    { name: 'price', type: 'decimal(9, 2)' },
    { name: 'tags', type: 'list<string>' },
    { name: 'place', type: 'struct<x: double, y: float>' },
  ];
  const properties = { 'write.merge.mode': 'merge-on-read', 'write.delete.mode': 'merge-on-read' };
  const partitionBy = [{ column: 'part', transform: 'identity' }];
  await server.data(create, { input: { name: table, columns, properties, partitionBy, formatVersion: 2 } });
  const rows = (from: number, to: number, text: string, more = '') =>
    `SELECT range AS n, CASE WHEN range % 3 = 0 THEN NULL ELSE 'row ' || range END AS ${text}, 'p' || (range % 8 // 7) AS part,
     (range % 100)::INTEGER AS small, TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range) AS at,
     (range / 7)::DECIMAL(9, 2) AS price, [CAST(range AS VARCHAR), NULL] AS tags,
     {x: range / 3, y: (range / 2)::FLOAT} AS place${more} FROM range(${from}, ${to})`;
  const append = (sql: string) => server.data(write, { input: { table, mode: 'APPEND', rows: { sql } } });
  await append(rows(0, 100_000, 'text'));
  await append(rows(100_000, 100_001, 'text'));
  const changes = [
    { renameColumn: { from: 'text', to: 'words' } },
    { widenColumn: { name: 'small', type: 'long' } },
    { addColumn: { name: 'later', type: 'double' } },
  ];
  await server.data(alter, { input: { name: table, changes } });
  await append(rows(100_001, 120_000, 'words', ', range / 9 AS later'));
  const gone = [0, 5, 65_536, 99_999, 100_000, 119_999].map((n) => ({ n: String(n) }));
  await server.data(write, { input: { table, mode: 'DELETE', keys: ['n'], rows: { json: gone } } });
}

const asked: readonly Readonly<Record<string, unknown>>[] = [
  { seed: 5, lanes: 8 },
  { seed: 6, epoch: 2, lanes: 2, where: "n < 30000 OR part = 'p1' AND n > 90000" },
  { shuffle: 'NONE', columns: ['later', 'n', 'small'] },
  { seed: 7, lanes: 4, rank: 1, world_size: 2, tail: 'DROP' },
  // Of so many lanes, no group is read at once.
  { seed: 8, lanes: 64 },
  // A slice of each global batch, which leaves out the blocks of other ranks.
  { seed: 9, lanes: 2, rank: 2, world_size: 3, batch_size: 13_000 },
];

function expectSame(plan: ReadTraining, feed: ReadTraining): void {
  const { batches, ...head } = plan;
  expect(head).toEqual({ ...feed, batches: undefined });
  expect(batches.map(({ digest, cursor, done }) => [digest, cursor, done])).toEqual(
    feed.batches.map(({ digest, cursor, done }) => [digest, cursor, done]),
  );
  expect(batches.length).toBeGreaterThan(1);
}

async function compare(server: ServerProcess, input: Readonly<Record<string, unknown>>): Promise<ReadTraining> {
  const common = { table, url: server.origin, batch_size: 9000, ...input };
  const [plan, feed] = await Promise.all(['plan', 'feed'].map((via) => readTraining({ ...common, via })));
  if (plan === undefined || feed === undefined) throw new Error('One of them read nothing.');
  expectSame(plan, feed);
  return plan;
}

describeWith(['python3'], 'files opened by pyarrow and put into the order of the plan', () => {
  let store: string;
  let server: ServerProcess;
  beforeAll(async () => {
    icecorePython();
    store = await mkdtemp(join(tmpdir(), 'icecore-plan-'));
    server = await ServerProcess.start({}, `sqlite:${store}/catalog.sqlite`);
    await fill(server);
  }, installMs);
  afterAll(async () => {
    await server?.stop();
    await rm(store, { recursive: true, force: true });
  });

  it.each(asked)(
    'give the rows of the feed, on local disk: %j',
    (input) => compare(server, input).then(() => undefined),
    120_000,
  );

  it('are none of a table that has none yet', async () => {
    await server.data(create, { input: { name: 'raw.empty', columns: [{ name: 'n', type: 'long' }] } });
    const common = { table: 'raw.empty', url: server.origin };
    const plan = await readTraining({ ...common, via: 'plan' });
    expect(plan).toEqual(await readTraining({ ...common, via: 'feed' }));
    expect(plan.rowsTotal).toBe(0);
    const query = `{ trainingPlan(input: { source: { table: { name: "raw.empty" } } }) {
      source { tableName snapshotId snapshot { snapshotId } } schema start urlsExpireAt order { blocks } files { totalCount edges { node { path } } } } }`;
    const { trainingPlan } = await server.data(query);
    expect(trainingPlan).toMatchObject({
      source: { tableName: 'raw.empty', snapshotId: '0', snapshot: null },
      order: { blocks: '0' },
    });
    expect(trainingPlan.files).toEqual({ totalCount: '0', edges: [] });
  }, 120_000);

  it('go on from a cursor of the feed', async () => {
    const common = { table, url: server.origin, batch_size: 9000, seed: 5 };
    const begun = await readTraining({ ...common, via: 'feed', take: 3 });
    const { cursor } = begun.batches.at(-1) ?? {};
    const plan = await readTraining({ ...common, via: 'plan', cursor });
    const feed = await readTraining({ ...common, via: 'feed', cursor });
    expectSame(plan, feed);
    expect(plan.batches[0]?.n).not.toEqual(begun.batches[0]?.n);
  }, 120_000);
});

describe.skipIf(noObjectStore() !== null)('objects of S3 by signed URLs', () => {
  let objects: ObjectStore;
  let server: ServerProcess;
  beforeAll(async () => {
    icecorePython();
    objects = await startObjectStore();
    server = await ServerProcess.start({ ...objects.environment, ICECORE_WAREHOUSE: `s3://${objects.bucket}/a plan` });
    await fill(server);
  }, installMs);
  afterAll(async () => {
    await server?.stop();
    await objects?.stop();
  });

  it('count what matches as SQL does, deletes left out', async () => {
    for (const where of ['n >= 0', "n < 30000 OR part = 'p1' AND n > 90000", 'later IS NOT NULL']) {
      const { sql } = await server.data('query ($sql: String!) { sql(statement: $sql) { rows } }', {
        sql: `SELECT count(*) AS rows FROM ${table} WHERE ${where}`,
      });
      const query = 'query ($input: TrainingFeedInput!) { trainingPlan(input: $input) { rowsTotal } }';
      const { trainingPlan } = await server.data(query, { input: { source: { table: { name: table } }, where } });
      expect(trainingPlan.rowsTotal).toBe(sql.rows[0].rows);
    }
  }, 120_000);

  it.each(asked)('give the rows of the feed: %j', (input) => compare(server, input).then(() => undefined), 120_000);

  it('are read without any key', async () => {
    const plan =
      'query ($input: TrainingFeedInput!) { trainingPlan(input: $input) { urlsExpireAt files { totalCount edges { node { path url } } } } }';
    const { trainingPlan } = await server.data(plan, { input: { source: { table: { name: table } } } });
    const { url } = trainingPlan.files.edges[0].node;
    expect(Date.parse(trainingPlan.urlsExpireAt)).toBeGreaterThan(Date.now() + 1800_000);
    expect((await fetch(url, { headers: { range: 'bytes=0-3' } })).status).toBe(206);
    expect(await (await fetch(url, { headers: { range: 'bytes=0-3' } })).text()).toBe('PAR1');
    // Neither another object nor another method is signed for.
    expect((await fetch(url.replace('.parquet?', '.parquex?'))).status).toBeGreaterThanOrEqual(400);
    expect((await fetch(url, { method: 'DELETE' })).status).toBe(403);
    expect(url).not.toContain('testsecret123');
  }, 120_000);
});
