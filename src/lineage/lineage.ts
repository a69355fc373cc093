import { randomUUID } from 'node:crypto';
import type { Caller } from '../access/caller.ts';
import type { JournalDraft } from '../catalog/catalog.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { lineageDepthDefault, lineageDepthMax, lineageEdgesMax, lineageNodesDefault, lineageNodesMax } from '../limits.ts';
import { edgeBetween, hiddenStub } from './hidden-node.ts';
import { parseCursor, printCursor, walkDigest } from './lineage-cursor.ts';
import { edgeOf, type LineageEdge, type LineageEdgeRow, lineageEdgeTable } from './lineage-edge-table.ts';
import type { LineageGraph, LineageNode, LineageQuery, LineageState } from './lineage-graph.ts';
import { impliedEdgeEnd, lineageKey } from './lineage-key.ts';
import type { LineageEdgeDraft, LineageRef } from './lineage-record.ts';
import { type FoundNode, LineageWalk, type OneWay } from './lineage-walk.ts';
import { besideRun, runRef, runSide } from './run-edge.ts';
import { unknownOrigins } from './unknown-origin.ts';

export interface LineageOptions {
  readonly ledger: Ledger;
  readonly clock: Clock;
  /** What has become of these things, in their order. PRESENT where left out. */
  readonly states?: (refs: readonly LineageRef[]) => Promise<readonly LineageState[]>;
  /** Which of these things the caller at hand may not see, in their order. None where left out. */
  readonly hidden?: (refs: readonly LineageRef[]) => Promise<readonly boolean[]>;
  /** Makes ids of which nothing can be told, the same for the same text. */
  readonly seal?: (text: string) => string;
  /**
   * Edges that follow from what is there and were recorded by nobody: a snapshot and its parent, a prediction and its table. Those that
   * end (UPSTREAM) or begin at one of the refs.
   */
  readonly implied?: (refs: readonly LineageRef[], direction: OneWay, limit: number) => Promise<readonly LineageEdge[]>;
}

/** What was made from what (semantics, section 5). */
export class Lineage {
  readonly #options: LineageOptions;

  constructor(options: LineageOptions) {
    this.#options = options;
  }

  /** The entries that record these edges, to be committed with what they tell about. */
  drafts(edges: readonly LineageEdgeDraft[], caller: Caller): JournalDraft[] {
    const { ledger, clock } = this.#options;
    const recordedAt = clock.nowMicros();
    return edges.map(({ from, to, runId, columns }) =>
      ledger.draft(lineageEdgeTable, {
        id: randomUUID(),
        from_kind: from.kind,
        from_uuid: from.uuid,
        from_version: from.version,
        from_name: from.name,
        to_kind: to.kind,
        to_uuid: to.uuid,
        to_version: to.version,
        to_name: to.name,
        run_id: runId,
        recorded_at: recordedAt,
        recorded_by: caller.actor.id,
        columns: columns.map(({ from, to, transformation }) => ({ from, to, transformation })),
      }),
    );
  }

