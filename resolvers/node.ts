import { parseNodeId } from '../src/node-id.ts';
import type { ApiContext } from './context.ts';
import { type NodeValue, nodeValue } from './node-value.ts';

export function node({ id }: { readonly id: string }, context: ApiContext): Promise<NodeValue | null> {
  return nodeValue(parseNodeId(id), context);
}

export function nodes({ ids }: { readonly ids: readonly string[] }, context: ApiContext): Promise<readonly (NodeValue | null)[]> {
  return Promise.all(ids.map((id) => nodeValue(parseNodeId(id), context)));
}
