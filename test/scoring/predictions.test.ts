import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Run } from '../../src/runs/run.ts';
import type { Prediction } from '../../src/scoring/prediction.ts';
import { overwriteAll } from '../../src/tables/actions/replace-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import { Store } from '../environment/store.ts';
import { append } from '../models/registered-model.ts';
import { ModelServer } from './model-server.ts';
import { createTable, load, predictions, prepareModel, scored, select, spineInput } from './scored-model.ts';

const rows = 60;
let store: Store;
let server: ModelServer;
let run: Run;

beforeAll(async () => {
  server = await ModelServer.open();
  store = await Store.open({ modelOrigins: [server.url] });
  await prepareModel(store, server.url, rows);
  run = await scored(store);
});
afterAll(async () => {
  await store.close();
  await server.close();
});

const page = async (query: Omit<Parameters<typeof store.scoring.predictions>[0], 'tables'> = {}) =>
  store.scoring.predictions({ tables: [await load(store, predictions)], ...query });

async function all(first: number, query: Parameters<typeof page>[0] = {}): Promise<readonly Prediction[]> {
  const found: Prediction[] = [];
  for (let after: string | null = null; ; ) {
    const { edges, hasNextPage } = await page({ ...query, first, after });
    found.push(...edges.map(({ prediction }) => prediction));
    if (!hasNextPage) return found;
    after = edges.at(-1)?.cursor ?? null;
  }
}

