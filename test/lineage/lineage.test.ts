import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { localCaller } from '../../src/access/local-caller.ts';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { ManualClock } from '../../src/clock.ts';
import type { Ledger } from '../../src/ledger/ledger.ts';
import { Lineage } from '../../src/lineage/lineage.ts';
import { lineageEdgeTable } from '../../src/lineage/lineage-edge-table.ts';
import type { LineageDirection, LineageGraph } from '../../src/lineage/lineage-graph.ts';
import { lineageKey } from '../../src/lineage/lineage-key.ts';
import type { LineageEdgeDraft, LineageRef } from '../../src/lineage/lineage-record.ts';
import type { OneWay } from '../../src/lineage/lineage-walk.ts';
import { LedgerBench } from '../ledger/ledger-bench.ts';

const model = (name: string): LineageRef => ({ kind: 'MODEL_VERSION', uuid: name, version: '1', name });
const table = (name: string, snapshot: number): LineageRef => ({ kind: 'TABLE', uuid: name, version: String(snapshot), name });
const step = (from: LineageRef, to: LineageRef, runId: string | null = null): LineageEdgeDraft => ({
  from,
  to,
  runId,
  columns: [],
});

describe('lineage', () => {
  let bench: LedgerBench;
  let catalog: Catalog;
  let ledger: Ledger;
  let clock: ManualClock;
  let lineage: Lineage;

  beforeEach(async () => {
    bench = await LedgerBench.open();
    clock = new ManualClock(1_000_000n);
    catalog = await bench.catalog();
    ledger = await bench.journalLedger(catalog, [lineageEdgeTable]);
    lineage = new Lineage({ ledger, clock });
  });
  afterEach(() => bench.close());

  const record = (edges: readonly LineageEdgeDraft[]) => catalog.commit({ entries: lineage.drafts(edges, localCaller) });
  const graph = (of: LineageRef, rest: Partial<Parameters<Lineage['graph']>[0]> = {}) => lineage.graph({ of: [of], ...rest });
  const names = (found: LineageGraph) => found.nodes.map((node) => `${node.name}@${node.version}`).sort();

  test('is the closure over the edges, whatever their shape, and says when it was cut off', async () => {
    const nodes = Array.from({ length: 12 }, (_, index) => model(`n${index}`));
    const arc = fc.tuple(fc.nat(11), fc.nat(11)).filter(([from, to]) => from !== to);
    const direction = fc.constantFrom<LineageDirection>('UPSTREAM', 'DOWNSTREAM', 'BOTH');
    let round = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(arc, { maxLength: 30 }),
        direction,
        fc.integer({ min: 0, max: 6 }),
        async (arcs, way, maxDepth) => {
          round += 1;
          const prefix = (ref: LineageRef): LineageRef => ({ ...ref, uuid: `${round} ${ref.uuid}` });
          const at = (index: number): LineageRef => prefix(nodes[index] ?? model('none'));
          await record(arcs.map(([from, to]) => step(at(from), at(to))));
          const found = await graph(at(0), { direction: way, maxDepth });
          const expected = naiveClosure(arcs, way, maxDepth);
          expect(new Set(found.nodes.map((node) => node.uuid))).toEqual(
            new Set([...expected.nodes].map((index) => at(index).uuid)),
          );
          expect(found.complete).toBe(expected.isWhole);
        },
      ),
      { numRuns: 60 },
    );
  });

  test('pages hold every node and every edge once, and the last one says that it is complete', async () => {
    const arcs: [number, number][] = [];
    for (let to = 1; to < 40; to++) for (let from = Math.max(0, to - 3); from < to; from++) arcs.push([from, to]);
    await record(arcs.map(([from, to]) => step(model(`n${from}`), model(`n${to}`))));
    const whole = await graph(model('n20'), { maxDepth: 100 });
    expect(whole.complete).toBe(true);
    const pages: LineageGraph[] = [];
    for (let after: string | null = null; pages.length === 0 || after !== null; after = pages.at(-1)?.frontierCursor ?? null) {
      pages.push(await graph(model('n20'), { maxDepth: 100, maxNodes: 7, after }));
      // What is recorded meanwhile is not part of it.
      await record([step(model(`late${pages.length}`), model('n20'))]);
    }
    expect(pages.map((page) => page.complete)).toEqual([...pages.slice(1).map(() => false), true]);
    expect(pages[0]?.incompleteBecause).toEqual(['maxNodes was reached, and there are more.']);
    expect(pages.flatMap((page) => page.nodes)).toEqual(whole.nodes);
    const ids = pages.flatMap((page) => page.edges.map((edge) => edge.id));
    expect(new Set(ids).size).toBe(ids.length);
    expect(new Set(ids)).toEqual(new Set(whole.edges.map((edge) => edge.id)));
  });

  test('versions of one table cost no depth: what wrote earlier ones is upstream', async () => {
    for (let snapshot = 1; snapshot <= 30; snapshot++) {
      await record([
        step(table('source', snapshot), table('raw', snapshot)),
        ...(snapshot > 1 ? [step(table('raw', snapshot - 1), table('raw', snapshot))] : []),
      ]);
    }
    await record([step(table('raw', 30), table('features', 1))]);
    const found = await graph(table('features', 1), { direction: 'UPSTREAM', maxDepth: 2 });
    expect(found.complete).toBe(true);
    expect(found.nodes.filter((node) => node.uuid === 'source')).toHaveLength(30);
    expect(found.depthReached).toBe(2);
    const recall = await lineage.impact({ of: [table('source', 3)] });
    expect(names(recall)).toContain('features@1');
    expect(names(recall)).not.toContain('raw@2');
  });

  test('a run as the root has what it read before it and what it wrote after it', async () => {
    await record([step(table('raw', 1), table('features', 1), 'run-1'), step(table('raw', 2), table('features', 2), 'run-2')]);
    const run: LineageRef = { kind: 'RUN', uuid: 'run-1', version: null, name: 'run-1' };
    const found = await graph(run);
    expect(names(found)).toEqual(['features@1', 'raw@1', 'run-1@null']);
    expect(found.edges).toHaveLength(2);
  });

  test('a thing without a version stands for all its versions', async () => {
    await record([step(table('raw', 1), table('features', 1)), step(table('raw', 2), table('features', 2))]);
    const found = await graph({ ...table('raw', 0), version: null }, { direction: 'DOWNSTREAM' });
    expect(names(found)).toEqual(['features@1', 'features@2', 'raw@1', 'raw@2', 'raw@null']);
  });

  test('as of a moment', async () => {
    await record([step(table('raw', 1), table('features', 1))]);
    clock.advance(10n);
    await record([step(table('raw', 1), table('features', 2))]);
    expect(names(await graph(table('raw', 1), { asOfMicros: 1_000_005n }))).toEqual(['features@1', 'raw@1']);
    expect(names(await graph(table('raw', 1)))).toEqual(['features@1', 'features@2', 'raw@1']);
  });

  test('what is hidden stays as a stub and is said; implied edges are walked too', async () => {
    await record([step(table('raw', 1), table('secret', 1))]);
    const implied = {
      id: 'implied',
      from: table('secret', 1),
      to: table('out', 1),
      runId: null,
      recordedAtMicros: 0n,
      columns: [],
    };
    const options = {
      ledger,
      clock,
      implied: async (refs: readonly LineageRef[], way: OneWay) =>
        refs.some((ref) => lineageKey(ref) === lineageKey(way === 'UPSTREAM' ? implied.to : implied.from)) ? [implied] : [],
    };
    const whole = await new Lineage(options).graph({ of: [table('raw', 1)] });
    expect(whole.nodes.map(({ uuid }) => uuid)).toEqual(['raw', 'secret', 'out']);
    const guarded = new Lineage({
      ...options,
      hidden: async (refs) => refs.map((ref) => ref.uuid === 'secret'),
      seal: (text) => `sealed ${text.length}`,
    });
    const found = await guarded.graph({ of: [table('raw', 1)] });
    // What lies behind it does not show either.
    expect(found.nodes.map((node) => [node.uuid, node.version, node.name, node.state])).toEqual([
      ['raw', '1', 'raw', 'PRESENT'],
      [expect.stringMatching(/^hidden:sealed/), null, null, 'HIDDEN'],
    ]);
    expect(found.edges.map(({ from, to, columns: told }) => [from.name, to.name, told])).toEqual([['raw', '', []]]);
    expect(JSON.stringify(found.edges, (_, value) => (typeof value === 'bigint' ? String(value) : value))).not.toContain(
      'secret',
    );
    expect(found.complete).toBe(false);
    expect(found.incompleteBecause).toEqual(['1 of the nodes may not be seen by this caller.']);
  });

  test('columns, single edges and nodes; limits and cursors that cannot be are refused', async () => {
    const columns = [{ from: 'delay', to: 'mean_delay', transformation: 'avg' }];
    await record([{ ...step(table('raw', 1), table('features', 1)), columns }]);
    const found = await graph(table('raw', 1));
    const [edge] = found.edges;
    expect(edge?.columns).toEqual(columns);
    expect(await lineage.edge(edge?.id ?? '')).toEqual(edge);
    expect((await lineage.node({ kind: 'TABLE', uuid: 'features', version: '1' }))?.name).toBe('features');
    expect(await lineage.node({ kind: 'TABLE', uuid: 'features', version: '9' })).toBeNull();
    await expect(graph(table('raw', 1), { maxDepth: 101 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(graph(table('raw', 1), { maxNodes: 0 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
    await expect(graph(table('raw', 1), { after: 'x' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});

/** Level by level over the arcs, from node 0; whether nothing lies beyond the depth. */
function naiveClosure(
  arcs: readonly (readonly [number, number])[],
  way: LineageDirection,
  maxDepth: number,
): { readonly nodes: ReadonlySet<number>; readonly isWhole: boolean } {
  if (way === 'BOTH') {
    const [up, down] = [naiveClosure(arcs, 'UPSTREAM', maxDepth), naiveClosure(arcs, 'DOWNSTREAM', maxDepth)];
    return { nodes: new Set([...up.nodes, ...down.nodes]), isWhole: up.isWhole && down.isWhole };
  }
  const grow = (nodes: ReadonlySet<number>): ReadonlySet<number> => {
    const grown = new Set(nodes);
    for (const [from, to] of arcs) {
      if (way === 'UPSTREAM' && nodes.has(to)) grown.add(from);
      if (way === 'DOWNSTREAM' && nodes.has(from)) grown.add(to);
    }
    return grown;
  };
  let nodes: ReadonlySet<number> = new Set([0]);
  for (let depth = 0; depth < maxDepth; depth++) nodes = grow(nodes);
  return { nodes, isWhole: grow(nodes).size === nodes.size };
}
