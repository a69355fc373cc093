import { type Console, dim } from './console.ts';
import { countText } from './count-text.ts';
import { type GraphEdge, type GraphNode, isVersionStep, type LineageGraph, nodeLabel, stateText } from './lineage-graph.ts';

export type TreeDirection = 'UPSTREAM' | 'DOWNSTREAM';

/** A node as it is met at one place of the tree. */
interface Meeting {
  readonly node: GraphNode;
  readonly run: GraphEdge['run'];
  /** A version of the table in the line before it, one step earlier (upstream) or later. */
  readonly isVersion: boolean;
  /** Its branch is drawn here; elsewhere it is only named. */
  readonly isHome: boolean;
}

/** Versions of one table that nothing else is known of, in one line. */
interface Fold {
  readonly folded: readonly GraphNode[];
}

/**
 * The graph one way from a node, as a tree drawn with lines. What is met several times has its branch once, where it is nearest to the
 * root, and is named at the other places. Versions of a table stand below each other, since a table of a thousand appends is no deeper
 * than one of a single write.
 */
export class LineageTree {
  /** Everything that was reached, the root included. */
  readonly reached: ReadonlySet<string>;
  readonly #nodes: ReadonlyMap<string, GraphNode>;
  readonly #next = new Map<string, GraphEdge[]>();
  readonly #homes = new Map<string, string>();
  readonly #drawn = new Set<string>();
  readonly #root: GraphNode;
  readonly #direction: TreeDirection;
  readonly #style: Pick<Console, 'isStyled'>;

  constructor(graph: LineageGraph, root: GraphNode, direction: TreeDirection, style: Pick<Console, 'isStyled'>) {
    this.#root = root;
    this.#direction = direction;
    this.#style = style;
    this.#nodes = new Map(graph.nodes.map((node) => [node.id, node]));
    for (const edge of graph.edges) {
      const near = direction === 'UPSTREAM' ? edge.to.id : edge.from.id;
      const edges = this.#next.get(near) ?? [];
      this.#next.set(near, [...edges, edge]);
    }
    this.reached = this.#findHomes();
  }

  /** A line for each node below the root; none where there is nothing this way. */
  lines(): readonly string[] {
    this.#drawn.add(this.#root.id);
    const items = [...this.#childrenOf(this.#root), ...this.#versionsAfter(this.#root)];
    return this.#draw(items, '');
  }

  #findHomes(): ReadonlySet<string> {
    const reached = new Set([this.#root.id]);
    for (const id of reached) {
      for (const edge of this.#next.get(id) ?? []) {
        const far = this.#farOf(edge);
        if (far === undefined || reached.has(far.id)) continue;
        this.#homes.set(far.id, id);
        reached.add(far.id);
      }
    }
    return reached;
  }

  #draw(items: readonly (Meeting | Fold)[], prefix: string): string[] {
    const lines: string[] = [];
    items.forEach((item, index) => {
      const isLast = index === items.length - 1;
      lines.push(dim(prefix + (isLast ? '└─ ' : '├─ '), this.#style) + this.#text(item));
      if ('folded' in item || !item.isHome) return;
      this.#drawn.add(item.node.id);
      lines.push(...this.#draw(this.#childrenOf(item.node), prefix + (isLast ? '   ' : '│  ')));
    });
    return lines;
  }

  /** What a node was made from (or what was made from it), each followed by its own earlier (later) versions. */
  #childrenOf(node: GraphNode): readonly (Meeting | Fold)[] {
    return this.#meetings(node)
      .filter(({ isVersion }) => !isVersion)
      .flatMap((meeting) => [meeting, ...(meeting.isHome ? this.#versionsAfter(meeting.node) : [])]);
  }

  #versionsAfter(node: GraphNode): readonly (Meeting | Fold)[] {
    const versions: Meeting[] = [];
    const waiting = [node];
    for (let each = waiting.shift(); each !== undefined; each = waiting.shift()) {
      for (const meeting of this.#meetings(each).filter(({ isVersion }) => isVersion)) {
        versions.push(meeting);
        if (meeting.isHome) waiting.push(meeting.node);
      }
    }
    return this.#foldPlain(versions);
  }

  #foldPlain(versions: readonly Meeting[]): readonly (Meeting | Fold)[] {
    const items: (Meeting | Fold)[] = [];
    let plain: Meeting[] = [];
    const flush = (): void => {
      const isWorthIt = plain.filter(({ node }) => node.version !== null).length > 1;
      items.push(...(isWorthIt ? [{ folded: plain.map(({ node }) => node) }] : plain));
      plain = [];
    };
    for (const meeting of versions) {
      const isPlain = meeting.isHome && this.#meetings(meeting.node).every(({ isVersion }) => isVersion);
      if (!isPlain) flush();
      if (isPlain) plain.push(meeting);
      else items.push(meeting);
    }
    flush();
    return items;
  }

  #meetings(near: GraphNode): readonly Meeting[] {
    return (this.#next.get(near.id) ?? []).flatMap((edge) => {
      const node = this.#farOf(edge);
      if (node === undefined) return [];
      const isHome = this.#homes.get(node.id) === near.id;
      // What a run read needs not be told that it was by that run.
      const run = near.kind === 'RUN' ? null : edge.run;
      return [{ node, run, isVersion: isVersionStep(near, node, edge), isHome }];
    });
  }

  #farOf(edge: GraphEdge): GraphNode | undefined {
    return this.#nodes.get(this.#direction === 'UPSTREAM' ? edge.from.id : edge.to.id);
  }

  #text(item: Meeting | Fold): string {
    if ('folded' in item) return dim(this.#foldText(item.folded), this.#style);
    const { node, run, isVersion, isHome } = item;
    const isBranch = this.#meetings(node).length > 0;
    const notes = [
      stateText(node),
      isVersion ? (this.#direction === 'UPSTREAM' ? 'before that' : 'after that') : '',
      run === null ? '' : runText(node, run),
      isHome || !isBranch ? '' : this.#drawn.has(node.id) ? 'see above' : 'see below',
    ].filter((note) => note !== '');
    return nodeLabel(node) + (notes.length === 0 ? '' : dim(`  ${notes.join('; ')}`, this.#style));
  }

  #foldText(nodes: readonly GraphNode[]): string {
    const snapshots = nodes.filter(({ version }) => version !== null);
    const deleted = snapshots.filter(({ state }) => state === 'DELETED').length;
    const gone = deleted === 0 ? '' : deleted === snapshots.length ? '; all deleted' : `; ${countText(deleted)} deleted`;
    const [word, way] = this.#direction === 'UPSTREAM' ? ['earlier', 'back to'] : ['later', 'up to'];
    const name = nodes[0]?.name ?? '';
    return `${countText(snapshots.length)} ${word} snapshots of ${nodeLabel({ ...snapshotless, name })}, ${way} ${snapshots.at(-1)?.version}${gone}`;
  }
}

const snapshotless = { id: '', kind: 'TABLE', version: null, state: 'PRESENT' };

function runText({ kind: nodeKind }: GraphNode, { kind, status }: NonNullable<GraphEdge['run']>): string {
  const article = /^[AEIOU]/.test(kind) ? 'an' : 'a';
  return `${nodeKind === 'RUN' ? kind : `by ${article} ${kind} run`}${status === 'SUCCEEDED' ? '' : `, ${status}`}`;
}
