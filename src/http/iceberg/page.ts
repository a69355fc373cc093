import { IcecoreError } from '../../errors.ts';
import { pageRowsMax } from '../../limits.ts';

/** Reads those of a list after `after`, in order of their keys, at most `limit`. */
export type ListReader<Item> = (after: string | undefined, limit: number) => Promise<readonly Item[]>;

export interface PagedList<Item> {
  /** What the answer calls it: `namespaces`, `identifiers`. */
  readonly member: string;
  /** What the list is of: a token goes on in no other. */
  readonly scope: string;
  readonly read: ListReader<Item>;
  /** What `read` goes on after. */
  readonly keyOf: (item: Item) => string;
  readonly print: (item: Item) => unknown;
}

/**
 * The JSON of a list (REST specification: `pageToken`). With `pageToken`, which may be empty, one page of `pageSize`, and `next-page-token` to
 * go on with; without, all of it, in pieces of which one is in memory at a time.
 */
export async function* listBody<Item>(query: URLSearchParams, list: PagedList<Item>): AsyncGenerator<string> {
  const token = query.get('pageToken');
  const size = pageSizeOf(query.get('pageSize'));
  const limit = token === null ? pageRowsMax : size;
  let after = token === null || token === '' ? undefined : parseToken(token, list.scope);
  let before = `{${JSON.stringify(list.member)}:[`;
  for (;;) {
    // One more than the page tells whether there is another.
    const found = await list.read(after, limit + 1);
    const page = found.slice(0, limit);
    const last = page.at(-1);
    if (page.length > 0) {
      yield before + page.map((item) => JSON.stringify(list.print(item))).join(',');
      before = ',';
    }
    const isLast = found.length <= limit || last === undefined;
    after = isLast ? undefined : list.keyOf(last);
    if (isLast || token !== null) break;
  }
  const next = after === undefined ? null : printToken(after, list.scope);
  yield `${before === ',' ? '' : before}],"next-page-token":${JSON.stringify(next)}}`;
}

function pageSizeOf(text: string | null): number {
  if (text === null) return pageRowsMax;
  const size = Number(text);
  if (/^\d{1,9}$/.test(text) && size > 0) return Math.min(size, pageRowsMax);
  throw new IcecoreError('BAD_USER_INPUT', `pageSize is "${text}"; it takes a whole number above 0.`);
}

function printToken(after: string, scope: string): string {
  return Buffer.from(JSON.stringify([scope, after])).toString('base64url');
}

function parseToken(token: string, scope: string): string {
  const refused = new IcecoreError(
    'BAD_USER_INPUT',
    'The pageToken is none of this list: take `next-page-token` of the page before.',
  );
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (Array.isArray(value) && value[0] === scope && typeof value[1] === 'string') return value[1];
  } catch {
    throw refused;
  }
  throw refused;
}
