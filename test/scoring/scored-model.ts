import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import type { ModelVersion } from '../../src/models/model.ts';
import type { NewModelVersion } from '../../src/models/version-registration.ts';
import type { Run } from '../../src/runs/run.ts';
import type { ScoreBatchInput } from '../../src/scoring/score-batch-input.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import type { Table } from '../../src/tables/table.ts';
import type { Store } from '../environment/store.ts';
import { ada, append, ben, call, review } from '../models/registered-model.ts';

export const predictions = 'predictions.late';

/**
 * Feature rows of keys 0 to 9 at each of 24 hours, x = key + hour / 100; a spine of so many rows at half past, with distances; a training
 * set of them; and `late`, a model that was trained on it and is served at `url`, approved, and champion.
 */
export async function prepareModel(
  store: Store,
  url: string,
  rows: number,
  rest: Partial<NewModelVersion> = {},
): Promise<ModelVersion> {
  await store.features.createFeatureTable(call(ada), {
    name: 'features.hourly',
    columns: [
      { name: 'k', type: 'long', required: true },
      { name: 'at', type: 'timestamp', required: true },
      { name: 'x', type: 'double' },
    ],
    entityKeys: ['k'],
    eventTime: 'at',
  });
  await append(
    store,
    await load(store, 'features.hourly'),
    "SELECT k, TIMESTAMP '2001-01-01' + INTERVAL (h) HOUR AS at, k + h / 100 AS x FROM range(10) a(k), range(24) b(h)",
  );
  await createTable(store, 'raw.spine');
  await append(
    store,
    await load(store, 'raw.spine'),
    `SELECT i % 10 AS k, TIMESTAMP '2001-01-01 00:30:00' + INTERVAL (i % 23) HOUR AS at, 1000 + i AS distance, i % 3 = 0 AS late FROM range(${rows}) r(i)`,
  );
  await store.featureSets.createFeatureSet(call(ada), { name: 'hourly', features: [{ table: 'features.hourly', feature: 'x' }] });
  const run = await store.training.createTrainingSet(call(ada), {
    name: 'flights',
    spine: spineInput,
    featureSet: 'hourly',
    featureSetVersion: 1,
    pins: [],
    options: { boundary: 'INCLUSIVE', knowledge: 'IGNORE', onTie: 'ERROR', nulls: 'KEEP', matchStatus: false },
    split: null,
  });
  const made = await store.runs.ended(run.id);
  if (made.status !== 'SUCCEEDED') throw new Error(`The training set failed: ${made.error}`);
  await store.models.register(call(ada), { name: 'late' });
  return await approvedVersion(store, url, rest);
}

/** The next version of `late`, approved and champion. */
export async function approvedVersion(store: Store, url: string, rest: Partial<NewModelVersion> = {}): Promise<ModelVersion> {
  const draft = await store.models.registerVersion(call(ada), {
    model: 'late',
    trainedOn: { trainingSet: { name: 'flights', version: 1 } },
    metrics: [],
    signature: {
      inputs: [
        { name: 'x', type: 'double', required: false },
        { name: 'distance', type: 'long', required: true },
      ],
      outputs: [{ name: 'score', type: 'double', required: true }],
    },
    artifactUri: null,
    artifactSha256: 'ef'.repeat(32),
    endpoint: { url, protocol: 'OPEN_INFERENCE_V2', model: 'late', version: '1' },
    authors: [],
    ...rest,
  });
  const submitted = await store.models.submit(call(ada), 'late', { number: draft.version }, null);
  const approved = await review(store, ben, submitted, 'APPROVE');
  await store.models.setAlias(call(ben), { model: 'late', alias: 'champion', version: approved.version, reason: null });
  return approved;
}

export const spineInput = { source: { table: { name: 'raw.spine' } }, eventTime: 'at', labels: ['late'] };

export function batchInput(rest: Partial<ScoreBatchInput> = {}): ScoreBatchInput {
  return {
    modelVersion: { model: 'late', selector: { alias: 'champion' } },
    source: { spine: spineInput },
    into: predictions,
    batchSize: 10,
    concurrency: 4,
    maxFailedShare: 0,
    ...rest,
  };
}

/** A scoring run at its end. */
export async function scored(store: Store, rest: Partial<ScoreBatchInput> = {}): Promise<Run> {
  const { id } = await store.scoring.scoreBatch(call(ada), batchInput(rest));
  return await store.runs.ended(id);
}

export async function createTable(store: Store, name: string): Promise<void> {
  const transaction = store.tables.transaction();
  transaction.create(parseIdentifier(name), {
    columns: [
      { name: 'k', type: 'long' },
      { name: 'at', type: 'timestamp' },
      { name: 'distance', type: 'long' },
      { name: 'late', type: 'boolean' },
    ],
  });
  await transaction.commit();
}

export async function load(store: Store, name: string): Promise<Table> {
  return await store.tables.load(parseIdentifier(name));
}

/** The answer to a SELECT over `t`, a table as it is now. */
export async function select(store: Store, name: string, sql: string): Promise<readonly Record<string, unknown>[]> {
  const table = await load(store, name);
  const scan = await scanRelation(store.tables, { table, snapshot: resolveAsOf(table) });
  try {
    return await store.duckdb.trusted.use(async (connection) =>
      (await connection.runAndReadAll(`WITH t AS ${scan.sql} ${sql}`)).getRowObjectsJson(),
    );
  } finally {
    scan.release();
  }
}
