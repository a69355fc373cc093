import { setImmediate as nextTurn } from 'node:timers/promises';
import { lineageEdgesMax, lineageWalkMsMax } from '../limits.ts';
import type { LineageEdge } from './lineage-edge-table.ts';
import { lineageKey } from './lineage-key.ts';
import type { LineageRef } from './lineage-record.ts';

export type OneWay = 'UPSTREAM' | 'DOWNSTREAM';

/** Every edge that ends (upstream) or begins (downstream) at one of the refs, in an order that does not change; at most `limit`. */
export type EdgesAt = (refs: readonly LineageRef[], direction: OneWay, limit: number) => Promise<readonly LineageEdge[]>;

export interface FoundNode {
  readonly ref: LineageRef;
  readonly depth: number;
}

/**
 * A breadth-first walk over versioned things, one batch of reads a level. Steps between versions of one table cost no depth: a table
 * of ninety appends is as near to what was computed from it as one of a single write.
 */
export class LineageWalk {
  /** In the order they were found. */
  readonly nodes: FoundNode[] = [];
  readonly edges = new Map<string, LineageEdge>();
  /** Keys of the nodes of which is known what they came from, also where that lies beyond the walk. */
  readonly originKnown = new Set<string>();
  readonly incompleteBecause: string[] = [];
  depthReached = 0;
  /** Whether more nodes would come with a greater `nodesMax`. Those that were found are still walked from, for the edges among them. */
  isCut = false;
  #isStopped = false;
  readonly #edgesAt: EdgesAt;
  readonly #nodesMax: number;
  readonly #depthMax: number;
  readonly #deadlineMs = performance.now() + lineageWalkMsMax;
  readonly #signal: AbortSignal | undefined;
  readonly #known = new Map<string, number>();

  constructor(
    edgesAt: EdgesAt,
    limits: { readonly nodesMax: number; readonly depthMax: number; readonly signal?: AbortSignal | undefined },
  ) {
    this.#edgesAt = edgesAt;
    this.#nodesMax = limits.nodesMax;
    this.#depthMax = limits.depthMax;
    this.#signal = limits.signal;
  }

  /** The place of a node among `nodes`. */
  orderOf(ref: LineageRef): number {
    return this.#known.get(lineageKey(ref)) ?? -1;
  }

  /** Walks one way from the roots; what an earlier walk found is passed through, and not found twice. */
  async from(roots: readonly LineageRef[], direction: OneWay): Promise<void> {
    const seen = new Set<string>();
    let level = this.#admit(roots, 0, seen);
    for (let depth = 0; level.length > 0 && !this.#isStopped; depth++) {
      this.depthReached = Math.max(this.depthReached, depth);
      level = await this.#level(level, depth, direction, seen);
    }
  }

  /** Expands one level, versions of the same tables included; gives the next, empty beyond the depth asked for. */
  async #level(level: readonly LineageRef[], depth: number, direction: OneWay, seen: Set<string>): Promise<LineageRef[]> {
    const next: LineageRef[] = [];
    let current = level;
    while (current.length > 0 && !this.#isStopped) {
      this.#signal?.throwIfAborted();
      if (performance.now() > this.#deadlineMs) {
        this.#stop(`The walk took longer than ${lineageWalkMsMax / 1000} s.`);
        break;
      }
      const versions: LineageRef[] = [];
      const edges = await this.#edgesAt(current, direction, lineageEdgesMax + 1);
      if (edges.length > lineageEdgesMax) this.#stop(`More than ${lineageEdgesMax} edges meet one level.`);
      for (const edge of edges.slice(0, lineageEdgesMax)) {
        const other = direction === 'UPSTREAM' ? edge.from : edge.to;
        if (direction === 'UPSTREAM') this.originKnown.add(lineageKey(edge.to));
        const isVersion = edge.from.kind === 'TABLE' && edge.to.kind === 'TABLE' && edge.from.uuid === edge.to.uuid;
        if (!isVersion && depth === this.#depthMax && !seen.has(lineageKey(other))) {
          this.#note(`maxDepth ${this.#depthMax} was reached, and there is more beyond it.`);
          continue;
        }
        const admitted = this.#admit([other], isVersion ? depth : depth + 1, seen);
        (isVersion ? versions : next).push(...admitted);
        if (this.orderOf(other) >= 0) this.edges.set(edge.id, edge);
      }
      current = versions;
      // Reads of the index hold up the event loop: let others in between.
      await nextTurn();
    }
    return next;
  }

  /** Those that this walk has not seen. */
  #admit(refs: readonly LineageRef[], depth: number, seen: Set<string>): LineageRef[] {
    const admitted: LineageRef[] = [];
    for (const ref of refs) {
      const key = lineageKey(ref);
      if (seen.has(key)) continue;
      if (!this.#known.has(key)) {
        if (this.nodes.length >= this.#nodesMax) {
          this.isCut = true;
          this.#note('maxNodes was reached, and there are more.');
          continue;
        }
        this.#known.set(key, this.nodes.length);
        this.nodes.push({ ref, depth });
      }
      seen.add(key);
      admitted.push(ref);
    }
    return admitted;
  }

  #stop(reason: string): void {
    this.#isStopped = true;
    this.#note(reason);
  }

  #note(reason: string): void {
    if (!this.incompleteBecause.includes(reason)) this.incompleteBecause.push(reason);
  }
}
