import { createHash } from 'node:crypto';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TypedColumn } from '../../src/features/point-in-time/plan.ts';
import { validateSplit } from '../../src/training/split.ts';
import { splitSql } from '../../src/training/split-sql.ts';
import type { Split } from '../../src/training/training-set.ts';

let connection: DuckDBConnection;
beforeAll(async () => {
  connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run("SET TimeZone = 'America/New_York'");
});
afterAll(() => connection.closeSync());

const at: TypedColumn = { column: 'at', type: 'timestamp' };
const rows: readonly TypedColumn[] = [
  { column: 'a', type: 'long' },
  { column: 'b', type: 'int' },
  { column: 'code', type: 'string' },
  { column: 'day', type: 'date' },
  { column: 'x', type: 'double' },
  at,
];

async function splits(split: Split, relation: string, columns = rows, eventTime = at): Promise<unknown[]> {
  const result = await connection.runAndReadAll(`SELECT ${splitSql(split, columns, eventTime)} FROM ${relation}`);
  return result.getRows().map(([name]) => name);
}

/** The text of docs/split.md, hashed by Node. */
function position(seed: bigint, ...columns: readonly (readonly [string, string] | null)[]): bigint {
  const lines = columns.map((column) => (column === null ? '-' : `${column[0]}${Buffer.byteLength(column[1])}:${column[1]}`));
  return BigInt(
    `0x${createHash('sha256')
      .update(['icecore-split/1', seed, ...lines].join('\n'))
      .digest('hex')
      .slice(0, 13)}`,
  );
}

/** Shares that put exactly the positions below `bound` (of 2^52) into `below`. */
function cutAt(bound: bigint, columns: readonly string[], seed = 0n): Split {
  const share = Number(bound) / 2 ** 52;
  return {
    kind: 'HASH',
    columns,
    seed,
    shares: [
      { name: 'below', share },
      { name: 'from', share: 1 - share },
    ],
  };
}

describe('by hash', () => {
  const published: readonly (readonly [string, bigint, readonly string[], string, string])[] = [
    ['28a446194feb4', 0n, ['a'], '(SELECT 1::BIGINT AS a)', 'long 1'],
    ['72e4127ac0e2a', 0n, ['a', 'b'], '(SELECT 1::BIGINT AS a, 12::INTEGER AS b)', '(1, 12)'],
    ['9a8ed2bdd61da', 0n, ['a', 'b'], '(SELECT 11::BIGINT AS a, 2::INTEGER AS b)', '(11, 2)'],
    ['7504cc87de11c', 42n, ['code', 'a'], "(SELECT 'SFO' AS code, NULL::BIGINT AS a)", '(SFO, null)'],
    ['318e369261eed', -1n, ['day'], "(SELECT DATE '2001-03-01' AS day)", '2001-03-01'],
    ['318e369261eed', -1n, ['at'], "(SELECT TIMESTAMP '2001-03-01' AS at)", 'its midnight'],
  ];
  test.each(published)('the published position %s, to the last bit', async (digits, seed, columns, relation) => {
    const exact = BigInt(`0x${digits}`);
    expect(await splits(cutAt(exact, columns, seed), relation)).toEqual(['from']);
    expect(await splits(cutAt(exact + 1n, columns, seed), relation)).toEqual(['below']);
  });

  test('is the published hash, for any text and number', async () => {
    const any = fc.tuple(fc.string({ unit: 'grapheme' }), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt());
    await fc.assert(
      fc.asyncProperty(any, async ([text, long, seed]) => {
        const clean = text.replaceAll('\0', '');
        const relation = `(SELECT '${clean.replaceAll("'", "''")}' AS code, '${long}'::BIGINT AS a)`;
        const exact = position(seed, ['s', clean], ['i', long.toString()]);
        expect(await splits(cutAt(exact + 1n, ['code', 'a'], seed), relation)).toEqual(['below']);
        expect(await splits(cutAt(exact, ['code', 'a'], seed), relation)).toEqual(['from']);
      }),
      { numRuns: 100 },
    );
  });

  test('every kind of column has its own text', async () => {
    const kinds: readonly (readonly [TypedColumn['type'], string, readonly [string, string]])[] = [
      ['boolean', 'true', ['b', 'true']],
      ['uuid', "UUID 'F79C3E09-677C-4BBD-A479-3F349CB785E7'", ['u', 'f79c3e09-677c-4bbd-a479-3f349cb785e7']],
      ['decimal(9, 2)', '14.2::DECIMAL(9, 2)', ['n', '14.20']],
      ['binary', "from_hex('00FF')", ['x', '00ff']],
      ['timestamptz', "TIMESTAMPTZ '1970-01-01 00:00:00.000001+00'", ['t', '1000']],
      ['timestamp_ns', 'make_timestamp_ns(-1)', ['t', '-1']],
    ];
    for (const [type, sql, text] of kinds) {
      const column = [{ column: 'k', type }];
      const bound = position(0n, text);
      expect(await splits(cutAt(bound, ['k']), `(SELECT ${sql} AS k)`, column), String(type)).toEqual(['from']);
      expect(await splits(cutAt(bound + 1n, ['k']), `(SELECT ${sql} AS k)`, column), String(type)).toEqual(['below']);
    }
  });

  test('keeps the shares, and an entity together', async () => {
    const shares = [
      { name: 'train', share: 0.7 },
      { name: 'valid', share: 0.2 },
      { name: 'test', share: 0.1 },
    ];
    const names = await splits(
      { kind: 'HASH', columns: ['a'], seed: 7n, shares },
      '(SELECT i % 10000 AS a FROM range(20000) t(i))',
    );
    const count = (name: string) => names.filter((given) => given === name).length / names.length;
    expect(count('train')).toBeCloseTo(0.7, 1);
    expect(count('valid')).toBeCloseTo(0.2, 1);
    expect(count('test')).toBeCloseTo(0.1, 1);
    expect(names.slice(0, 10000)).toEqual(names.slice(10000));
  });
});

