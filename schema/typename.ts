import type { Connection } from '../resolvers/connection.ts';
import type { NodeValue } from '../resolvers/node-value.ts';

/**
 * Which object type a value is, where a field's type is an interface. Kept beside the values, never in them: they are readonly and may
 * be shared by caches.
 */
const typenames = new WeakMap<object, string>();

export function named<T extends object>(typename: string, value: T): T {
  typenames.set(value, typename);
  return value;
}

/** What a resolver found by a global id, as GraphQL takes it. */
export function asNode(found: NodeValue): object;
export function asNode(found: NodeValue | null): object | null;
export function asNode(found: NodeValue | null): object | null {
  return found === null ? null : named(found.typename, found.value);
}

export function nodeConnection(page: Connection<NodeValue>): Connection<object> {
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: asNode(node) })) };
}

export function typenameOf(value: object): string | undefined {
  return typenames.get(value);
}
