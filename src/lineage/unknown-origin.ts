import type { LineageNode } from './lineage-graph.ts';
import { lineageKey } from './lineage-key.ts';
import type { LineageWalk } from './lineage-walk.ts';

/** In words: which nodes there is nothing known of what they came from, though something must have been. */
export function unknownOrigins(nodes: readonly LineageNode[], walk: LineageWalk): readonly string[] {
  return nodes.filter((node) => !walk.originKnown.has(lineageKey(node))).flatMap((node) => unknownOrigin(node) ?? []);
}

function unknownOrigin({ depth, kind, name, state, uuid, version }: LineageNode): string | null {
  if (state === 'HIDDEN') return null;
  const what = name ?? uuid;
  if (kind === 'PREDICTION') {
    return state === 'DELETED'
      ? `The prediction ${what} is gone, and with it the run that made it.`
      : `The prediction ${what} was not made by then.`;
  }
  // One that was asked for may have read nothing; one that was walked to has made something.
  if (kind === 'RUN' && depth > 0) return `What run ${what} read was not recorded.`;
  if (kind !== 'TABLE' || version === null || state !== 'DELETED') return null;
  return `Snapshot ${version} of ${what} is gone, and what it came from was not recorded.`;
}
