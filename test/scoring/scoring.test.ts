import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { localCaller } from '../../src/access/local-caller.ts';
import { SigningKey } from '../../src/audit/signing-key.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import { Runs } from '../../src/runs/runs.ts';
import { AllowedOrigins } from '../../src/scoring/allowed-origins.ts';
import { Scoring } from '../../src/scoring/scoring.ts';
import { stagedRuns } from '../../src/scoring/scoring-staging.ts';
import { Store } from '../environment/store.ts';
import { ada, append, ben, call, review } from '../models/registered-model.ts';
import { answerOf, ModelServer, scoring } from './model-server.ts';
import { approvedVersion, batchInput, createTable, load, predictions, prepareModel, scored, select } from './scored-model.ts';

const rows = 95;
let store: Store;
let server: ModelServer;

beforeAll(async () => {
  server = await ModelServer.open();
  store = await Store.open({
    modelOrigins: [server.url],
    endpointLimits: { attemptsMax: 3, pauseMsMin: 1, pauseMsMax: 5 },
  });
  await prepareModel(store, server.url, rows);
});
afterAll(async () => {
  await store.close();
  await server.close();
});
beforeEach(() => {
  server.behaviour = scoring();
  server.requests.length = 0;
  server.busiest = 0;
});

/** How many snapshots the predictions table has; 0 before there is one. */
async function snapshotCount(): Promise<number> {
  return (await store.tables.find({ namespace: ['predictions'], name: 'late' }))?.metadata.snapshots.length ?? 0;
}

