import { IcecoreError } from '../src/errors.ts';
import type { LineageDirection } from '../src/lineage/lineage-graph.ts';
import { parseNodeId, printNodeId } from '../src/node-id.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { graphView } from './lineage-view.ts';
import { lineageRefOf, nodeValue, subjectIdOf } from './node-value.ts';
import type { LineageGraphView, LineageNodeView } from './views.ts';

interface LineageArgs {
  readonly of: string;
  readonly direction?: Given<LineageDirection>;
  readonly maxDepth?: Given<number>;
  readonly maxNodes?: Given<number>;
  readonly asOf?: Given<bigint>;
  readonly after?: Given<string>;
}

export async function lineage(args: LineageArgs, context: ApiContext): Promise<LineageGraphView> {
  const { icecore, signal } = context;
  const query = {
    of: [await rootOf(args.of, context)],
    ...(args.direction == null ? {} : { direction: args.direction }),
    ...(args.maxDepth == null ? {} : { maxDepth: args.maxDepth }),
    ...(args.maxNodes == null ? {} : { maxNodes: args.maxNodes }),
    asOfMicros: args.asOf ?? null,
    after: args.after ?? null,
    signal,
  };
  return graphView(await icecore.lineage.graph(query));
}

export async function impact(
  args: Pick<LineageArgs, 'of' | 'maxNodes' | 'after'>,
  context: ApiContext,
): Promise<LineageGraphView> {
  const { icecore, signal } = context;
  const query = {
    of: [await rootOf(args.of, context)],
    ...(args.maxNodes == null ? {} : { maxNodes: args.maxNodes }),
    after: args.after ?? null,
    signal,
  };
  return graphView(await icecore.lineage.impact(query));
}

/** The id of what it stands for; null where that is hidden or outside of Icecore. */
export function lineageNodeSubject(node: LineageNodeView): string | null {
  const id = node.state === 'HIDDEN' ? null : subjectIdOf(node);
  return id === null ? null : printNodeId(id.kind, ...id.parts);
}

/** The ref of an id, with the name under which it was last recorded. Throws NOT_FOUND where there is nothing of it, now or ever. */
async function rootOf(text: string, context: ApiContext) {
  const id = parseNodeId(text);
  const ref = lineageRefOf(id);
  const node = await context.icecore.lineage.node(ref);
  if (node !== null) return { ...ref, name: node.name ?? '' };
  const value = id.kind === 'LineageNode' ? null : await nodeValue(id, context);
  if (value === null)
    throw new IcecoreError('NOT_FOUND', 'Nothing is known of what this id stands for.', { context: { id: text } });
  return { ...ref, name: ref.uuid };
}
