import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Connection, connectionFrom, connectionOfAll, orderedKey } from '../../resolvers/connection.ts';

const key = (item: number): string => orderedKey(item);
const lists = fc.uniqueArray(fc.nat({ max: 200 }), { maxLength: 40 });

describe('connections', () => {
  it('give every item once, page by page, in both directions', () => {
    fc.assert(
      fc.property(lists, fc.integer({ min: 1, max: 7 }), fc.boolean(), (items, size, descending) => {
        const all = items.toSorted((a, b) => (descending ? b - a : a - b));
        const forwards: number[] = [];
        for (let after: string | null = null; ; ) {
          const page: Connection<number> = connectionOfAll(all, { first: size, after }, key, descending);
          forwards.push(...page.edges.map(({ node }) => node));
          expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
          if (!page.pageInfo.hasNextPage) break;
          after = page.pageInfo.endCursor;
        }
        expect(forwards).toEqual(all);
        const backwards: number[] = [];
        for (let before: string | null = null; ; ) {
          const page: Connection<number> = connectionOfAll(all, { last: size, before }, key, descending);
          backwards.unshift(...page.edges.map(({ node }) => node));
          if (!page.pageInfo.hasPreviousPage) break;
          before = page.pageInfo.startCursor;
        }
        expect(backwards).toEqual(all);
      }),
    );
  });

  it('go on where a cursor stood whose item is gone', () => {
    const page = connectionOfAll([1, 2, 3, 4], { first: 2 }, key);
    const rest = connectionOfAll([1, 3, 4], { after: page.pageInfo.endCursor }, key);
    expect(rest.edges.map(({ node }) => node)).toEqual([3, 4]);
  });

  it('read one item more than a page, and no page beyond the greatest', async () => {
    const read = async ({ first, after }: { readonly first: number; readonly after: string | null }) =>
      [1, 2, 3, 4, 5].filter((item) => after === null || key(item) > after).slice(0, first);
    const first = await connectionFrom({ first: 2 }, key, read);
    expect(first.pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false });
    const last = await connectionFrom({ first: 3, after: first.pageInfo.endCursor }, key, read);
    expect(last.edges.map(({ node }) => node)).toEqual([3, 4, 5]);
    expect(last.pageInfo.hasNextPage).toBe(false);
    await expect(connectionFrom({ first: 1001 }, key, read)).rejects.toThrow(/0 to 1000/);
    await expect(connectionFrom({ after: 'ä' }, key, read)).rejects.toThrow(/no cursor/);
  });
});
