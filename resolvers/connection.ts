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

/** A page of a list that is in memory as a whole. A cursor whose item is gone goes on behind where it stood, if `key` orders the list as text. */
export function connectionOfAll<Item>(all: readonly Item[], args: PageArgs, key: (item: Item) => string): Connection<Item> {
  const size = pageSize(args);
  const after = afterKey(args);
  const at = after === null ? -1 : all.findIndex((item) => key(item) === after);
  const start = after === null ? 0 : at >= 0 ? at + 1 : all.findIndex((item) => key(item) > after);
  const rest = start < 0 ? [] : all.slice(start, start + size + 1);
  return connectionOf(rest, size, { key, node: (item) => item, hasPreviousPage: start !== 0, totalCount: BigInt(all.length) });
}