describe('pages', () => {
  test('come newest first, each prediction once, whatever their size', async () => {
    const once = await all(1000);
    expect(once).toHaveLength(rows);
    expect(new Set(once.map(({ predictionId }) => predictionId)).size).toBe(rows);
    const moments = once.map(({ asOfMicros }) => asOfMicros);
    expect(moments).toEqual(moments.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0)));
    for (const first of [1, 7, 60]) expect(await all(first)).toEqual(once);
  });

  test('stay in the snapshot in which they began', async () => {
    const { edges } = await page({ first: 10 });
    await scored(store);
    expect(await all(1000)).toHaveLength(2 * rows);
    const next = await page({ first: 1000, after: edges.at(-1)?.cursor ?? null });
    expect(next.edges).toHaveLength(rows - 10);
  });

  test('over many days and runs are in the order that a sort of all gives', async () => {
    await createTable(store, 'raw.days');
    await append(
      store,
      await load(store, 'raw.days'),
      "SELECT i % 4 AS k, TIMESTAMP '2001-03-01' + INTERVAL (i * 7 % 30) DAY AS at, i AS distance, true AS late FROM range(90) r(i)",
    );
    const source = { spine: { ...spineInput, source: { table: { name: 'raw.days' } } } };
    for (const _ of [1, 2]) expect((await scored(store, { source, into: 'predictions.days' })).error).toBeNull();
    const sorted = await select(store, 'predictions.days', 'SELECT prediction_id FROM t ORDER BY as_of DESC, prediction_id');
    const table = await load(store, 'predictions.days');
    const walk: string[] = [];
    for (let after: string | null = null; ; ) {
      const { edges, hasNextPage } = await store.scoring.predictions({ tables: [table], first: 23, after });
      walk.push(...edges.map(({ prediction }) => prediction.predictionId));
      if (!hasNextPage) break;
      after = edges.at(-1)?.cursor ?? null;
    }
    expect(walk).toEqual(sorted.map((row) => row.prediction_id));
    const two = await store.scoring.predictions({ tables: [table, await load(store, predictions)], first: 1000 });
    const moments = two.edges.map(({ prediction }) => prediction.asOfMicros);
    expect(moments).toEqual(moments.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0)));
    expect(moments.length).toBeGreaterThan(180);
  });

  test('are narrowed by keys, model, run and moment', async () => {
    const count = async (query: Parameters<typeof page>[0]) => (await page({ first: 1000, ...query })).edges.length;
    expect(await count({ runId: run.id })).toBe(rows);
    expect(await count({ runId: run.id, entity: { k: '3' } })).toBe(6);
    expect(await count({ runId: run.id, entity: { k: 3 } })).toBe(6);
    expect(await count({ runId: 'none' })).toBe(0);
    expect(await count({ runId: run.id, model: 'late', version: 1 })).toBe(rows);
    expect(await count({ runId: run.id, model: 'late', version: 2 })).toBe(0);
    const noon = 978_350_400_000_000n;
    const half = await page({ first: 1000, runId: run.id, asOfFromMicros: noon, asOfToMicros: noon + 3_600_000_000n });
    expect(new Set(half.edges.map(({ prediction }) => prediction.asOfMicros))).toEqual(new Set([noon + 1_800_000_000n]));
    const mine = { runId: run.id };
    expect((await store.scoring.predictionsOf({ model: 'late', version: 1 }, { first: 1000, ...mine })).edges).toHaveLength(rows);
  });

  test('refuse what makes no sense', async () => {
    await expect(page({ entity: { other: 1 } })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(page({ entity: { k: 'three' } })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(page({ after: 'nonsense' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(page({ first: 100_000 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    const tables = [await load(store, 'raw.spine')];
    await expect(store.scoring.predictions({ tables })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  test('one is found by its id', async () => {
    const prediction = (await page({ first: 1 })).edges[0]?.prediction;
    expect(await store.scoring.prediction(prediction?.tableUuid ?? '', prediction?.predictionId ?? '')).toEqual(prediction);
    expect(await store.scoring.prediction(prediction?.tableUuid ?? '', 'none')).toBeNull();
    expect(await store.scoring.prediction('none', 'none')).toBeNull();
    const ref = {
      kind: 'PREDICTION',
      uuid: `${prediction?.tableUuid}/${prediction?.predictionId}`,
      version: null,
      name: '',
    } as const;
    const [edge] = await store.scoring.implied([ref], 'UPSTREAM');
    expect(edge?.from).toMatchObject({ kind: 'RUN', uuid: prediction?.runId });
  });
});

describe('an explanation', () => {
  const one = async (of = run) => {
    const [edge] = (await page({ first: 1, runId: of.id })).edges;
    if (edge === undefined) throw new Error('There is no prediction.');
    return edge.prediction;
  };

  test('derives the features again, also when the tables have gone on', async () => {
    const prediction = await one();
    await append(
      store,
      await load(store, 'features.hourly'),
      "SELECT k, TIMESTAMP '2001-01-01 00:10:00' + INTERVAL (h) HOUR AS at, -1.0 AS x FROM range(10) a(k), range(24) b(h)",
    );
    await append(
      store,
      await load(store, 'raw.spine'),
      "SELECT 1 AS k, TIMESTAMP '2001-01-01 00:30:00' AS at, 5 AS distance, true AS late",
    );
    const explained = await store.scoring.explanation(prediction);
    expect(explained).toMatchObject({
      rederived: true,
      differences: [],
      approvedBy: { id: 'ben' },
      trainingSet: { name: 'flights', version: 1 },
      model: 'late',
    });
    expect(explained.sources).toEqual(run.inputs);
    const { x, distance } = explained.features as { x: number; distance: string };
    expect(x + Number(distance)).toBeCloseTo(prediction.output.score as number);
  });

  test('of a spine that is a SELECT, and of a table', async () => {
    const sql = 'SELECT k, "at", distance + 1 AS distance FROM raw.spine WHERE distance < 1010';
    const selected = await scored(store, { source: { spine: { ...spineInput, source: { sql }, labels: [] } } });
    expect(selected.error).toBeNull();
    await append(
      store,
      await load(store, 'raw.spine'),
      "SELECT 1 AS k, TIMESTAMP '2001-01-01 01:30:00' AS at, 6 AS distance, true AS late",
    );
    expect(await store.scoring.explanation(await one(selected))).toMatchObject({ rederived: true, differences: [] });
    const transaction = store.tables.transaction();
    const columns = ['who string', 'day date', 'x double', 'distance long'].map((text) => {
      const [name = '', type = ''] = text.split(' ');
      return { name, type };
    });
    transaction.create({ namespace: ['raw'], name: 'ready' }, { columns });
    await transaction.commit();
    await append(
      store,
      await load(store, 'raw.ready'),
      "SELECT 'it''s ' || i AS who, DATE '2001-02-03' AS day, 0.5 AS x, i AS distance FROM range(3) r(i)",
    );
    const ready = { table: { table: { name: 'raw.ready' }, entityKeys: ['who'], asOf: 'day' } };
    const scoredTable = await scored(store, { source: ready, into: 'predictions.ready' });
    const [edge] = (await store.scoring.predictions({ tables: [await load(store, 'predictions.ready')], first: 1 })).edges;
    expect(scoredTable.error).toBeNull();
    if (edge === undefined) throw new Error('There is no prediction.');
    expect(await store.scoring.explanation(edge.prediction)).toMatchObject({ rederived: true, features: { x: 0.5 } });
  });

  test('says what was changed afterwards', async () => {
    const tampered = await scored(store, { into: 'predictions.tampered' });
    const table = await load(store, 'predictions.tampered');
    const scan = await scanRelation(store.tables, { table, snapshot: resolveAsOf(table) });
    const { files } = await store.duckdb.trusted.use((connection) =>
      writeDataFiles(store.tables, {
        connection,
        metadata: table.metadata,
        relation: `(SELECT * REPLACE (score + 1 AS score, repeat('0', 64) AS features_sha256) FROM ${scan.sql})`,
      }),
    );
    scan.release();
    const transaction = store.tables.transaction();
    transaction.change(
      table,
      overwriteAll(files, {}, () => {}),
    );
    await transaction.commit();
    const [edge] = (
      await store.scoring.predictions({ tables: [await load(store, 'predictions.tampered')], first: 1, runId: tampered.id })
    ).edges;
    if (edge === undefined) throw new Error('There is no prediction.');
    const explained = await store.scoring.explanation(edge.prediction);
    expect(explained.rederived).toBe(false);
    const said = explained.differences.join('\n');
    expect(said).toContain('Its output is');
    expect(said).toContain('Its featuresSha256 is');
    expect(said).toContain('The features derived again have the digest');
  });
});

test('what a prediction rests on cannot be dropped', async () => {
  const transaction = store.tables.transaction();
  transaction.drop(await load(store, 'raw.spine'));
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'PINNED' });
});
