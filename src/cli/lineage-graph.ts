import { printable } from './printable.ts';

/** The API's answer to `lineage`, as far as it is drawn. */
export interface LineageGraph {
  readonly root: GraphNode;
  /** The root first, then by distance. */
  readonly nodes: readonly GraphNode[];
  readonly edges: readonly GraphEdge[];
  readonly complete: boolean;
  readonly incompleteBecause: readonly string[];
  readonly asOf: string;
}

export interface GraphNode {
  readonly id: string;
  readonly kind: string;
  /** Null where it may not be seen. */
  readonly name: string | null;
  readonly version: string | null;
  readonly state: string;
}

/** `to` was made from `from`. */
export interface GraphEdge {
  readonly from: { readonly id: string };
  readonly to: { readonly id: string };
  readonly run: { readonly kind: string; readonly status: string } | null;
}

export const lineageQuery = `query ($of: ID!, $direction: LineageDirection, $maxDepth: Int, $maxNodes: Int) {
  lineage(of: $of, direction: $direction, maxDepth: $maxDepth, maxNodes: $maxNodes) {
    root { ...node } nodes { ...node } edges { from { id } to { id } run { id kind status } }
    complete incompleteBecause asOf
  }
}
fragment node on LineageNode { id kind name version state }`;

/** How the command line calls each kind; tables go without. What is said here is also understood (`lineage-root.ts`), runs apart. */
const prefixes: Readonly<Record<string, string>> = {
  TABLE: '',
  FEATURE: 'feature:',
  FEATURE_SET: 'feature-set:',
  TRAINING_SET: 'training:',
  MODEL_VERSION: 'model:',
  PREDICTION: 'prediction:',
};

/** `raw.flights@637083464772653247`, `model:flight-late@1`. Printable. */
export function nodeLabel({ kind, name, version }: GraphNode): string {
  const prefix = prefixes[kind] ?? `${kind.toLowerCase().replaceAll('_', ' ')} `;
  if (name === null) return `${prefix === '' ? 'table' : prefix.replace(/[: ]$/, '')} that you may not see`;
  return printable(`${prefix}${name}${version === null ? '' : `@${version}`}`);
}

/** What has become of it; empty for what is there. */
export function stateText({ state }: GraphNode): string {
  return state === 'PRESENT' || state === 'HIDDEN' ? '' : state.toLowerCase();
}

/** A step between two versions of one table, which only tells that the one was there before the other. */
export function isVersionStep(from: GraphNode, to: GraphNode, { run }: GraphEdge): boolean {
  return run === null && from.kind === 'TABLE' && to.kind === 'TABLE' && from.name !== null && from.name === to.name;
}