describe('a run that goes well', () => {
  test('scores every row once and commits one snapshot, with all that belongs to it', async () => {
    const before = await snapshotCount();
    const run = await scored(store);
    expect(run).toMatchObject({ status: 'SUCCEEDED', kind: 'SCORING', rowsDone: 95n, rowsTotal: 95n, error: null });
    expect(await snapshotCount()).toBe(before + 1);
    expect(server.rowsSent).toBe(rows);
    expect(server.requests).toHaveLength(10);
    expect(server.requests[0]?.path).toBe('/v2/models/late/versions/1/infer');
    expect(server.busiest).toBeLessThanOrEqual(4);
    const [wrong] = await select(
      store,
      predictions,
      // At half past the newest hour counts: x = key + hour / 100.
      `SELECT count(*)::INT AS n, count(*) FILTER (abs(score - (k + hour(as_of) / 100 + 1000 + i)) > 1e-9)::INT AS wrong
       FROM t JOIN (SELECT i, i % 10 AS key, TIMESTAMPTZ '2001-01-01 00:30:00Z' + INTERVAL (i % 23) HOUR AS moment FROM range(${rows}) r(i)) s
         ON s.key = t.k AND s.moment = t.as_of AND abs(score - 1000 - i) < 10 WHERE run_id = '${run.id}'`,
    );
    expect(wrong).toEqual({ n: rows, wrong: 0 });
    const [facts] = await select(
      store,
      predictions,
      `SELECT DISTINCT model_name, model_version, model_identity, status, error, feature_set_hash IS NOT NULL AS hashed,
        feature_snapshots, run_id FROM t WHERE run_id = '${run.id}'`,
    );
    const version = await store.models.read.require('late', { alias: 'champion' });
    expect(facts).toMatchObject({
      model_name: 'late',
      model_version: version.version,
      model_identity: 'REPORTED',
      status: 'OK',
      error: null,
      hashed: true,
    });
    expect(facts?.feature_snapshots).toEqual(run.inputs.map((ref) => ({ key: ref.tableName, value: ref.snapshotId.toString() })));
    expect(run.inputs.map(({ tableName }) => tableName)).toEqual(['raw.spine', 'features.hourly']);
    expect(store.scoring.state(run)).toMatchObject({ modelIdentity: 'REPORTED', rowsFailed: 0n, assurance: 'CREDENTIAL' });
    expect(store.scoring.state(run).rowsPerSecond).toBeGreaterThan(0);
    expect(await store.scoring.runsOf({ model: 'late', version: version.version }, { first: 5, after: null })).toMatchObject([
      { id: run.id },
    ]);
    expect(await stagedRuns(store.tables)).toEqual([]);
  });

  test('pins its inputs, and records lineage and audit', async () => {
    const run = await scored(store);
    for (const ref of run.inputs) {
      const { metadata } = await load(store, ref.tableName);
      expect(metadata.refs[`icecore-run-${run.id}`]).toMatchObject({ snapshotId: ref.snapshotId, maxRefAgeMs: neverExpiresMs });
    }
    const output = run.outputs[0];
    if (output === undefined) throw new Error('The run has no output.');
    const of = { kind: 'TABLE', uuid: output.tableUuid, version: output.snapshotId.toString(), name: '' } as const;
    const graph = await store.lineage.graph({ of: [of], direction: 'UPSTREAM' });
    const names = graph.nodes.map(({ kind, name }) => `${kind} ${name}`);
    for (const name of ['TABLE raw.spine', 'TABLE features.hourly', 'MODEL_VERSION late', 'TRAINING_SET flights']) {
      expect(names).toContain(name);
    }
    const columnsFrom = (table: string) =>
      graph.edges
        .find(({ from, to }) => from.name === table && to.name === predictions)
        ?.columns.map(({ from, to }) => `${from} > ${to}`);
    expect(columnsFrom('raw.spine')).toEqual(['k > k', 'at > as_of', 'distance > score']);
    expect(columnsFrom('features.hourly')).toEqual(['x > score']);
    const { entries } = await store.audit.entries({ subject: `table/${output.tableUuid}@${output.snapshotId}` });
    expect(JSON.parse(entries[0]?.payload ?? '{}')).toMatchObject({
      run: run.id,
      model: 'late',
      rows: '95',
      modelIdentity: 'REPORTED',
    });
  });

  test('a repetition with its key gives the same run', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => store.scoring.scoreBatch(call(ada, 'once', {}), batchInput())));
    expect(second?.id).toBe(first?.id);
    await store.runs.ended(first?.id ?? '');
    expect(server.rowsSent).toBe(rows);
  });

  test('rows of a table that has the inputs, at a snapshot', async () => {
    const transaction = store.tables.transaction();
    transaction.create(
      { namespace: ['raw'], name: 'ready' },
      {
        columns: [
          { name: 'who', type: 'string' },
          { name: 'day', type: 'date' },
          { name: 'x', type: 'float' },
          { name: 'distance', type: 'int' },
        ],
      },
    );
    await transaction.commit();
    const table = await append(
      store,
      await load(store, 'raw.ready'),
      "SELECT 'a' || i AS who, DATE '2001-02-03' AS day, NULL::FLOAT AS x, i::INT AS distance FROM range(3) r(i)",
    );
    await append(store, table, "SELECT 'later' AS who, DATE '2001-02-03' AS day, 1::FLOAT AS x, 7::INT AS distance");
    const asOf = { snapshotId: table.metadata.currentSnapshotId ?? 0n };
    const run = await scored(store, {
      source: { table: { table: { name: 'raw.ready', asOf }, entityKeys: ['who'], asOf: 'day' } },
      into: 'predictions.ready',
    });
    expect(run).toMatchObject({ status: 'SUCCEEDED', inputs: [{ snapshotId: asOf.snapshotId }] });
    expect(await select(store, 'predictions.ready', 'SELECT who, as_of, score FROM t ORDER BY who')).toEqual(
      [0, 1, 2].map((i) => ({ who: `a${i}`, as_of: '2001-02-03 00:00:00+00', score: i })),
    );
  });

  test('an endpoint that names no version leaves the identity asserted', async () => {
    server.behaviour = scoring({ model: 'late' });
    expect(store.scoring.state(await scored(store)).modelIdentity).toBe('ASSERTED');
  });
});

