import type { Actor, ActorKind, Caller } from '../access/caller.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { lineageDepthMax, lineageNodesMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { LineageGraph, LineageNode } from '../lineage/lineage-graph.ts';
import { lineageKey } from '../lineage/lineage-key.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { Audit } from './audit.ts';
import { type AuditRow, auditLog } from './audit-entry.ts';
import type { ChainVerification } from './chain-verification.ts';
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

/** Contract, `AuditTrail`. */
export interface AuditTrail {
  /** In the order of the chain; steps without an entry come first. */
  readonly steps: readonly AuditStep[];
  readonly complete: boolean;
  readonly missing: readonly string[];
  /** LOCAL where anybody in it was nobody's to check. */
  readonly assurance: 'CREDENTIAL' | 'LOCAL';
  readonly chain: ChainVerification;
}

/** Made by one act that must have its entry; the others are described by the acts around them. */
const needsEntry = new Set(['TABLE', 'FEATURE_SET', 'TRAINING_SET', 'MODEL_VERSION']);

/** Every step from raw data to the subject, each with its entry in the chain; what has none is said in `missing`. */
export async function auditTrail(
  { audit, lineage, ledger }: { readonly audit: Audit; readonly lineage: Lineage; readonly ledger: Ledger },
  of: readonly LineageRef[],
  caller: Caller,
): Promise<AuditTrail> {
  const graph = await lineage.graph({ of, direction: 'UPSTREAM', maxDepth: lineageDepthMax, maxNodes: lineageNodesMax }, caller);
  const nodes = nodesBySubject(graph);
  const rows = await ledger.select(auditLog, { where: { subject: [...nodes.keys()], outcome: 'SUCCEEDED' }, orderBy: 'seq' });
  const steps = stepsOf(rows, nodes);
  const unrecorded = unrecordedNodes(graph, new Set(rows.map((row) => row.subject)));
  const chain = await audit.verify();
  const missing = [
    ...graph.incompleteBecause,
    ...unrecorded.map(
      (node) => `${node.name ?? node.uuid}${node.version === null ? '' : `@${node.version}`} has no entry in the chain.`,
    ),
    ...(chain.firstFault === null ? [] : [chain.firstFault]),
  ];
  return {
    steps: [...unrecorded.map(unrecordedStep), ...steps],
    complete: missing.length === 0,
    missing,
    assurance: steps.some((step) => step.by?.kind === 'LOCAL') ? 'LOCAL' : 'CREDENTIAL',
    chain,
  };
}

/** Under which subjects entries about the nodes are filed, versions before the things as a whole, and the runs in between. */
function nodesBySubject(graph: LineageGraph): ReadonlyMap<string, LineageNode> {
  const nodes = new Map(graph.nodes.map((node) => [auditSubject(node), node]));
  for (const node of graph.nodes) {
    const whole = auditSubject({ ...node, version: null });
    if (!nodes.has(whole)) nodes.set(whole, node);
  }
  for (const { runId } of graph.edges) {
    if (runId === null) continue;
    const run: LineageNode = { kind: 'RUN', uuid: runId, version: null, name: runId, state: 'PRESENT', depth: 0 };
    const subject = auditSubject(run);
    if (!nodes.has(subject)) nodes.set(subject, run);
  }
  return nodes;
}

/** What was done to a table as a whole after the last of these versions was made does not belong to them. */
function stepsOf(rows: readonly AuditRow[], nodes: ReadonlyMap<string, LineageNode>): readonly AuditStep[] {
  const isExact = (row: AuditRow): boolean => {
    const node = nodes.get(row.subject);
    return node !== undefined && auditSubject(node) === row.subject;
  };
  const lastExact = rows.findLast(isExact)?.seq ?? 0n;
  return rows.flatMap((row): readonly AuditStep[] => {
    const node = nodes.get(row.subject);
    if (node === undefined || (!isExact(row) && row.seq > lastExact)) return [];
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

/** Nodes that neither have an entry of their own nor were written by a run that has one. */
function unrecordedNodes(graph: LineageGraph, subjects: ReadonlySet<string>): readonly LineageNode[] {
  const byRun = new Set(
    graph.edges.flatMap(({ runId, to }) => (runId !== null && subjects.has(`run/${runId}`) ? [lineageKey(to)] : [])),
  );
  return graph.nodes.filter(
    (node) =>
      needsEntry.has(node.kind) && node.version !== null && !subjects.has(auditSubject(node)) && !byRun.has(lineageKey(node)),
  );
}

function unrecordedStep(node: LineageNode): AuditStep {
  return { kind: 'UNRECORDED', node, by: null, atMicros: null, entrySeq: null, detail: {} };
}
