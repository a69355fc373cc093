import { isHiddenStub } from '../src/lineage/hidden-node.ts';
import type { LineageEdge } from '../src/lineage/lineage-edge-table.ts';
import type { LineageGraph, LineageNode } from '../src/lineage/lineage-graph.ts';
import { lineageKey } from '../src/lineage/lineage-key.ts';
import type { LineageRef } from '../src/lineage/lineage-record.ts';
import { printNodeId } from '../src/node-id.ts';
import type { ApiContext } from './context.ts';
import type { LineageEdgeView, LineageGraphView, LineageNodeView } from './views.ts';

export function nodeView({ kind, uuid, version, name, state }: LineageNode): LineageNodeView {
  return { id: printNodeId('LineageNode', kind, uuid, version ?? ''), kind, uuid, version, name, state };
}

/** The ends of an edge as the caller may see them. */
export async function edgeView(edge: LineageEdge, { icecore }: ApiContext): Promise<LineageEdgeView> {
  const end = async (ref: LineageRef): Promise<LineageNodeView> => nodeView((await icecore.lineage.node(ref)) ?? recorded(ref));
  return edgeBetween(edge, await end(edge.from), await end(edge.to));
}

/** Edges that lead to nodes of earlier pages show those by what was recorded of them. */
export function graphView(graph: LineageGraph): LineageGraphView {
  const nodes = new Map([graph.root, ...graph.nodes].map((node) => [lineageKey(node), nodeView(node)]));
  const end = (ref: LineageRef): LineageNodeView => nodes.get(lineageKey(ref)) ?? nodeView(recorded(ref));
  return {
    ...graph,
    root: nodeView(graph.root),
    nodes: graph.nodes.map(nodeView),
    edges: graph.edges.map((edge) => edgeBetween(edge, end(edge.from), end(edge.to))),
  };
}

function recorded(ref: LineageRef): LineageNode {
  return isHiddenStub(ref) ? { ...ref, name: null, state: 'HIDDEN', depth: 0 } : { ...ref, state: 'PRESENT', depth: 0 };
}

function edgeBetween(edge: LineageEdge, from: LineageNodeView, to: LineageNodeView): LineageEdgeView {
  const { runId, recordedAtMicros, columns } = edge;
  return { id: printNodeId('LineageEdge', edge.id), from, to, runId, recordedAtMicros, columns };
}
