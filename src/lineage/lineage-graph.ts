import type { LineageEdge } from './lineage-edge-table.ts';
import type { LineageRef } from './lineage-record.ts';

export type LineageDirection = 'UPSTREAM' | 'DOWNSTREAM' | 'BOTH';
export type LineageState = 'PRESENT' | 'DELETED' | 'HIDDEN' | 'REDACTED';

export interface LineageNode extends Omit<LineageRef, 'name'> {
  /** Null where the caller may not see it. */
  readonly name: string | null;
  readonly state: LineageState;
  /** Steps from the root, not counting those between versions of one table. */
  readonly depth: number;
}

/** Contract, `LineageGraph`. */
export interface LineageGraph {
  readonly root: LineageNode;
  /** The root first, then by distance. */
  readonly nodes: readonly LineageNode[];
  /** Those whose ends are both among the nodes of this page or of pages before it. */
  readonly edges: readonly LineageEdge[];
  readonly depthReached: number;
  readonly complete: boolean;
  readonly incompleteBecause: readonly string[];
  /** Goes on where this page was cut off; null where it was not, or where only a greater depth would show more. */
  readonly frontierCursor: string | null;
  readonly asOfMicros: bigint;
}

export interface LineageQuery {
  /** The versions of one thing; the first is the root. One without a version stands for all recorded versions. */
  readonly of: readonly LineageRef[];
  readonly direction?: LineageDirection;
  readonly maxDepth?: number;
  readonly maxNodes?: number;
  /** Only what was recorded by then. */
  readonly asOfMicros?: bigint | null;
  /** A `frontierCursor`. */
  readonly after?: string | null;
  readonly signal?: AbortSignal;
}
