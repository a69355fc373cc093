import { afterAll, beforeAll, expect, test } from 'vitest';
import { airportHourly } from '../../demo/definitions.ts';
import { columnOrigins } from '../../src/features/select-lineage.ts';
import { parseSelect } from '../../src/sql/select.ts';
import { Store } from '../environment/store.ts';

let store: Store;

beforeAll(async () => {
  store = await Store.open();
});

afterAll(async () => {
  await store.close();
});

const tables: Readonly<Record<string, readonly string[]>> = {
  t: ['a', 'b', 'c', 'k'],
  u: ['a', 'k', 'v'],
  flights: ['date', 'delay', 'distance', 'origin', 'destination'],
};

/** `column<-table.column`, with a star where something was computed. */
async function origins(sql: string): Promise<readonly string[]> {
  const select = await parseSelect(store.duckdb, sql);
  const table = (reference: number) => select.references[reference]?.identifier.name;
  const columns = select.references.map(({ identifier }) => tables[identifier.name] ?? []);
  return columnOrigins(select, columns)
    .map(({ reference, from, to, isPlain }) => `${to}<-${table(reference)}.${from}${isPlain ? '' : '*'}`)
    .sort();
}

test.each([
  ['SELECT a, b AS c, a + b AS d, 1 AS e FROM x.t', ['a<-t.a', 'c<-t.b', 'd<-t.a*', 'd<-t.b*']],
  ['WITH h AS (SELECT a AS b, sum(c) AS s FROM x.t GROUP BY a) SELECT b, s / 2 AS half FROM h', ['b<-t.a', 'half<-t.c*']],
  ['SELECT s.b FROM (SELECT a AS b FROM x.t) AS s', ['b<-t.a']],
  ['SELECT l.a, r.a AS other FROM x.t l JOIN x.u r ON l.k = r.k', ['a<-t.a', 'other<-u.a']],
  ['SELECT a, a AS c, b AS a, a + 1 AS d FROM x.t', ['a<-t.b', 'c<-t.a', 'd<-t.a*']],
  ['SELECT a, v, b + v AS w FROM x.t, x.u', ['v<-u.v', 'w<-t.b*', 'w<-u.v*']],
  ['SELECT a AS first, first + 1 AS next FROM x.t', ['first<-t.a', 'next<-t.a*']],
  ['SELECT * FROM x.t', []],
  ['SELECT a FROM x.t UNION ALL SELECT a FROM x.u', []],
  ['SELECT (SELECT max(b) FROM x.u) AS m, a FROM x.t', ['a<-t.a']],
])('%s', async (sql, expected) => {
  expect(await origins(sql)).toEqual(expected);
});

test('through the windows of the demo’s definition', async () => {
  const found = await origins(airportHourly);
  expect(found).toEqual(
    expect.arrayContaining([
      'origin<-flights.origin',
      'event_time<-flights.date*',
      'mean_delay_3h<-flights.delay*',
      'late_share_24h<-flights.delay*',
    ]),
  );
});
