import fc from 'fast-check';
import { buildSchema, getOperationAST, parse } from 'graphql';
import { describe, expect, it } from 'vitest';
import { queryCost } from '../../src/http/query-cost.ts';
import { duckDbWaitingMax, queryCostHeavyField, queryCostMax } from '../../src/limits.ts';

const schema = buildSchema(`
  type Query { things(first: Int, after: String): ThingConnection! thing: Thing bare: [Thing!]! nodes(ids: [ID!]!): [Thing]! sql: Rows! }
  type Rows { rows: [String!]! }
  type ThingConnection { edges: [ThingEdge!]! totalCount: Int }
  type ThingEdge { cursor: String! node: Thing! }
  type Thing { name: String! things(first: Int): ThingConnection! bare: [Thing!]! }
`);

function cost(query: string, variables: Readonly<Record<string, unknown>> = {}) {
  const document = parse(query);
  const operation = getOperationAST(document);
  if (!operation) throw new Error('no operation');
  return queryCost(schema, document, operation, variables);
}

describe('the cost of a query', () => {
  it('counts lists by what is asked for, through variables', () => {
    expect(cost('{ thing { name } }')).toEqual({ cost: 2, depth: 2 });
    const page = 'query ($n: Int) { things(first: $n) { edges { node { name } } } }';
    expect([cost(page, { n: 10 }).cost, cost(page, { n: 1000 }).cost, cost(page).cost]).toEqual([22, 2002, 202]);
    expect(cost('{ bare { name } }').cost).toBe(11);
    expect(cost('{ nodes(ids: ["a", "b", "c"]) { name } }').cost).toBe(4);
  });

  it('counts what makes the engine read as many fields, so that a document cannot ask for it without end', () => {
    const aliases = (count: number) => Array.from({ length: count }, (_, at) => `a${at}: sql { rows }`).join(' ');
    expect(cost(`{ ${aliases(1)} }`).cost).toBe(queryCostHeavyField + 1);
    expect(cost(`{ ${aliases(250)} }`).cost).toBeGreaterThan(queryCostMax);
    expect(250).toBeLessThan(duckDbWaitingMax);
  });

  it('is never below the number of fields answered', () => {
    const tree: fc.Arbitrary<string> = fc.letrec((tie) => ({
      selection: fc.oneof(
        { maxDepth: 4 },
        fc.constant('name'),
        fc
          .tuple(fc.integer({ min: 0, max: 3 }), tie('selection'))
          .map(([n, inner]) => `a${n}: things(first: ${n}) { edges { node { ${inner} } } }`),
        tie('selection').map((inner) => `bare { ${inner} }`),
      ),
    })).selection as fc.Arbitrary<string>;
    fc.assert(
      fc.property(tree, (selection) => {
        expect(cost(`{ thing { ${selection} } }`).cost).toBeGreaterThanOrEqual(1 + answered(selection));
      }),
    );
  });

  it('takes as long as the document is, however often its fragments are spread', () => {
    const fragments = Array.from({ length: 200 }, (_, at) => `fragment F${at} on Thing { ...F${at + 1} ...F${at + 1} name }`);
    // Walked one by one they would never end.
    const bomb = cost(`{ thing { ...F0 } } ${fragments.join(' ')} fragment F200 on Thing { name }`);
    expect(bomb.cost).toBeGreaterThan(1e50);
  });
});

/** Fields answered where every list is as long as it may be. */
function answered(selection: string): number {
  const page = /^a(\d): things\(first: \d\) \{ edges \{ node \{ (.*) \} \} \}$/.exec(selection);
  if (page !== null) return 1 + Number(page[1]) * (1 + answered(page[2] ?? ''));
  const bare = /^bare \{ (.*) \}$/.exec(selection);
  return bare === null ? 1 : 1 + 10 * answered(bare[1] ?? '');
}
