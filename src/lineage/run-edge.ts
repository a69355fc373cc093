import type { LineageEdge } from './lineage-edge-table.ts';
import type { LineageRef } from './lineage-record.ts';

/** What a run read, or what it wrote. */
export type RunSide = 'read' | 'written';

/** A run as a node of its own. */
export function runRef(id: string): LineageRef {
  return { kind: 'RUN', uuid: id, version: null, name: id };
}

/** The half of an edge that lies on one side of its run. */
export function besideRun(edge: LineageEdge, side: RunSide, run: LineageRef): LineageEdge {
  return { ...edge, id: `${edge.id}:${side}`, ...(side === 'read' ? { to: run } : { from: run }) };
}

/** The id of the recorded edge that an id stands for half of, and which half; null for the whole of it. */
export function runSide(id: string): { readonly recorded: string; readonly side: RunSide | null } {
  const [recorded = '', side] = id.split(':');
  return { recorded, side: side === 'read' || side === 'written' ? side : null };
}