describe('by time', () => {
  const day = 86_400_000_000n;
  const windows: Split = {
    kind: 'TIME',
    windows: [
      { name: 'test', fromMicros: 20n * day, toMicros: null },
      { name: "it's train", fromMicros: null, toMicros: 10n * day },
    ],
  };
  test('from inclusive, to exclusive; null between windows and without a time', async () => {
    const moments = ['9 23:59:59.999999', '10 00:00:00', '19 23:59:59.999999', '20 00:00:00'].map((text) => {
      const [days, time] = text.split(' ');
      return `(TIMESTAMP '1970-01-01 ${time}' + to_days(${days}))`;
    });
    const relation = `(VALUES ${[...moments, '(NULL)'].join(', ')}) v("at")`;
    expect(await splits(windows, relation)).toEqual(["it's train", null, null, 'test', null]);
  });
  test('compares nanoseconds', async () => {
    const nanos = { column: 'at', type: 'timestamp_ns' } as const;
    const relation = `(VALUES (make_timestamp_ns(${10n * day * 1000n - 1n})), (make_timestamp_ns(${10n * day * 1000n}))) v("at")`;
    expect(await splits(windows, relation, [nanos], nanos)).toEqual(["it's train", null]);
  });
});

describe('refused', () => {
  const half = (name: string) => ({ name, share: 0.5 });
  const hash = (columns: readonly string[], shares: readonly { name: string; share: number }[]): Split => ({
    kind: 'HASH',
    columns,
    seed: 0n,
    shares,
  });
  const time = (...windows: readonly (readonly [string, bigint | null, bigint | null])[]): Split => ({
    kind: 'TIME',
    windows: windows.map(([name, fromMicros, toMicros]) => ({ name, fromMicros, toMicros })),
  });
  const cases: readonly (readonly [string, Split, RegExp])[] = [
    ['no columns', hash([], [half('a'), half('b')]), /Name at least one/],
    ['an unknown column', hash(['z'], [half('a'), half('b')]), /no column z to split by\. There are a, b, code/],
    ['a floating-point column', hash(['x'], [half('a'), half('b')]), /x is of a type that a split cannot hash/],
    ['shares that miss 1', hash(['a'], [half('a')]), /add up to 0\.5/],
    ['a share of nothing', hash(['a'], [{ name: 'a', share: 0 }]), /share of a is 0/],
    ['a share that is no number', hash(['a'], [{ name: 'a', share: Number.NaN }]), /share of a is NaN/],
    ['a name twice', hash(['a'], [half('a'), half('a')]), /names a twice/],
    ['overlapping windows', time(['a', 0n, 10n], ['b', 9n, null]), /a and b of the split overlap/],
    ['two windows without a beginning', time(['a', null, 10n], ['b', null, 5n]), /overlap/],
    ['an empty window', time(['a', 5n, 5n]), /window a of the split ends where it begins/],
    ['no windows', time(), /at least one window/],
  ];
  test.each(cases)('%s', (_, split, message) => {
    expect(() => validateSplit(split, rows)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringMatching(message) }),
    );
  });
  test('a column that is named split already', () => {
    expect(() => validateSplit(time(['a', null, null]), [{ column: 'Split', type: 'string' }])).toThrow(
      /already have a column split/,
    );
  });
  test('not windows that touch, nor decimal shares that add up only nearly', () => {
    validateSplit(time(['b', 10n, null], ['a', null, 10n]), rows);
    validateSplit(
      hash(
        ['a'],
        [
          { name: 'a', share: 0.7 },
          { name: 'b', share: 0.2 },
          { name: 'c', share: 0.1 },
        ],
      ),
      rows,
    );
  });
});
