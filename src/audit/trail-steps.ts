import type { Actor, ActorKind } from '../access/caller.ts';
import type { LineageGraph, LineageNode } from '../lineage/lineage-graph.ts';
import { lineageKey } from '../lineage/lineage-key.ts';
import type { AuditRow } from './audit-entry.ts';
import { auditSubject } from './subject.ts';

export interface AuditStep {
  /** The action of its entry in the chain; UNRECORDED for a step that has none. */
  readonly kind: string;
  readonly node: LineageNode;
  readonly by: Actor | null;
  readonly atMicros: bigint | null;
  readonly entrySeq: bigint | null;
  /** The entry's payload. */
  readonly detail: unknown;
}

/** Under which subjects entries about the nodes are filed: versions before the things as a whole, and the runs in between. */
export function nodesBySubject(graph: LineageGraph): ReadonlyMap<string, LineageNode> {
  const nodes = new Map(graph.nodes.map((node) => [auditSubject(node), node]));
  const add = (subject: string, node: LineageNode): void => {
    if (!nodes.has(subject)) nodes.set(subject, node);
  };
  for (const node of graph.nodes) add(auditSubject({ ...node, version: null }), node);
  for (const node of graph.nodes) {
    // Features are declared with their table.
    if (node.kind === 'FEATURE') add(auditSubject({ kind: 'TABLE', uuid: node.uuid.split('/')[0] ?? '', version: null }), node);
  }
  for (const { runId } of graph.edges) {
    if (runId === null) continue;
    const run: LineageNode = { kind: 'RUN', uuid: runId, version: null, name: runId, state: 'PRESENT', depth: 0 };
    add(auditSubject(run), run);
  }
  return nodes;
}

/** The entries as steps, in the order of the chain, each act once, up to the last one that made the root what it is. */
export function stepsOf(
  graph: LineageGraph,
  rows: readonly AuditRow[],
  nodes: ReadonlyMap<string, LineageNode>,
): readonly AuditStep[] {
  const told = actsToldByRuns(graph, rows);
  const end = rows.findLast((row) => isOfRoot(graph, row, nodes))?.seq ?? rows.at(-1)?.seq ?? 0n;
  return rows.flatMap((row): readonly AuditStep[] => {
    const node = nodes.get(row.subject);
    if (node === undefined || row.seq > end || told.has(row.seq)) return [];
    return [
      {
        kind: row.action,
        node,
        by: { id: row.actor_id, name: row.actor_name, kind: row.actor_kind as ActorKind },
        atMicros: row.at,
        entrySeq: row.seq,
        detail: row.payload === null ? {} : (JSON.parse(row.payload) as unknown),
      },
    ];
  });
}

/**
 * Whether an entry is about the root itself, or about a run that made it. What was done to a table as a whole after one of its versions was
 * made does not belong to the version; what was done to a model, such as moving an alias, does.
 */
function isOfRoot(graph: LineageGraph, row: AuditRow, nodes: ReadonlyMap<string, LineageNode>): boolean {
  const { root } = graph;
  if (row.subject === auditSubject(root)) return true;
  if (root.kind === 'MODEL_VERSION') return nodes.get(row.subject)?.uuid === root.uuid;
  return graph.edges.some(
    ({ runId, to }) => runId !== null && row.subject === `run/${runId}` && lineageKey(to) === lineageKey(root),
  );
}

/** Entries of runs that tell of the same act as the entry of something that the run made: that one says more, and once is enough. */
function actsToldByRuns(graph: LineageGraph, rows: readonly AuditRow[]): ReadonlySet<bigint> {
  const acts = new Set(rows.map(({ subject, action }) => JSON.stringify([subject, action])));
  const madeBy = Map.groupBy(
    graph.edges.filter(({ runId, to }) => runId !== null && to.kind !== 'RUN'),
    ({ runId }) => `run/${runId}`,
  );
  const isTold = ({ subject, action }: AuditRow): boolean =>
    (madeBy.get(subject) ?? []).some(({ to }) => acts.has(JSON.stringify([auditSubject(to), action])));
  return new Set(rows.filter(isTold).map(({ seq }) => seq));
}

/** A step that must have been taken, and is in no entry. */
export function unrecordedStep(node: LineageNode): AuditStep {
  return { kind: 'UNRECORDED', node, by: null, atMicros: null, entrySeq: null, detail: {} };
}
