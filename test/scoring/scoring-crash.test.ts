import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { stagedRuns } from '../../src/scoring/scoring-staging.ts';
import { Store } from '../environment/store.ts';
import { ada, ben, call, review } from '../models/registered-model.ts';
import { answerOf, type Behaviour, ModelServer, scoring } from './model-server.ts';
import { approvedVersion, batchInput, load, predictions, prepareModel, scored, select } from './scored-model.ts';

const rows = 95;
const batches = 10;
const leaseMs = 1000;
let store: Store;
let server: ModelServer;

beforeAll(async () => {
  server = await ModelServer.open();
  store = await Store.open({ modelOrigins: [server.url], runLeaseMs: leaseMs });
  await prepareModel(store, server.url, rows);
});
afterAll(async () => {
  await store.close();
  await server.close();
});
beforeEach(() => {
  server.behaviour = scoring();
  server.requests.length = 0;
});

/** Answers so many batches, then lets all others wait until told. */
function holdAfter(answered: number): { readonly behaviour: Behaviour; readonly held: Promise<void>; release(): void } {
  const gate = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  let waiting = 0;
  const behaviour: Behaviour = async ({ inputs, number }) => {
    if (number < answered) return { body: answerOf(inputs) };
    if (++waiting === Math.min(4, batches - answered)) held.resolve();
    await gate.promise;
    return { body: answerOf(inputs) };
  };
  return { behaviour, held: held.promise, release: gate.resolve };
}

async function tableSnapshots(): Promise<number> {
  const table = await store.tables.find({ namespace: ['predictions'], name: 'late' });
  return table?.metadata.snapshots.length ?? 0;
}

test('a server killed in mid-run is taken over, and at most `concurrency` batches are sent again', async () => {
  const before = await tableSnapshots();
  const hold = holdAfter(5);
  server.behaviour = hold.behaviour;
  const child: ChildProcess = fork(join(import.meta.dirname, 'scoring-process.ts'), [
    store.directory,
    server.url,
    String(leaseMs),
  ]);
  const [id] = (await once(child, 'message')) as [string];
  await hold.held;
  // Nobody sees any of it, and what was answered is kept.
  expect(await tableSnapshots()).toBe(before);
  expect(await stagedRuns(store.tables)).toEqual([id]);
  child.kill('SIGKILL');
  await once(child, 'exit');
  const sentBefore = server.requests.length;
  server.behaviour = scoring();
  hold.release();
  await store.runs.begin();
  const run = await store.runs.ended(id);
  expect(run).toMatchObject({ status: 'SUCCEEDED', rowsDone: BigInt(rows), error: null });
  expect(sentBefore).toBe(9);
  expect(server.requests.length).toBeLessThanOrEqual(batches + 4);
  expect(await tableSnapshots()).toBe(before + 1);
  const [counts] = await select(
    store,
    predictions,
    `SELECT count(*)::INT AS n, count(DISTINCT prediction_id)::INT AS ids, count(DISTINCT score)::INT AS scores FROM t WHERE run_id = '${id}'`,
  );
  expect(counts).toEqual({ n: rows, ids: rows, scores: rows });
  await expect.poll(() => stagedRuns(store.tables)).toEqual([]);
}, 30_000);

test('a run that is cancelled commits nothing and leaves nothing', async () => {
  const before = await tableSnapshots();
  const hold = holdAfter(2);
  server.behaviour = hold.behaviour;
  const { id } = await store.scoring.scoreBatch(call(ada), batchInput());
  await hold.held;
  expect(store.scoring.state((await store.runs.get(id)) ?? (await store.runs.ended(id))).rowsFailed).toBe(0n);
  expect(await store.runs.cancel(id, ada)).toMatchObject({ status: 'CANCELLED' });
  await expect.poll(() => stagedRuns(store.tables)).toEqual([]);
  hold.release();
  expect(await tableSnapshots()).toBe(before);
  expect((await load(store, 'raw.spine')).metadata.refs[`icecore-run-${id}`]).toBeUndefined();
});

test('a model that is suspended meanwhile commits nothing', async () => {
  const version = await approvedVersion(store, server.url);
  const hold = holdAfter(2);
  server.behaviour = hold.behaviour;
  const { id } = await store.scoring.scoreBatch(call(ada), batchInput());
  await hold.held;
  await review(store, ben, version, 'SUSPEND');
  hold.release();
  expect(await store.runs.ended(id)).toMatchObject({ status: 'FAILED', error: expect.stringContaining('SUSPENDED') });
  await review(store, ben, version, 'APPROVE');
});

test('an alias that moves meanwhile changes nothing of a run', async () => {
  const version = await approvedVersion(store, server.url);
  const hold = holdAfter(2);
  server.behaviour = hold.behaviour;
  const { id } = await store.scoring.scoreBatch(call(ada), batchInput());
  await hold.held;
  await approvedVersion(store, server.url);
  hold.release();
  expect(store.scoring.state(await store.runs.ended(id)).version).toBe(version.version);
});

test('two runs that make the same table at once both succeed', async () => {
  const runs = await Promise.all([1, 2, 3].map(() => scored(store, { into: 'predictions.raced' })));
  expect(runs.map(({ status, error }) => error ?? status)).toEqual(['SUCCEEDED', 'SUCCEEDED', 'SUCCEEDED']);
  expect(await select(store, 'predictions.raced', 'SELECT count(*)::INT AS n FROM t')).toEqual([{ n: 3 * rows }]);
  expect((await load(store, 'predictions.raced')).metadata.snapshots).toHaveLength(3);
});

test('what a run that is over has left is swept away, what one at work has staged is not', async () => {
  // A server that died between its commit and its tidying: what the run pinned stays.
  const done = await scored(store);
  const staging = `${store.tables.warehouse}/.icecore/staging`;
  const input = { rowCount: rows, spineSources: done.inputs, featureSources: [], location: '' };
  const text = JSON.stringify(input, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value));
  await store.tables.storage.write(`${staging}/${done.id}/input.json`, Buffer.from(text));
  const hold = holdAfter(0);
  server.requests.length = 0;
  server.behaviour = hold.behaviour;
  const { id } = await store.scoring.scoreBatch(call(ada), batchInput());
  await hold.held;
  await store.tables.storage.write(`${staging}/gone/batch-00000000.json`, Buffer.from('{}'));
  await store.scoring.sweep();
  expect(await stagedRuns(store.tables)).toEqual([id]);
  expect((await load(store, 'raw.spine')).metadata.refs[`icecore-run-${done.id}`]).toBeDefined();
  hold.release();
  expect((await store.runs.ended(id)).error).toBeNull();
});
