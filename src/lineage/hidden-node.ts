import type { LineageEdge } from './lineage-edge-table.ts';
import type { LineageRef } from './lineage-record.ts';

/** Ids of what there is none of: names of things hold no colon. */
const prefix = 'hidden:';

/**
 * What stands for a thing that the caller may not see: its kind, and an id by which edges meet and nothing can be found. All versions of a
 * thing are one.
 */
export function hiddenStub({ kind, uuid }: Pick<LineageRef, 'kind' | 'uuid'>, seal: (text: string) => string): LineageRef {
  return { kind, uuid: `${prefix}${seal(JSON.stringify([kind, uuid]))}`, version: null, name: '' };
}

export function isHiddenStub({ uuid }: Pick<LineageRef, 'uuid'>): boolean {
  return uuid.startsWith(prefix);
}

/** An edge between other refs; its columns only where both of its ends show. */
export function edgeBetween(edge: LineageEdge, from: LineageRef, to: LineageRef): LineageEdge {
  const isHidden = isHiddenStub(from) || isHiddenStub(to);
  return { ...edge, from, to, columns: isHidden ? [] : edge.columns };
}