describe('the edges of a run', () => {
  test('no rows make a snapshot without rows', async () => {
    await createTable(store, 'raw.empty');
    const before = await snapshotCount();
    const spine = { source: { table: { name: 'raw.empty' } }, eventTime: 'at', labels: [] };
    expect(await scored(store, { source: { spine } })).toMatchObject({ status: 'SUCCEEDED', rowsDone: 0n, rowsTotal: 0n });
    expect(await snapshotCount()).toBe(before + 1);
    expect(server.requests).toHaveLength(0);
  });

  test('a row without a moment is refused, and said', async () => {
    await createTable(store, 'raw.timeless');
    await append(store, await load(store, 'raw.timeless'), 'SELECT 1 AS k, NULL::TIMESTAMP AS at, 1 AS distance, true AS late');
    const spine = { source: { table: { name: 'raw.timeless' } }, eventTime: 'at', labels: [] };
    expect(await scored(store, { source: { spine } })).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('no moment'),
    });
  });

  test('where no version was asked for, one is enough and two are too many', async () => {
    const endpoint = { url: server.url, protocol: 'OPEN_INFERENCE_V2', model: 'late', version: null } as const;
    await approvedVersion(store, server.url, { endpoint });
    server.behaviour = scoring({ model: 'late', version: '7' });
    expect(store.scoring.state(await scored(store)).modelIdentity).toBe('REPORTED');
    server.behaviour = ({ inputs, number }) => ({ body: answerOf(inputs, { model: 'late', version: number < 12 ? '7' : '8' }) });
    expect(await scored(store)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('versions') });
    await approvedVersion(store, server.url);
  });

  test('what nobody’s identity stands behind says so', async () => {
    const local = await Store.open({ modelOrigins: [server.url], allowLocalApproval: true }, store.directory);
    const { id } = await local.scoring.scoreBatch(call(localCaller), batchInput({ into: 'predictions.local' }));
    const run = await local.runs.ended(id);
    expect(local.scoring.state(run).assurance).toBe('LOCAL');
    const { edges } = await local.scoring.predictions({ tables: [await load(local, 'predictions.local')], first: 1 });
    expect(edges[0]?.prediction.assurance).toBe('LOCAL');
    await local.close();
  });

  test('an approval that another key signed does not count', async () => {
    const options = {
      ...store,
      models: store.models.read,
      publicKeys: [SigningKey.ephemeral().publicKey],
      origins: new AllowedOrigins([server.url]),
    };
    const runs = new Runs({ ...store, transaction: () => store.tables.transaction() });
    await expect(new Scoring({ ...options, runs }).scoreBatch(call(ada), batchInput())).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
    });
    await runs.close();
  });
});

