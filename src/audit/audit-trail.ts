import type { Ledger } from '../ledger/ledger.ts';
import { ledgerSelectRowsMax, lineageDepthMax, lineageNodesMax } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { LineageGraph, LineageNode } from '../lineage/lineage-graph.ts';
import { lineageKey } from '../lineage/lineage-key.ts';
import type { LineageRef } from '../lineage/lineage-record.ts';
import type { Audit } from './audit.ts';
import { type AuditRow, auditLog } from './audit-entry.ts';
import type { ChainVerification } from './chain-verification.ts';
import { auditSubject } from './subject.ts';
import { type AuditStep, nodesBySubject, stepsOf, unrecordedStep } from './trail-steps.ts';

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

/** Every step from raw data to the subject, each with its entry in the chain; what has none is said in `missing`. */
export async function auditTrail(
  { audit, lineage, ledger }: { readonly audit: Audit; readonly lineage: Lineage; readonly ledger: Ledger },
  of: readonly LineageRef[],
): Promise<AuditTrail> {
  const graph = await lineage.graph({ of, direction: 'UPSTREAM', maxDepth: lineageDepthMax, maxNodes: lineageNodesMax });
  const nodes = nodesBySubject(graph);
  const rows = await ledger.select(auditLog, { where: { subject: [...nodes.keys()], outcome: 'SUCCEEDED' }, orderBy: 'seq' });
  const steps = stepsOf(graph, await audit.shown(rows), nodes);
  const unrecorded = unrecordedNodes(graph, new Set(rows.map((row) => row.subject)));
  const chain = await audit.verify();
  const missing = [
    ...graph.incompleteBecause,
    ...(rows.length < ledgerSelectRowsMax ? [] : [`There are more than ${ledgerSelectRowsMax} entries.`]),
    ...unrecorded.map(
      (node) => `${node.name ?? node.uuid}${node.version === null ? '' : `@${node.version}`} has no entry in the chain.`,
    ),
    ...unapproved(graph, rows).map(
      (node) => `${node.name ?? node.uuid}@${node.version} was used, and no approval of it is in the chain.`,
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

/** Nodes that neither have an entry of their own nor were written by a run that has one. */
function unrecordedNodes(graph: LineageGraph, subjects: ReadonlySet<string>): readonly LineageNode[] {
  const byRun = new Set(
    graph.edges.flatMap(({ runId, to }) => (runId !== null && subjects.has(`run/${runId}`) ? [lineageKey(to)] : [])),
  );
  return graph.nodes.filter(
    (node) => node.state !== 'HIDDEN' && needsEntry(node) && !subjects.has(auditSubject(node)) && !byRun.has(lineageKey(node)),
  );
}

/** Model versions that something was made with, and nobody approved. */
function unapproved(graph: LineageGraph, rows: readonly AuditRow[]): readonly LineageNode[] {
  const used = new Set(graph.edges.map(({ from }) => lineageKey(from)));
  const approved = new Set(
    rows.flatMap(({ action, payload, subject }) =>
      action === 'reviewModelVersion' && payload !== null && isApproval(JSON.parse(payload)) ? [subject] : [],
    ),
  );
  return graph.nodes.filter(
    (node) =>
      node.kind === 'MODEL_VERSION' && node.version !== null && used.has(lineageKey(node)) && !approved.has(auditSubject(node)),
  );
}

function isApproval(payload: unknown): boolean {
  return typeof payload === 'object' && payload !== null && 'decision' in payload && payload.decision === 'APPROVE';
}

/** Made by one act that must have its entry; other things are described by the acts around them. */
function needsEntry({ kind, version }: LineageNode): boolean {
  if (kind === 'RUN') return true;
  return version !== null && ['TABLE', 'FEATURE_SET', 'TRAINING_SET', 'MODEL_VERSION'].includes(kind);
}
