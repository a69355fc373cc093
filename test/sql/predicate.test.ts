import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';
import { loadJsonRows } from '../../src/sql/json-rows.ts';
import { parsePredicate } from '../../src/sql/predicate.ts';
import { predicateSql } from '../../src/sql/predicate-sql.ts';
import { type DuckDbFixture, openFixture } from './duckdb-fixture.ts';

let fixture: DuckDbFixture;
beforeAll(async () => {
  fixture = await openFixture();
});
afterAll(() => fixture.close());

const field = (id: number, name: string, type: Type): NestedField => ({ id, name, type, required: false });
const schema: Schema = {
  schemaId: 0,
  identifierFieldIds: [],
  fields: [
    field(1, 'i', 'int'),
    field(2, 'l', 'long'),
    field(3, 'd', 'double'),
    field(4, 'dec', 'decimal(10, 2)'),
    field(5, 'day', 'date'),
    field(6, 'ts', 'timestamp'),
    field(7, 'tz', 'timestamptz'),
    field(8, 's', 'string'),
    field(9, 'b', 'boolean'),
    field(10, 'u', 'uuid'),
    field(11, 'bin', 'binary'),
    field(12, 'st', { kind: 'struct', fields: [field(13, 'x y', 'int')] }),
    field(14, 't', 'time'),
    field(15, 'f', 'float'),
    field(16, 'ns', 'timestamp_ns'),
  ],
};

const rows = [
  {},
  {
    i: 1,
    l: '9007199254740993',
    d: 1.5,
    dec: '1.50',
    day: '2001-01-01',
    ts: '2001-01-01T00:00:00',
    tz: '2001-01-01T00:00:00Z',
    s: 'abc',
    b: true,
    u: '00000000-0000-0000-0000-000000000001',
    bin: 'qg==',
    st: { 'x y': 1 },
    t: '01:00:00',
    f: 0.1,
    ns: '2001-01-01T00:00:00.000000001',
  },
  {
    i: -2,
    l: '-9223372036854775808',
    d: 'NaN',
    dec: '-99999999.99',
    day: '1969-12-31',
    ts: '1969-12-31T23:59:59.999999',
    tz: '2001-06-01T00:00:00+02:00',
    s: "a'b%_\0c",
    b: false,
    u: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
    bin: '',
    st: {},
    t: '23:59:59.999999',
    f: 'Infinity',
  },
  {
    i: 2147483647,
    l: '0',
    d: '-Infinity',
    dec: '0',
    day: '9999-12-31',
    ts: '0001-01-01T00:00:00',
    tz: '1969-01-01T00:00:00Z',
    s: '',
    b: null,
    bin: 'AAH/',
    t: '00:00:00',
    f: 'NaN',
  },
];

/** The indexes of the rows that a piece of SQL matches. */
async function matches(where: string): Promise<unknown[]> {
  return fixture.db.trusted.use(async (connection) => {
    await loadJsonRows(connection, 'r', schema, rows);
    const reader = await connection.runAndReadAll(`SELECT rowid FROM r WHERE ${where} ORDER BY rowid`);
    return reader.getRows().map(([id]) => Number(id));
  });
}

async function matchesPredicate(text: string): Promise<unknown[]> {
  return matches(predicateSql(schema, bindExpression(schema, await parsePredicate(fixture.db, text))));
}

