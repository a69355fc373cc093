import type { GraphQLOutputType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { schema } from '../../schema/schema.ts';
import { printNodeId } from '../../src/node-id.ts';
import type { Answer } from '../http/test-server.ts';
import { GuardedLakehouse, secret, type Who } from './guarded-lakehouse.ts';
import { selectionOf } from './selection.ts';

let lakehouse: GuardedLakehouse;
beforeAll(async () => {
  lakehouse = await GuardedLakehouse.open();
}, 120_000);
afterAll(() => lakehouse.close());

/** The answer with what its ids and cursors hold: an id is text in base64. */
function revealed(answer: unknown): string {
  const text = JSON.stringify(answer);
  const ids = text.match(/[\w-]{16,}/g) ?? [];
  return [text, ...ids.map((id) => Buffer.from(id, 'base64url').toString())].join('\n').toLowerCase();
}

function expectNoTrace(answer: unknown, of: string): void {
  const shown = revealed(answer);
  const found = [secret, ...lakehouse.hiddenTraces].filter((trace) => shown.includes(trace.toLowerCase()));
  if (found.length > 0) {
    const at = shown.indexOf(found[0]?.toLowerCase() ?? '');
    throw new Error(`${of} shows ${found[0]}: …${shown.slice(Math.max(0, at - 300), at + 200)}…`);
  }
}

/** A query field with all that can be asked below it, as deep as the limits allow. */
async function deepest(who: Who, name: string, args: string): Promise<Answer> {
  const type = schema.getQueryType()?.getFields()[name]?.type;
  if (type === undefined) throw new Error(`there is no query ${name}`);
  for (let depth = 3; ; depth--) {
    const answer = await lakehouse.ask(who, `{ ${name}${args} ${selectionOf(schema, type, depth)} }`);
    if (depth === 1 || answer.errors?.[0]?.extensions.code !== 'COST_EXCEEDED') return answer;
  }
}

describe('what fay may not read', () => {
  /** Every field of the schema's queries, asked for whatever it takes; a new field fails the test until it is here. */
  const questions: Readonly<Record<string, readonly string[]>> = {
    viewer: [''],
    node: [],
    nodes: [],
    table: ['(name: "features.plain")', '(name: "features.computed")', '(name: "features.copy")'],
    tables: [
      '(first: 10)',
      '(namespace: "secret")',
      '(namespace: "icecore")',
      '(namespace: "")',
      '(kind: TRAINING_SET, first: 5)',
      '(kind: SYSTEM)',
    ],
    search: [`(text: "z", first: 10)`, '(text: "a", first: 10)', '(text: "model", first: 5)'],
    featureTable: ['(name: "features.plain")', '(name: "features.computed")'],
    featureTables: ['(first: 10)'],
    featureSet: ['(name: "plain_set")'],
    featureSets: ['(first: 10)'],
    trainingSet: [],
    trainingSets: ['(first: 10)'],
    featureVectors: ['(featureSet: "plain_set", entities: [{ k: 1 }])'],
    model: ['(name: "open-model")'],
    models: ['(first: 10)'],
    predictions: [],
    prediction: [],
    run: [],
    runs: [
      '(first: 20)',
      '(kind: SCORING, first: 5)',
      '(kind: TRAINING_SET, first: 5)',
      '(kind: REPRODUCTION, first: 5)',
      '(kind: MAINTENANCE, first: 5)',
      '(kind: MATERIALIZATION, first: 5)',
    ],
    sql: ['(statement: "SELECT * FROM features.copy, features.computed AS c LIMIT 3")'],
    trainingPlan: ['(input: { source: { table: { name: "features.plain" } } })'],
    lineage: [],
    impact: [],
    auditTrail: [],
    auditLog: ['(first: 100)', '(subject: "server", first: 10)', '(actor: "rita", first: 100)'],
  };

  test('shows in no answer of any query, at any depth', async () => {
    const fields = schema.getQueryType()?.getFields() ?? {};
    expect(Object.keys(questions).sort()).toEqual(Object.keys(fields).sort());
    const seen = new Set<string>();
    for (const [name, list] of Object.entries(questions)) {
      for (const args of list) {
        const answer = await deepest('fay', name, args);
        expect(answer.errors, `${name}${args}`).toBeUndefined();
        expectNoTrace(answer, `${name}${args}`);
        for (const who of ['rita', 'ben'] as const) if (revealed(await deepest(who, name, args)).includes(secret)) seen.add(name);
      }
    }
    // Or else the test would show nothing: who may read all finds it in each of them.
    expect([...seen].sort()).toEqual(
      Object.keys(questions)
        .filter((name) => (questions[name]?.length ?? 0) > 0)
        .sort(),
    );
  });

  test('is behind no id', async () => {
    const { access, runs, tables } = lakehouse.server.icecore;
    const [hiddenTables, hiddenRuns] = await access.asServer(async () => {
      const all = await tables.list({ limit: 100 });
      const { runs: made } = await runs.list({ first: 100 });
      return [
        all.filter(({ identifier }) => identifier.namespace[0] !== 'features'),
        // The others are about feature tables: one was computed, of one old snapshots were to go.
        made.filter(({ kind, input }) => kind !== 'MATERIALIZATION' && !JSON.stringify(input).includes('features.plain')),
      ];
    });
    expect(new Set(hiddenRuns.map(({ kind }) => kind))).toEqual(
      new Set(['TRAINING_SET', 'REPRODUCTION', 'SCORING', 'MAINTENANCE']),
    );
    const ids = [
      ...hiddenTables.flatMap(({ uuid, metadata }) => [
        printNodeId('Table', uuid),
        printNodeId('FeatureTable', uuid),
        printNodeId('Feature', uuid, '3'),
        ...metadata.snapshots.map(({ snapshotId }) => printNodeId('Snapshot', uuid, String(snapshotId))),
        ...metadata.snapshots.map(({ snapshotId }) => printNodeId('LineageNode', 'TABLE', uuid, String(snapshotId))),
      ]),
      ...hiddenRuns.flatMap(({ id }) => [printNodeId('Run', id), printNodeId('LineageNode', 'RUN', id, '')]),
      printNodeId('FeatureSet', `${secret}_set`, '1'),
      printNodeId('FeatureSet', `${secret}_mixed_set`, '1'),
      printNodeId('TrainingSet', `${secret}_training`, '1'),
      printNodeId('LineageNode', 'TRAINING_SET', `${secret}_training`, '1'),
      printNodeId('Model', `${secret}-model`),
      printNodeId('ModelVersion', `${secret}-model`, '1'),
      printNodeId('LineageNode', 'MODEL_VERSION', `${secret}-model`, '1'),
      printNodeId('ModelVersion', 'open-model', '2'),
    ];
    for (const id of ids) {
      const what = Buffer.from(id, 'base64url').toString();
      expect(
        await lakehouse.data('fay', '($id: ID!) { node(id: $id) { id } nodes(ids: [$id]) { id } }'.replace('(', 'query ('), {
          id,
        }),
        what,
      ).toEqual({
        node: null,
        nodes: [null],
      });
      // As if there were nothing: the same words as for an id that was never given.
      const absent = printNodeId('Table', '00000000-0000-4000-8000-000000000000');
      for (const field of ['lineage(of: $id) { complete }', 'impact(of: $id) { complete }', 'auditTrail(of: $id) { complete }']) {
        const query = `query ($id: ID!) { ${field} }`;
        expect(anonymous(await lakehouse.ask('fay', query, { id }), id), `${field} ${what}`).toEqual(
          anonymous(await lakehouse.ask('fay', query, { id: absent }), absent),
        );
      }
    }
    expect(ids.length).toBeGreaterThan(40);
  });

  test('is a stub without a name where lineage meets it, and nothing is told of what lies behind', async () => {
    const query =
      '{ featureTables(first: 10) { edges { node { table { id currentSnapshot { id } } } } } table(name: "features.copy") { id snapshots { edges { node { id } } } } }';
    const { featureTables, table } = await lakehouse.data('fay', query);
    const ids: readonly string[] = [
      ...featureTables.edges.flatMap(({ node }: FeatureTableEdge) =>
        [node.table.id, node.table.currentSnapshot?.id ?? []].flat(),
      ),
      table.id,
      ...table.snapshots.edges.map(({ node }: { readonly node: { readonly id: string } }) => node.id),
      printNodeId('ModelVersion', 'open-model', '1'),
      printNodeId('FeatureSet', 'plain_set', '1'),
    ];
    const states = new Set<string>();
    for (const id of ids) {
      for (const direction of ['UPSTREAM', 'DOWNSTREAM', 'BOTH']) {
        const lineage = `query ($id: ID!) { lineage(of: $id, direction: ${direction}) ${selectionOf(schema, lineageType(), 2)} }`;
        const answer = await lakehouse.ask('fay', lineage, { id });
        expect(answer.errors).toBeUndefined();
        expectNoTrace(answer, `lineage ${Buffer.from(id, 'base64url')}`);
        const { complete, nodes, edges } = answer.data.lineage;
        const hidden = nodes.filter(({ state }: LineageNodeAnswer) => state === 'HIDDEN');
        for (const node of hidden) {
          states.add(direction);
          expect(node).toMatchObject({ name: null, version: null, subject: null });
          expect(complete).toBe(false);
          expect(await lakehouse.data('fay', 'query ($id: ID!) { node(id: $id) { id } }', { id: node.id })).toEqual({
            node: null,
          });
        }
        for (const edge of edges) {
          const own = await lakehouse.ask('fay', `query ($id: ID!) { node(id: $id) ${selectionOf(schema, nodeType(), 1)} }`, {
            id: edge.id,
          });
          expect(own.data?.node.id ?? own.data?.node.LineageEdge_id).toBe(edge.id);
          expectNoTrace(own, 'an edge');
          // Nobody reads the columns of a hidden table off an edge.
          if ([edge.from, edge.to].some(({ state }: LineageNodeAnswer) => state === 'HIDDEN')) expect(edge.columns).toEqual([]);
        }
      }
      for (const field of ['impact', 'auditTrail']) {
        const type = schema.getQueryType()?.getFields()[field]?.type;
        if (type === undefined) throw new Error(field);
        const answer = await lakehouse.ask('fay', `query ($id: ID!) { ${field}(of: $id) ${selectionOf(schema, type, 2)} }`, {
          id,
        });
        expect(answer.errors).toBeUndefined();
        expectNoTrace(answer, `${field} ${Buffer.from(id, 'base64url')}`);
      }
    }
    expect([...states].sort()).toEqual(['BOTH', 'DOWNSTREAM', 'UPSTREAM']);
  });
});

function lineageType(): GraphQLOutputType {
  const type = schema.getQueryType()?.getFields().lineage?.type;
  if (type === undefined) throw new Error('there is no lineage');
  return type;
}

function nodeType(): GraphQLOutputType {
  const type = schema.getQueryType()?.getFields().node?.type;
  if (type === undefined) throw new Error('there is no node');
  return type;
}

interface LineageNodeAnswer {
  readonly state: string;
}

interface FeatureTableEdge {
  readonly node: { readonly table: { readonly id: string; readonly currentSnapshot: { readonly id: string } | null } };
}

/** An answer without the words that were asked for. */
function anonymous(answer: Answer, ...words: readonly string[]): unknown {
  const text = words.reduce((told, word) => told.replaceAll(word, '…'), JSON.stringify(answer));
  return JSON.parse(text);
}