describe('an endpoint that does not answer well', () => {
  test('time-outs, 429, 5xx and broken connections are tried again', async () => {
    const endpointLimits = { callMsMax: 500, attemptsMax: 10, pauseMsMin: 1, pauseMsMax: 5 };
    const hasty = await Store.open({ modelOrigins: [server.url], endpointLimits }, store.directory);
    const tried = new Map<unknown, number>();
    server.behaviour = async ({ inputs }) => {
      const batch = inputs.distance?.[0];
      const times = (tried.get(batch) ?? 0) + 1;
      tried.set(batch, times);
      if (times > 1) return { body: answerOf(inputs) };
      const kind = Number(batch) % 4;
      if (kind === 0) return { status: 503, body: 'busy' };
      if (kind === 1) return { status: 429, headers: { 'retry-after': '0' }, body: 'slowly' };
      return kind === 2 ? 'break' : await new Promise<never>(() => {});
    };
    expect(await scored(hasty, { batchSize: 9 })).toMatchObject({ status: 'SUCCEEDED', error: null });
    expect(tried.size).toBe(11);
    expect(Math.min(...tried.values())).toBe(2);
    await hasty.close();
  });

  test('one that never answers fails the run, and nothing is committed', async () => {
    const before = await snapshotCount();
    server.behaviour = () => ({ status: 500, body: 'out of order' });
    const run = await scored(store);
    expect(run.status).toBe('FAILED');
    expect(run.error).toContain('3 attempts');
    expect(await snapshotCount()).toBe(before);
    expect(await stagedRuns(store.tables)).toEqual([]);
    const { metadata } = await load(store, 'raw.spine');
    expect(metadata.refs[`icecore-run-${run.id}`]).toBeUndefined();
  });

  test('a 4xx fails its rows with the server’s words, as many as may', async () => {
    server.behaviour = ({ inputs }) =>
      inputs.distance?.includes(1000) ? { status: 422, body: { error: 'no such airport' } } : { body: answerOf(inputs) };
    const strict = await scored(store, { maxFailedShare: 0.1 });
    expect(strict.status).toBe('FAILED');
    expect(strict.error).toContain('rows failed');
    const run = await scored(store, { maxFailedShare: 0.11 });
    expect(run.status).toBe('SUCCEEDED');
    expect(store.scoring.state(run).rowsFailed).toBe(10n);
    const failed = await select(
      store,
      predictions,
      `SELECT DISTINCT status, error, score FROM t WHERE run_id = '${run.id}' AND status <> 'OK'`,
    );
    expect(failed).toEqual([{ status: 'FAILED', error: '422: no such airport', score: null }]);
  });

  test('rows that lack a required input are not sent', async () => {
    await createTable(store, 'raw.holes');
    await append(
      store,
      await load(store, 'raw.holes'),
      "SELECT 1 AS k, TIMESTAMP '2001-01-01 05:00:00' AS at, CASE WHEN i % 2 = 0 THEN i END AS distance, true AS late FROM range(4) r(i)",
    );
    const spine = { source: { table: { name: 'raw.holes' } }, eventTime: 'at', labels: ['late'] };
    const run = await scored(store, { source: { spine }, maxFailedShare: 0.5 });
    expect(run.status).toBe('SUCCEEDED');
    expect(server.rowsSent).toBe(2);
    const failed = await select(store, predictions, `SELECT error FROM t WHERE run_id = '${run.id}' AND status = 'FAILED'`);
    expect(failed).toHaveLength(2);
    expect(String(failed[0]?.error)).toContain('"distance"');
  });

  const wrong: readonly (readonly [string, (scores: readonly number[]) => unknown, string])[] = [
    ['too few values', (scores) => scores.slice(1), '9 values'],
    ['text for numbers', (scores) => scores.map(() => 'high'), 'score'],
    ['nothing for a required output', (scores) => scores.map(() => null), 'has no value'],
  ];
  for (const [what, change, said] of wrong) {
    test(`${what} fail the run`, async () => {
      const before = await snapshotCount();
      server.behaviour = ({ inputs }) => {
        const answer = answerOf(inputs) as { outputs: { data: number[] }[] };
        return { body: { ...answer, outputs: answer.outputs.map((output) => ({ ...output, data: change(output.data) })) } };
      };
      const run = await scored(store, { maxFailedShare: 1 });
      expect(run.status).toBe('FAILED');
      expect(run.error).toContain(said);
      expect(await snapshotCount()).toBe(before);
    });
  }

  test('an answer of another version, or of another model, fails the run', async () => {
    server.behaviour = scoring({ model: 'late', version: '2' });
    expect(await scored(store, { maxFailedShare: 1 })).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('version "2"'),
    });
    server.behaviour = scoring({ model: 'early', version: '1' });
    expect(await scored(store, { maxFailedShare: 1 })).toMatchObject({
      status: 'FAILED',
      error: expect.stringContaining('"early"'),
    });
  });

  test('a redirect is not followed', async () => {
    server.behaviour = ({ path, inputs }) =>
      path === '/elsewhere' ? { body: answerOf(inputs) } : { status: 307, headers: { location: '/elsewhere' }, body: '' };
    const run = await scored(store, { maxFailedShare: 1 });
    expect(run).toMatchObject({ status: 'FAILED', error: expect.stringContaining('redirects') });
    expect(server.requests.some(({ path }) => path === '/elsewhere')).toBe(false);
  });

  test('an answer that is no JSON fails the run', async () => {
    server.behaviour = () => ({ body: '<html>' });
    expect(await scored(store)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('no JSON') });
  });
});

