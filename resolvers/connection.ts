import { IcecoreError } from '../src/errors.ts';
import { pageRowsDefault, pageRowsMax } from '../src/limits.ts';

/** A page of a list that can grow, in Relay's shape. */
export interface Connection<Node> {
  readonly edges: readonly { readonly cursor: string; readonly node: Node }[];
  readonly pageInfo: PageInfo;
  /** Null where counting is not cheap. */
  readonly totalCount: bigint | null;
}

export interface PageInfo {
  readonly hasNextPage: boolean;
  readonly hasPreviousPage: boolean;
  readonly startCursor: string | null;
  readonly endCursor: string | null;
}

export interface PageArgs {
  readonly first?: number | null | undefined;
  readonly after?: string | null | undefined;
}

/** How many to give: `first` or 100. Throws BAD_USER_INPUT where it is below zero or beyond the greatest page. */
export function pageSize(args: PageArgs): number {
  const first = args.first ?? pageRowsDefault;
  if (first < 0 || first > pageRowsMax) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `first is ${first}: ask for 0 to ${pageRowsMax}, and for the rest with after: pageInfo.endCursor.`,
      {
        context: { first, firstMax: pageRowsMax },
      },
    );
  }
  return first;
}

/** The key that a cursor stands for; null for the beginning. Cursors are opaque to clients. */
export function afterKey(args: PageArgs): string | null {
  return args.after === null || args.after === undefined ? null : parseCursor(args.after);
}

export function printCursor(key: string): string {
  return Buffer.from(key).toString('base64url');
}

export function parseCursor(cursor: string): string {
  if (cursor === '' || !/^[\w-]+$/.test(cursor)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `"${cursor.slice(0, 80)}" is no cursor: take one from pageInfo.endCursor or an edge of an earlier answer.`,
    );
  }
  return Buffer.from(cursor, 'base64url').toString();
}

/** `items` are at most `size + 1`, the last one only the sign that more follow; each item's key is unique and orders the list. */
export function connectionOf<Item, Node>(
  items: readonly Item[],
  size: number,
  options: {
    readonly key: (item: Item) => string;
    readonly node: (item: Item) => Node;
    readonly hasPreviousPage: boolean;
    readonly totalCount?: bigint | null;
  },
): Connection<Node> {
  const edges = items.slice(0, size).map((item) => ({ cursor: printCursor(options.key(item)), node: options.node(item) }));
  return {
    edges,
    pageInfo: {
      hasNextPage: items.length > size,
      hasPreviousPage: options.hasPreviousPage,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: options.totalCount ?? null,
  };
}

/** As `PageArgs`, also from the end backwards. */
export interface TwoWayPageArgs extends PageArgs {
  readonly last?: number | null | undefined;
  readonly before?: string | null | undefined;
}

/**
 * A page of a list that is in memory as a whole, in rising order of `key` as text, or falling where `descending`. A cursor whose item is
 * gone goes on where it stood.
 */
export function connectionOfAll<Item>(
  all: readonly Item[],
  args: TwoWayPageArgs,
  key: (item: Item) => string,
  descending = false,
): Connection<Item> {
  const backwards = args.last !== null && args.last !== undefined;
  const size = pageSize(backwards ? { first: args.last } : args);
  const isBehind = (item: Item, cursor: string): boolean => (descending ? key(item) < cursor : key(item) > cursor);
  const after = afterKey(args);
  const before = afterKey({ after: args.before });
  const start = after === null ? 0 : firstIndex(all, (item) => isBehind(item, after));
  const end = before === null ? all.length : firstIndex(all, (item) => key(item) === before || isBehind(item, before));
  const from = backwards ? Math.max(start, end - size) : start;
  const to = backwards ? end : Math.min(end, start + size);
  const edges = all.slice(from, Math.max(from, to)).map((node) => ({ cursor: printCursor(key(node)), node }));
  return {
    edges,
    pageInfo: {
      hasNextPage: to < all.length,
      hasPreviousPage: from > 0,
      startCursor: edges[0]?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
    totalCount: BigInt(all.length),
  };
}

function firstIndex<Item>(all: readonly Item[], where: (item: Item) => boolean): number {
  const index = all.findIndex(where);
  return index < 0 ? all.length : index;
}

/** A page that the domain reads: `read` gets one more than the page holds and the key that the last page ended with. */
export async function connectionFrom<Item>(
  args: PageArgs,
  key: (item: Item) => string,
  read: (page: { readonly first: number; readonly after: string | null }) => Promise<readonly Item[]>,
): Promise<Connection<Item>> {
  const size = pageSize(args);
  const after = afterKey(args);
  const items = await read({ first: size + 1, after });
  return connectionOf(items, size, { key, node: (item) => item, hasPreviousPage: after !== null });
}

/** Numbers as text in their own order. */
export function orderedKey(value: bigint | number): string {
  return String(value).padStart(20, '0');
}