const atoms = [
  'i = 1',
  'i <> 1',
  '1 < i',
  '-2 >= i',
  'i < 2.5',
  'i < 3000000000',
  'i IN (1, -2, 7)',
  'i NOT IN (1, 3000000000)',
  'i BETWEEN -5 AND 1',
  'i NOT BETWEEN -5 AND 1',
  'i IS NULL',
  'l = 9007199254740993',
  'l > 9007199254740992',
  'l >= -9223372036854775808',
  'd > 1e0',
  'd <> 1.5',
  'd = 1.5',
  'isnan(d)',
  'd IS NOT NULL',
  'f > 0.05',
  'isnan(f)',
  'dec = 1.50',
  "dec > '-5'",
  'dec IN (1.5, 0)',
  "day = DATE '2001-01-01'",
  "day < '2001-01-01'",
  "day > DATE '1969-12-31'",
  "ts >= TIMESTAMP '2001-01-01 00:00:00'",
  "ts < '1970-01-01T00:00:00'",
  "ts > '0001-01-01T00:00:00'",
  "tz > TIMESTAMPTZ '2001-01-01 00:00:00+00:00'",
  "tz = '2001-05-31T22:00:00Z'",
  "s = 'abc'",
  "s LIKE 'a%'",
  "s NOT LIKE 'a%'",
  "s LIKE 'abc'",
  "s > 'ab'",
  "s = ''",
  "s >= 'a''b'",
  'b',
  'NOT b',
  'b = false',
  'b IS NULL',
  "u = '00000000-0000-0000-0000-000000000001'",
  "u > UUID '00000000-0000-0000-0000-000000000001'",
  "bin = '\\xAA'::BLOB",
  "bin >= '\\x00'::BLOB",
  'st."x y" = 1',
  'st IS NULL',
  "t > TIME '00:30:00'",
  'ns IS NOT NULL',
  'true',
  'false',
];

describe('a predicate', () => {
  test.each(atoms)('%s filters as DuckDB does', async (text) => {
    expect(await matchesPredicate(text)).toEqual(await matches(text));
  });

  test('filters as DuckDB does in any combination', async () => {
    const { predicate } = fc.letrec<{ predicate: string }>((tie) => ({
      predicate: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(...atoms),
        fc
          .tuple(tie('predicate'), fc.constantFrom('AND', 'OR'), tie('predicate'))
          .map(([left, op, right]) => `(${left}) ${op} (${right})`),
        tie('predicate').map((inner) => `NOT (${inner})`),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(predicate, async (text) => {
        expect(await matchesPredicate(text)).toEqual(await matches(text));
      }),
      { numRuns: 60 },
    );
  });

  test('keeps text as it is', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary' }), async (text) => {
        const sql = predicateSql(schema, { op: 'eq', fieldId: 8, literal: text });
        const found = await fixture.db.trusted.use(async (connection) => {
          await loadJsonRows(connection, 'r', schema, [{ s: text }]);
          return (await connection.runAndReadAll(`SELECT count(*) FROM r WHERE ${sql}`)).getRows();
        });
        expect(found).toEqual([[1n]]);
      }),
      { numRuns: 40 },
    );
  });

  test.each<[string, unknown]>([
    ['l = 9223372036854775807', { op: 'eq', column: 'l', literal: 9223372036854775807n }],
    ['l = 123456789012345678901234567890', { op: 'eq', column: 'l', literal: 123456789012345678901234567890n }],
    ['dec = -0.05', { op: 'eq', column: 'dec', literal: '-0.05' }],
    ['"A b".c = 1 -- comment', { op: 'eq', column: 'A b.c', literal: 1 }],
    ["d = 'NaN'::DOUBLE", { op: 'eq', column: 'd', literal: Number.NaN }],
  ])('%s is read', async (text, expected) => {
    expect(await parsePredicate(fixture.db, text)).toEqual(expected);
  });

  test.each([
    '',
    '1',
    "'x'",
    'i = NULL',
    'i = l',
    '1 = 1',
    'i + 1 = 2',
    "s LIKE '%a'",
    "s LIKE 'a_%'",
    "s LIKE 'a%' ESCAPE '$'",
    "s ILIKE 'a%'",
    'i = (SELECT 1)',
    'EXISTS (SELECT 1)',
    "getenv('HOME') = 'x'",
    'lower(s) = 1',
    'i = ?',
    'i IS DISTINCT FROM 1',
    'i = 1) OR (1 = 1',
    'i = 1), (1',
    'i = 1) FROM x WHERE (true',
    'i = 1); DROP TABLE x; SELECT (1',
    'i = 1 UNION SELECT 1',
    'i IN (SELECT 1)',
    'i IN (NULL)',
    'CASE WHEN i = 1 THEN true END',
    'sum(i) > 1',
    'i[1] = 1',
    'i ~ 1',
    '* = 1',
    `${'NOT '.repeat(20000)}b`,
  ])('%s is refused', async (text) => {
    await expect(parsePredicate(fixture.db, text)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });
});