describe('what is refused before a run begins', () => {
  const refused = (rest: Parameters<typeof batchInput>[0], code: string, who = ada) =>
    expect(store.scoring.scoreBatch(call(who), batchInput(rest))).rejects.toMatchObject({ code });

  test('bad input', async () => {
    await refused({}, 'FORBIDDEN', ben);
    await refused({ batchSize: 0 }, 'BAD_USER_INPUT');
    await refused({ concurrency: 1000 }, 'BAD_USER_INPUT');
    await refused({ maxFailedShare: 1.5 }, 'BAD_USER_INPUT');
    await refused({ into: 'icecore.predictions' }, 'FORBIDDEN');
    await refused({ into: 'raw.spine' }, 'FAILED_PRECONDITION');
    await refused({ modelVersion: { model: 'late', selector: { number: 99 } } }, 'NOT_FOUND');
    await refused({ modelVersion: { model: 'late', selector: { alias: 'none' } } }, 'NOT_FOUND');
    const spine = (name: string, eventTime = 'at', labels: string[] = []) => ({
      spine: { source: { table: { name } }, eventTime, labels },
    });
    await refused({ source: spine('raw.nothing') }, 'NOT_FOUND');
    await refused({ source: spine('raw.spine', 'k') }, 'BAD_USER_INPUT');
    // A label can be no input.
    await refused({ source: spine('raw.spine', 'at', ['distance']) }, 'BAD_USER_INPUT');
    await refused({ source: { table: { table: { name: 'raw.spine' }, entityKeys: ['k'], asOf: 'at' } } }, 'BAD_USER_INPUT');
    await refused({ source: { table: { table: { name: 'raw.spine' }, entityKeys: [], asOf: 'at' } } }, 'BAD_USER_INPUT');
  });

  test('a version that is not approved, and one whose endpoint may not be called', async () => {
    const suspended = await approvedVersion(store, server.url);
    await review(store, ben, suspended, 'SUSPEND');
    await refused({ modelVersion: { model: 'late', selector: { number: suspended.version } } }, 'FAILED_PRECONDITION');
    const elsewhere = await approvedVersion(store, 'http://169.254.169.254/latest');
    await refused({ modelVersion: { model: 'late', selector: { number: elsewhere.version } } }, 'FORBIDDEN');
    const nowhere = await approvedVersion(store, server.url, { endpoint: null });
    await refused({ modelVersion: { model: 'late', selector: { number: nowhere.version } } }, 'FAILED_PRECONDITION');
    await approvedVersion(store, server.url);
  });

  test('a table of other outputs', async () => {
    const signature = {
      inputs: [{ name: 'x', type: 'double', required: false }],
      outputs: [{ name: 'other', type: 'double', required: true }],
    };
    const other = await approvedVersion(store, server.url, { signature });
    await refused({ modelVersion: { model: 'late', selector: { number: other.version } } }, 'FAILED_PRECONDITION');
    const clashing = { ...signature, outputs: [{ name: 'status', type: 'string', required: true }] };
    const clash = await approvedVersion(store, server.url, { signature: clashing });
    await refused(
      { modelVersion: { model: 'late', selector: { number: clash.version } }, into: 'predictions.clash' },
      'BAD_USER_INPUT',
    );
    await approvedVersion(store, server.url);
  });
});
