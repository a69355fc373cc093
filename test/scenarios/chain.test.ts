import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { auditTrail } from '../../src/audit/audit-trail.ts';
import type { AuditStep } from '../../src/audit/trail-steps.ts';
import type { LineageGraph } from '../../src/lineage/lineage-graph.ts';
import { lineageKey } from '../../src/lineage/lineage-key.ts';
import type { LineageRef } from '../../src/lineage/lineage-record.ts';
import type { Run } from '../../src/runs/run.ts';
import { overwriteAll } from '../../src/tables/actions/replace-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import { resolveAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import { describeWith } from '../environment/tool.ts';
import { ada, ben, ChainStore, eve, flightsOf } from './chain-store.ts';

describe('from one prediction back to raw data', () => {
  let store: ChainStore;
  let staged: LineageRef;
  /** The snapshot of raw.flights that the features were computed from. */
  let read: LineageRef;
  let materialization: Run;
  let features: LineageRef;
  let training: Run;
  let trainingData: LineageRef;
  let first: { readonly run: Run; readonly prediction: LineageRef };
  let second: { readonly run: Run; readonly prediction: LineageRef };
  let between: LineageRef;

  beforeAll(async () => {
    store = await ChainStore.open();
    await store.createRaw('raw.staging');
    await store.createRaw('raw.flights');
    staged = await store.write('raw.staging', flightsOf(1));
    await store.write('raw.flights', { sql: 'SELECT * FROM raw.staging' });
    read = await store.write('raw.flights', flightsOf(2));
    await store.declareFeatures();
    materialization = await store.materialize();
    features = await store.now('features.origin');
    await store.write('raw.flights', flightsOf(3));
    await store.icecore.featureSets.createFeatureSet(store.as(ada), {
      name: 'origins',
      features: [{ table: 'features.origin', feature: 'x' }],
    });
    training = await store.train();
    trainingData = await store.now('training.late');
    await store.approve();
    first = await store.score();
    between = await store.write('raw.flights', flightsOf(4));
    second = await store.score();
  }, 120_000);
  afterAll(() => store.close());

  const upstream = (of: LineageRef) => store.icecore.lineage.graph({ of: [of], direction: 'UPSTREAM' });
  const trail = (of: LineageRef) => auditTrail(store.icecore, [of]);
  const has = (graph: LineageGraph, ref: Pick<LineageRef, 'kind' | 'uuid' | 'version'>) =>
    graph.nodes.some((node) => lineageKey(node) === lineageKey(ref));
  const entry = ({ kind, entrySeq }: AuditStep) => `${entrySeq} ${kind}`;
  const keys = (graph: LineageGraph) => graph.nodes.map((node) => lineageKey(node)).sort();

  test('lineage reaches the very snapshot that the features were computed from, and is complete', async () => {
    const graph = await upstream(first.prediction);
    expect(graph.incompleteBecause).toEqual([]);
    expect(graph.complete).toBe(true);
    const edge = graph.edges.find(({ to, from }) => lineageKey(to) === lineageKey(features) && from.uuid === read.uuid);
    expect(edge).toMatchObject({ from: read, runId: materialization.id });
    for (const kind of ['RUN', 'MODEL_VERSION', 'TRAINING_SET', 'FEATURE_SET', 'FEATURE']) {
      expect(graph.nodes.filter((node) => node.kind === kind).map(({ state }) => state)).toEqual(['PRESENT']);
    }
    // Rows that were copied by a SELECT come from where they were copied from.
    expect(has(graph, staged)).toBe(true);
  });

  test('every step of it has an id by which it is found again', async () => {
    const { edges } = await upstream(first.prediction);
    expect(edges.some(({ id }) => id.startsWith('implied:'))).toBe(true);
    for (const edge of edges) expect(await store.icecore.lineage.edge(edge.id)).toEqual(edge);
    for (const id of ['implied:', 'implied:[]', 'implied:["PREDICTION",1,null]', 'none', 'none:read'])
      expect(await store.icecore.lineage.edge(id)).toBeNull();
  });

  test('it holds its own run alone, and nothing that came later', async () => {
    const [one, two] = [await upstream(first.prediction), await upstream(second.prediction)];
    const run = (of: Run) => ({ kind: 'RUN', uuid: of.id, version: null }) as const;
    expect([has(one, run(first.run)), has(one, run(second.run)), has(two, run(first.run))]).toEqual([true, false, false]);
    expect([has(one, between), has(two, between)]).toEqual([false, true]);
    expect(one.nodes.some(({ name }) => name === 'predictions.late')).toBe(false);
    expect(await store.icecore.lineage.node(first.prediction)).toMatchObject({
      name: expect.stringMatching(/^predictions\.late\/[0-9a-f]{32}$/),
      state: 'PRESENT',
    });
  });

  test('a training set hangs together with its rows, its features and its sources', async () => {
    const set: LineageRef = { kind: 'TRAINING_SET', uuid: 'late', version: '1', name: 'late' };
    const graph = await upstream(set);
    const into = graph.edges.filter(({ to }) => lineageKey(to) === lineageKey(set)).map(({ from }) => lineageKey(from));
    expect(into).toEqual(expect.arrayContaining([trainingData, features].map(lineageKey)));
    expect(into).toContain(lineageKey({ kind: 'FEATURE_SET', uuid: 'origins', version: '1' }));
    for (const { tableUuid, snapshotId } of training.inputs) {
      expect(into).toContain(lineageKey({ kind: 'TABLE', uuid: tableUuid, version: snapshotId.toString() }));
    }
    const columns = graph.edges.find(({ from, to }) => from.uuid === features.uuid && to.uuid === trainingData.uuid)?.columns;
    expect(columns).toEqual([{ from: 'x', to: 'x', transformation: 'point in time' }]);
  });

  test('the next version of a training set owes nothing to the rows of the one before', async () => {
    await store.train();
    const graph = await upstream({ kind: 'TRAINING_SET', uuid: 'late', version: '2', name: 'late' });
    expect(graph.complete).toBe(true);
    expect(graph.nodes.some(({ name }) => name === 'training.late')).toBe(true);
    expect(has(graph, trainingData)).toBe(false);
  });

  test('the audit trail tells every step in order, by whom, with its entry', async () => {
    const { steps, missing, complete, assurance, chain } = await trail(first.prediction);
    expect(missing).toEqual([]);
    expect({ complete, assurance, consistent: chain.consistent }).toEqual({
      complete: true,
      assurance: 'CREDENTIAL',
      consistent: true,
    });
    expect(steps.map(({ kind, by, node }) => `${by?.id} ${kind} ${node.kind} ${node.kind === 'RUN' ? '' : node.name}`)).toEqual([
      'bob createTable TABLE raw.staging',
      'bob createTable TABLE raw.flights',
      'bob writeRows TABLE raw.staging',
      'bob writeRows TABLE raw.flights',
      'bob writeRows TABLE raw.flights',
      'ada createFeatureTable TABLE features.origin',
      'ada materializeFeatures TABLE features.origin',
      'bob writeRows TABLE raw.flights',
      'ada createFeatureSet FEATURE_SET origins',
      'ada createTrainingSet TRAINING_SET late',
      'ada registerModel MODEL_VERSION late',
      'ada registerModelVersion MODEL_VERSION late',
      'ada submitModelVersion MODEL_VERSION late',
      'ben reviewModelVersion MODEL_VERSION late',
      'ben setModelAlias MODEL_VERSION late',
      'ada scoreBatch RUN ',
    ]);
    const places = steps.map(({ entrySeq, atMicros }) => [Number(entrySeq), Number(atMicros)] as const);
    expect(places).toEqual(places.toSorted(([one], [two]) => one - two));
    expect(places).toEqual(places.toSorted(([, one], [, two]) => one - two));
    const detail = (kind: string) => steps.findLast((step) => step.kind === kind)?.detail;
    expect(steps[4]?.detail).toMatchObject({ table: 'raw.flights', snapshotId: read.version, mode: 'APPEND', rowsAdded: '3' });
    expect(detail('materializeFeatures')).toMatchObject({
      featureTable: 'features.origin',
      snapshotId: features.version,
      rows: '6',
      sources: [{ table: 'raw.flights', snapshotId: read.version }],
    });
    expect(detail('createTrainingSet')).toMatchObject({ name: 'late', version: 1, rows: '9', snapshotId: trainingData.version });
    expect(detail('reviewModelVersion')).toMatchObject({
      model: 'late',
      version: 1,
      decision: 'APPROVE',
      meaning: 'I approve its use for gate planning',
    });
    expect(detail('scoreBatch')).toMatchObject({
      model: 'late',
      version: 1,
      rows: '9',
      rowsFailed: 0,
      predictionsTable: 'predictions.late',
    });
  });

  test('the trail of a model version has its approval, and every kind of thing has a trail of its own', async () => {
    const model = await trail({ kind: 'MODEL_VERSION', uuid: 'late', version: '1', name: 'late' });
    expect(model.complete).toBe(true);
    expect(model.steps.map(({ kind }) => kind)).toContain('reviewModelVersion');
    expect(model.steps.at(-1)).toMatchObject({ kind: 'setModelAlias', by: { id: 'ben' } });
    expect(model.steps.some(({ kind }) => kind === 'scoreBatch')).toBe(false);
    const run: LineageRef = { kind: 'RUN', uuid: training.id, version: null, name: training.id };
    const set: LineageRef = { kind: 'FEATURE_SET', uuid: 'origins', version: '1', name: 'origins' };
    for (const of of [read, features, set, run, await store.now('predictions.late')]) {
      expect({ of: of.kind, missing: (await trail(of)).missing }).toEqual({ of: of.kind, missing: [] });
    }
  });

  test('the recall question: the raw snapshot leads to the predictions', async () => {
    const recall = await store.icecore.lineage.impact({ of: [read] });
    expect(recall.complete).toBe(true);
    const written = [...first.run.outputs, ...second.run.outputs];
    expect(written).toHaveLength(2);
    for (const { tableUuid, snapshotId } of written) {
      expect(has(recall, { kind: 'TABLE', uuid: tableUuid, version: snapshotId.toString() })).toBe(true);
    }
    expect(has(recall, { kind: 'MODEL_VERSION', uuid: 'late', version: '1' })).toBe(true);
    const late = await store.icecore.lineage.impact({ of: [between] });
    expect(has(late, { kind: 'MODEL_VERSION', uuid: 'late', version: '1' })).toBe(false);
  });

  test('after compaction, expiry and a dropped table the chain is as whole as before', async () => {
    const before = await upstream(first.prediction);
    const { maintenance, tableOperations } = store.icecore;
    const table = 'raw.flights';
    await store.end(maintenance.compact(store.as(eve), { table, targetFileSizeBytes: null, where: null, dryRun: false }));
    const { result } = await maintenance.expire(store.as(eve), { table, olderThanMs: store.nowMs, keepLast: 1, dryRun: false });
    expect(result.removed).toContain(read.version);
    await tableOperations.dropTable(store.as(eve), 'raw.staging', true);
    const after = await upstream(first.prediction);
    expect(after.incompleteBecause).toEqual([]);
    expect(keys(after)).toEqual(expect.arrayContaining(keys(before)));
    for (const ref of [read, staged]) {
      expect(after.nodes.find((node) => lineageKey(node) === lineageKey(ref))).toMatchObject({
        name: ref.name,
        state: 'DELETED',
      });
    }
    const found = await trail(first.prediction);
    expect(found.missing).toEqual([]);
    expect(found.steps.filter(({ kind }) => kind === 'writeRows')).toHaveLength(4);
    // What was done to the tables after it was scored is no step of it.
    expect(found.steps.at(-1)?.kind).toBe('scoreBatch');
  });

  test('whatever is done to the tables afterwards, the chain stays as it was', async () => {
    const before = { keys: keys(await upstream(first.prediction)), steps: (await trail(first.prediction)).steps.map(entry) };
    const { maintenance } = store.icecore;
    const tables = ['raw.flights', 'features.origin', 'training.late', 'predictions.late'] as const;
    const acts = {
      append: () => store.write('raw.flights', flightsOf(5)),
      overwrite: () => store.write('raw.flights', flightsOf(6), 'OVERWRITE'),
      materialize: () => store.materialize(),
      train: () => store.train(),
      score: () => store.score(),
      compact: (table: string) =>
        store.end(maintenance.compact(store.as(eve), { table, targetFileSizeBytes: null, where: null, dryRun: false })),
      manifests: (table: string) => store.end(maintenance.rewriteManifests(store.as(eve), { table, dryRun: false })),
      expire: (table: string) =>
        maintenance.expire(store.as(eve), { table, olderThanMs: store.nowMs, keepLast: 1, dryRun: false }),
    };
    const act = fc.tuple(fc.constantFrom(...(Object.keys(acts) as (keyof typeof acts)[])), fc.constantFrom(...tables));
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 3, maxLength: 6 }), async (sequence) => {
        for (const [name, table] of sequence) await acts[name](table);
        const graph = await upstream(first.prediction);
        expect(graph.incompleteBecause).toEqual([]);
        expect(keys(graph)).toEqual(before.keys);
        const found = await trail(first.prediction);
        expect(found.missing).toEqual([]);
        expect(found.steps.map(entry)).toEqual(before.steps);
      }),
      // The acts add up, so a failure cannot be shrunk.
      { numRuns: 8, endOnFailure: true },
    );
  });

  test('a prediction that nobody made is not passed over in silence', async () => {
    const [table = ''] = first.prediction.uuid.split('/');
    const graph = await upstream({ ...first.prediction, uuid: `${table}/${'0'.repeat(32)}` });
    expect(graph).toMatchObject({ complete: false, root: { state: 'DELETED' } });
    expect(graph.incompleteBecause.join()).toContain('is gone, and with it the run that made it');
    const early = { of: [first.prediction], direction: 'UPSTREAM', asOfMicros: 0n } as const;
    expect((await store.icecore.lineage.graph(early)).incompleteBecause.join()).toContain('was not made by then');
  });

  describeWith(['python3'], 'the exported log', () => {
    test('holds by itself and up to its checkpoint for whoever has Python', async () => {
      const { audit, config, ledger, selects } = store.icecore;
      const checkpoint = await audit.checkpoint();
      await ledger.flush();
      const query = { statement: 'SELECT * FROM icecore.audit_log', parameters: [], engine: 'EMBEDDED' } as const;
      const { rows } = await selects.run(query, 10_000, AbortSignal.timeout(60_000));
      const exported = join(config.cacheDirectory, 'audit_log.jsonl');
      await writeFile(exported, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
      const script = new URL('../../scripts/verify_audit.py', import.meta.url).pathname;
      const anchor = ['--checkpoints', config.auditAnchorFile, '--key', `${config.signingKeyFile}.pub`];
      const { status, stdout } = spawnSync('python3', [script, exported, ...anchor], { encoding: 'utf8' });
      expect(stdout).toContain(`Up to entry ${checkpoint?.seq} nothing was changed`);
      expect(status).toBe(0);
    });
  });

  test('an audit entry that somebody changed is found, and the trail says so', async () => {
    const { ledger, tables, duckdb } = store.icecore;
    const approval = (await trail(first.prediction)).steps.find((step) => step.by?.id === ben.actor.id);
    await ledger.flush();
    const table = await tables.load({ namespace: ['icecore'], name: 'audit_log' });
    const scan = await scanRelation(tables, { table, snapshot: resolveAsOf(table) });
    const { files } = await duckdb.trusted.use((connection) =>
      writeDataFiles(tables, {
        connection,
        metadata: table.metadata,
        relation: `(SELECT * REPLACE (if(seq = ${approval?.entrySeq}, 'ceo', actor_id) AS actor_id) FROM ${scan.sql})`,
      }),
    );
    scan.release();
    const transaction = tables.transaction();
    transaction.change(
      table,
      overwriteAll(files, {}, () => undefined),
    );
    await transaction.commit();
    const found = await trail(first.prediction);
    expect(found.complete).toBe(false);
    expect(found.chain).toMatchObject({
      consistent: false,
      firstFault: expect.stringContaining(`Entry ${approval?.entrySeq} was changed`),
    });
    expect(found.missing).toEqual([found.chain.firstFault]);
  });
});
