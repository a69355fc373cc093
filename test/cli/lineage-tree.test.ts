import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { GraphEdge, GraphNode, LineageGraph } from '../../src/cli/lineage-graph.ts';
import { LineageTree } from '../../src/cli/lineage-tree.ts';

const run = { kind: 'MATERIALIZATION', status: 'SUCCEEDED' };
const node = (kind: string, name: string, version: string | null, state = 'PRESENT'): GraphNode => ({
  id: `${kind} ${name} ${version}`,
  kind,
  name,
  version,
  state,
});
const edge = (from: GraphNode, to: GraphNode, by: GraphEdge['run'] = null): GraphEdge => ({ from, to, run: by });

function graphOf(edges: readonly (readonly [GraphNode, GraphNode, GraphEdge['run']?])[], root: GraphNode): LineageGraph {
  const nodes = new Map([[root.id, root]]);
  for (const [from, to] of edges) nodes.set(from.id, from).set(to.id, to);
  return {
    root,
    nodes: [...nodes.values()],
    edges: edges.map(([from, to, by]) => edge(from, to, by ?? null)),
    complete: true,
    incompleteBecause: [],
    asOf: '2026-01-01T00:00:00Z',
  };
}

const draw = (graph: LineageGraph, direction: 'UPSTREAM' | 'DOWNSTREAM' = 'UPSTREAM') =>
  new LineageTree(graph, graph.root, direction, { isStyled: false }).lines();

describe('a tree of lineage', () => {
  const model = node('MODEL_VERSION', 'late', '1');
  const set = node('TRAINING_SET', 'late', '1');
  const features = node('TABLE', 'features.hourly', '20');
  const raw = [5, 4, 3, 2, 1].map((version) =>
    node('TABLE', 'raw.flights', String(version), version < 3 ? 'DELETED' : 'PRESENT'),
  ) as [GraphNode, GraphNode, GraphNode, GraphNode, GraphNode];
  const [r5, r4, r3, r2, r1] = raw;

  test('draws a branch where it is nearest to the root, and names it elsewhere', () => {
    const graph = graphOf(
      [
        [set, model],
        [features, set, run],
        [r5, set, run],
        [r5, features, run],
        [r4, r5],
      ],
      model,
    );
    expect(draw(graph)).toEqual([
      '└─ training:late@1',
      '   ├─ features.hourly@20  by a MATERIALIZATION run',
      '   │  └─ raw.flights@5  by a MATERIALIZATION run; see below',
      '   ├─ raw.flights@5  by a MATERIALIZATION run',
      '   └─ raw.flights@4  before that',
    ]);
    expect(draw({ ...graph, root: r4 }, 'DOWNSTREAM')).toEqual([
      '└─ raw.flights@5  after that',
      '   ├─ training:late@1  by a MATERIALIZATION run',
      '   │  └─ model:late@1',
      '   └─ features.hourly@20  by a MATERIALIZATION run',
      '      └─ training:late@1  by a MATERIALIZATION run; see above',
    ]);
  });

  test('folds versions that nothing else is known of, and says how many', () => {
    const history = graphOf(
      [
        [r4, r5],
        [r3, r4],
        [r2, r3],
        [r1, r2],
        [node('TABLE', 'raw.flights', null), r1],
      ],
      r5,
    );
    expect(draw(history)).toEqual(['└─ 4 earlier snapshots of raw.flights, back to 1; 2 deleted']);
    const loaded = graphOf(
      [
        [r4, r5],
        [r3, r4],
        [node('EXTERNAL', 's3://drop', null), r3, run],
        [r2, r3],
        [r1, r2],
      ],
      r5,
    );
    expect(draw(loaded)).toEqual([
      '├─ raw.flights@4  before that',
      '├─ raw.flights@3  before that',
      '│  └─ external s3://drop  by a MATERIALIZATION run',
      '└─ 2 earlier snapshots of raw.flights, back to 1; all deleted',
    ]);
  });

  test('tells what is gone, redacted, hidden, and which run failed', () => {
    const hidden: GraphNode = { ...node('TABLE', '', '9', 'HIDDEN'), name: null };
    const graph = graphOf(
      [
        [node('TABLE', 'raw.gone', '7', 'DELETED'), model, { kind: 'EXTERNAL', status: 'FAILED' }],
        [node('TRAINING_SET', 'old', '2', 'REDACTED'), model],
        [hidden, model],
      ],
      model,
    );
    expect(draw(graph)).toEqual([
      '├─ raw.gone@7  deleted; by an EXTERNAL run, FAILED',
      '├─ training:old@2  redacted',
      '└─ table that you may not see',
    ]);
  });

  test('names a run once where it is a node itself', () => {
    const scoring = { kind: 'SCORING', status: 'SUCCEEDED' };
    const prediction = node('PREDICTION', 'predictions.late/1', null);
    const step = node('RUN', 'r1', null);
    const graph = graphOf(
      [
        [step, prediction, scoring],
        [model, step, scoring],
      ],
      prediction,
    );
    expect(draw(graph)).toEqual(['└─ run r1  SCORING', '   └─ model:late@1']);
  });

  test('of any graph, circles too, ends and names everything that is reached', () => {
    const nodes = Array.from({ length: 8 }, (_, index) => node('MODEL_VERSION', `n${index}`, '1'));
    const at = (index: number): GraphNode => nodes[index] ?? model;
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 20 }), (arcs) => {
        const graph = graphOf(
          arcs.map(([from, to]) => [at(from), at(to)] as const),
          at(0),
        );
        const tree = new LineageTree(graph, at(0), 'UPSTREAM', { isStyled: false });
        const text = tree.lines().join('\n');
        for (const each of graph.nodes) {
          if (each !== at(0)) expect(text.includes(`model:${each.name}@1`)).toBe(tree.reached.has(each.id));
        }
      }),
    );
  });
});