  /**
   * The graph around a thing, as one state of the ledger shows it. Never cut off in silence: `complete` is false with the reasons, and
   * `frontierCursor` goes on. Throws BAD_USER_INPUT for limits out of range and a cursor of another walk.
   */
  async graph(query: LineageQuery): Promise<LineageGraph> {
    const { ledger, clock } = this.#options;
    const direction = query.direction ?? 'BOTH';
    const depthMax = checked(query.maxDepth ?? lineageDepthDefault, 'maxDepth', 0, lineageDepthMax);
    const pageMax = checked(query.maxNodes ?? lineageNodesDefault, 'maxNodes', 1, lineageNodesMax);
    const digest = walkDigest(query.of, direction, depthMax);
    await ledger.refresh();
    const cursor = query.after == null ? null : parseCursor(query.after, digest);
    const seq = cursor?.seq ?? ledger.appliedSeq;
    const asOfMicros = cursor?.asOfMicros ?? query.asOfMicros ?? clock.nowMicros();
    const offset = cursor?.offset ?? 0;

    const at = { seq, asOfMicros };
    // Walks end at what is hidden: what lies behind it is not the caller's to know.
    const walk = new LineageWalk(async (refs, way, limit) => this.#edgesAt(await this.#visible(refs), way, limit, at), {
      nodesMax: offset + pageMax,
      depthMax,
      signal: query.signal,
    });
    const roots = this.#versions(query.of, at);
    for (const way of ['UPSTREAM', 'DOWNSTREAM'] as const) {
      if (direction === way || direction === 'BOTH') await walk.from(roots, way);
    }
    const [first] = walk.nodes;
    if (first === undefined) throw new IcecoreError('INTERNAL', 'A lineage needs a root.');
    const stubs = await this.#stubs(walk.nodes.map(({ ref }) => ref));
    const [root, ...found] = await this.#shown([first, ...walk.nodes.slice(offset)], stubs);
    if (root === undefined) throw new IcecoreError('INTERNAL', 'A lineage needs a root.');
    const nodes = [...new Map(found.map((node) => [lineageKey(node), node])).values()];
    const hidden = new Set([...stubs.values()].map(({ uuid }) => uuid)).size;
    const incompleteBecause = [
      ...walk.incompleteBecause,
      ...(hidden === 0 ? [] : [`${hidden} of the nodes may not be seen by this caller.`]),
      ...(direction === 'DOWNSTREAM' ? [] : unknownOrigins(nodes, walk)),
    ];
    const place = (edge: LineageEdge): number => Math.max(walk.orderOf(edge.from), walk.orderOf(edge.to));
    return {
      root,
      nodes,
      edges: [...walk.edges.values()].filter((edge) => place(edge) >= offset).map((edge) => shownEdge(edge, stubs)),
      depthReached: walk.depthReached,
      complete: incompleteBecause.length === 0,
      incompleteBecause,
      frontierCursor: walk.isCut && found.length > 0 ? printCursor({ offset: offset + found.length, ...at }, digest) : null,
      asOfMicros,
    };
  }

  /** Everything computed from these versions: the recall question (contract, `impact`). */
  impact(query: Omit<LineageQuery, 'direction'>): Promise<LineageGraph> {
    return this.graph({ ...query, direction: 'DOWNSTREAM', maxDepth: query.maxDepth ?? lineageDepthMax });
  }

  /** The runs that wrote snapshots, in their order; null where none is recorded. One read whatever their number. */
  async producers(
    snapshots: readonly { readonly tableUuid: string; readonly snapshotId: bigint }[],
  ): Promise<readonly (string | null)[]> {
    const rows = await this.#options.ledger.select(lineageEdgeTable, {
      sql: {
        text:
          'journal_seq IN (SELECT e.journal_seq FROM json_each(?) AS n CROSS JOIN "icecore.lineage_edges" AS e ' +
          "WHERE e.to_kind = 'TABLE' AND e.to_uuid = n.value->>0 AND e.to_version = n.value->>1) AND run_id IS NOT NULL",
        args: [JSON.stringify(snapshots.map(({ tableUuid, snapshotId }) => [tableUuid, String(snapshotId)]))],
      },
    });
    const runs = new Map(rows.map((row) => [`${row.to_uuid}/${row.to_version}`, row.run_id]));
    return snapshots.map(({ tableUuid, snapshotId }) => runs.get(`${tableUuid}/${snapshotId}`) ?? null);
  }

  /** By the id that a graph gave it; null where it is not, or no longer, recorded or implied, or neither of its ends may be seen. */
  async edge(id: string): Promise<LineageEdge | null> {
    const edge = await this.#edge(id);
    if (edge === null) return null;
    const stubs = await this.#stubs([edge.from, edge.to]);
    return stubs.has(lineageKey(edge.from)) && stubs.has(lineageKey(edge.to)) ? null : shownEdge(edge, stubs);
  }

  async #edge(id: string): Promise<LineageEdge | null> {
    const to = impliedEdgeEnd(id);
    if (to !== null) {
      const implied = (await this.#options.implied?.([to], 'UPSTREAM', lineageEdgesMax)) ?? [];
      return implied.find((edge) => edge.id === id) ?? null;
    }
    const { recorded, side } = runSide(id);
    const row = await this.#options.ledger.find(lineageEdgeTable, { id: recorded });
    if (row === null) return null;
    const edge = edgeOf(row);
    if (side === null) return edge;
    return edge.runId === null ? null : besideRun(edge, side, runRef(edge.runId));
  }

  /** The node of one version; its name is the one last recorded. Null where nothing is known of it, or it may not be seen. */
  async node(ref: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): Promise<LineageNode | null> {
    const { ledger } = this.#options;
    const { kind, uuid, version } = ref;
    const query = { orderBy: 'journal_seq DESC', limit: 1 };
    const [to] = await ledger.select(lineageEdgeTable, {
      where: { to_kind: kind, to_uuid: uuid, to_version: version },
      ...query,
    });
    const [from] = ledger.selectNow(lineageEdgeTable, {
      where: { from_kind: kind, from_uuid: uuid, from_version: version },
      ...query,
    });
    const name = to?.to_name ?? from?.from_name ?? (await this.#impliedName(ref));
    if (name === undefined) return null;
    const named = { ...ref, name };
    if ((await this.#stubs([named])).size > 0) return null;
    const [node] = await this.#shown([{ ref: named, depth: 0 }], new Map());
    return node ?? null;
  }

  /** Of what no edge was recorded, such as a prediction. */
  async #impliedName(ref: Pick<LineageRef, 'kind' | 'uuid' | 'version'>): Promise<string | undefined> {
    const [edge] = (await this.#options.implied?.([{ ...ref, name: '' }], 'UPSTREAM', 1)) ?? [];
    return edge?.to.name;
  }

  /** Where a root has no version: every version of it that was recorded, and the thing itself. */
  #versions(of: readonly LineageRef[], at: { readonly seq: bigint; readonly asOfMicros: bigint }): readonly LineageRef[] {
    const roots = new Map(of.map((ref) => [lineageKey(ref), ref]));
    for (const { kind, uuid, version } of of) {
      if (version !== null || kind === 'RUN') continue;
      const rows = this.#options.ledger.selectNow(lineageEdgeTable, {
        sql: {
          text: '((from_kind = ? AND from_uuid = ?) OR (to_kind = ? AND to_uuid = ?)) AND journal_seq <= ? AND recorded_at <= ?',
          args: [kind, uuid, kind, uuid, at.seq, at.asOfMicros],
        },
        limit: lineageNodesMax,
      });
      for (const edge of rows.map(edgeOf)) {
        for (const ref of [edge.from, edge.to]) {
          if (ref.kind === kind && ref.uuid === uuid && !roots.has(lineageKey(ref))) roots.set(lineageKey(ref), ref);
        }
      }
    }
    return [...roots.values()];
  }

  async #edgesAt(
    refs: readonly LineageRef[],
    direction: OneWay,
    limit: number,
    at: { readonly seq: bigint; readonly asOfMicros: bigint },
  ): Promise<readonly LineageEdge[]> {
    const { ledger, implied } = this.#options;
    const end = direction === 'UPSTREAM' ? 'to' : 'from';
    const triples = refs.map(({ kind, uuid, version }) => [kind, uuid, version]);
    const rows = ledger.selectNow(lineageEdgeTable, {
      sql: {
        text:
          `journal_seq IN (SELECT e.journal_seq FROM json_each(?) AS n CROSS JOIN "icecore.lineage_edges" AS e ` +
          `WHERE e.${end}_kind = n.value->>0 AND e.${end}_uuid = n.value->>1 AND e.${end}_version IS n.value->>2) ` +
          'AND journal_seq <= ? AND recorded_at <= ?',
        args: [JSON.stringify(triples), at.seq, at.asOfMicros],
      },
      limit,
    });
    const recorded = [...rows.map(edgeOf), ...this.#ofRuns(refs, direction, limit, at)];
    if (implied === undefined) return recorded;
    const known = new Set(recorded.map(edgeKey));
    const others = await implied(refs, direction, limit);
    return [...recorded, ...others.filter((edge) => edge.recordedAtMicros <= at.asOfMicros && !known.has(edgeKey(edge)))];
  }

  /** A run as a node of its own: what it read comes before it, what it wrote after it. */
  #ofRuns(
    refs: readonly LineageRef[],
    direction: OneWay,
    limit: number,
    at: { readonly seq: bigint; readonly asOfMicros: bigint },
  ): readonly LineageEdge[] {
    const runs = new Map(refs.flatMap((ref) => (ref.kind === 'RUN' ? [[ref.uuid, ref]] : [])));
    if (runs.size === 0) return [];
    const rows = this.#options.ledger.selectNow(lineageEdgeTable, {
      where: { run_id: [...runs.keys()] },
      sql: { text: 'journal_seq <= ? AND recorded_at <= ?', args: [at.seq, at.asOfMicros] },
      limit,
    });
    return rows.flatMap((row: LineageEdgeRow) => {
      const edge = edgeOf(row);
      const run = runs.get(row.run_id ?? '');
      if (run === undefined) return [];
      return [besideRun(edge, direction === 'UPSTREAM' ? 'read' : 'written', run)];
    });
  }

  async #shown(found: readonly FoundNode[], stubs: Stubs): Promise<readonly LineageNode[]> {
    const visible = found.filter(({ ref }) => !stubs.has(lineageKey(ref)));
    const states = await this.#options.states?.(visible.map(({ ref }) => ref));
    const stateOf = new Map(visible.map(({ ref }, index) => [lineageKey(ref), states?.[index] ?? 'PRESENT']));
    return found.map(({ ref, depth }) => {
      const stub = stubs.get(lineageKey(ref));
      if (stub !== undefined) return { ...stub, name: null, state: 'HIDDEN', depth };
      return { ...ref, state: stateOf.get(lineageKey(ref)) ?? 'PRESENT', depth };
    });
  }

  async #visible(refs: readonly LineageRef[]): Promise<readonly LineageRef[]> {
    const hidden = await this.#options.hidden?.(refs);
    return hidden === undefined ? refs : refs.filter((_, index) => hidden[index] !== true);
  }

  /** What stands for those that are hidden. */
  async #stubs(refs: readonly LineageRef[]): Promise<Stubs> {
    const { hidden, seal = () => randomUUID() } = this.#options;
    const isHidden = (await hidden?.(refs)) ?? [];
    return new Map(refs.flatMap((ref, index) => (isHidden[index] === true ? [[lineageKey(ref), hiddenStub(ref, seal)]] : [])));
  }
}

type Stubs = ReadonlyMap<string, LineageRef>;

function shownEdge(edge: LineageEdge, stubs: Stubs): LineageEdge {
  return edgeBetween(edge, stubs.get(lineageKey(edge.from)) ?? edge.from, stubs.get(lineageKey(edge.to)) ?? edge.to);
}

function edgeKey(edge: LineageEdge): string {
  return `${lineageKey(edge.from)} ${lineageKey(edge.to)}`;
}

function checked(value: number, name: string, min: number, max: number): number {
  if (Number.isSafeInteger(value) && value >= min && value <= max) return value;
  throw new IcecoreError('BAD_USER_INPUT', `${name} is ${value}; it takes ${min} to ${max}.`);
}
