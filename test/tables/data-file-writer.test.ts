import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentSchema } from '../../src/iceberg/metadata.ts';
import { decodeSingleValue } from '../../src/iceberg/single-value.ts';
import { applyTransform } from '../../src/iceberg/transform.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import type { TableDefinition } from '../../src/tables/new-table.ts';
import { one, Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

async function write(
  name: string,
  definition: TableDefinition,
  select: string,
  more: { orderBy?: string; rowsPerFile?: number } = {},
) {
  const { metadata } = await warehouse.create(name, definition);
  const written = await warehouse.duckdb.trusted.use((connection) =>
    writeDataFiles(warehouse.tables, { connection, metadata, relation: `(${select})`, ...more }),
  );
  return { ...written, metadata, schema: currentSchema(metadata) };
}

const paths = (files: readonly { readonly filePath: string }[]) =>
  files.map((file) => `'${file.filePath.slice('file://'.length)}'`).join(', ');

test('metrics count nulls, leave NaN out of the bounds, and cut long texts by code points', async () => {
  const { files } = await write(
    'raw.metrics',
    {
      columns: [
        { name: 'x', type: 'double' },
        { name: 'clean', type: 'double' },
        { name: 's', type: 'string' },
        { name: 'all_null', type: 'int' },
        { name: 'dec', type: 'decimal(9, 2)' },
        { name: 'tz', type: 'timestamptz' },
        { name: 'l', type: 'list<int>' },
        { name: 'st', type: 'struct<a: int>' },
        { name: 'zero', type: 'double' },
      ],
    },
    `SELECT unnest([1.5::DOUBLE, 'NaN'::DOUBLE, NULL, -2]) AS x, unnest([1, 2, 3, 4]::DOUBLE[]) AS clean,
      unnest(['🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫🛫', 'b', 'b', NULL]) AS s, NULL::INT AS all_null,
      unnest([1.25, -3.5, 0, NULL]::DECIMAL(9, 2)[]) AS dec,
      unnest(['1969-12-31 23:59:59.5+00', '2001-01-01 00:00:00+02']::TIMESTAMPTZ[]) AS tz,
      [1, 2] AS l, {'a': 5} AS st, unnest([0::DOUBLE, -0.0::DOUBLE, 0, 0]) AS zero`,
  );
  const file = one(files);
  const bound = (id: number, type: 'double' | 'string' | 'decimal(9, 2)' | 'timestamptz' | 'int') => {
    const [lower, upper] = [file.lowerBounds.get(id), file.upperBounds.get(id)];
    return [lower && decodeSingleValue(type, lower), upper && decodeSingleValue(type, upper)];
  };
  expect(file.recordCount).toBe(4n);
  expect([file.nullValueCounts.get(1), file.nanValueCounts.get(1), file.nanValueCounts.get(2)]).toEqual([1n, undefined, 0n]);
  expect(bound(1, 'double')).toEqual([-2, undefined]);
  expect(bound(2, 'double')).toEqual([1, 4]);
  expect(bound(3, 'string')).toEqual(['b', '🛫'.repeat(15) + String.fromCodePoint(0x1f6ec)]);
  expect([file.nullValueCounts.get(4), ...bound(4, 'int')]).toEqual([4n, undefined, undefined]);
  expect(bound(5, 'decimal(9, 2)')).toEqual([-350n, 125n]);
  expect(bound(6, 'timestamptz')).toEqual([-500_000n, 978_300_000_000_000n]);
  expect(bound(10, 'int')).toEqual([undefined, undefined]);
  expect(bound(11, 'int')).toEqual([5, 5]);
  expect(bound(9, 'double')).toEqual([-0, 0]);
});

test('rows cut into files stay in order, in the files and from path to path', async () => {
  const { files, rowCount } = await write(
    'training.ordered',
    { columns: [{ name: 'spine_position', type: 'long', required: true }] },
    'SELECT i AS spine_position FROM range(300000) r(i) ORDER BY hash(i)',
    { orderBy: 'spine_position', rowsPerFile: 130_000 },
  );
  expect(rowCount).toBe(300_000n);
  expect(files.map((file) => file.recordCount)).toEqual([130_000n, 130_000n, 40_000n]);
  expect(files.map((file) => file.filePath).toSorted()).toEqual(files.map((file) => file.filePath));
  const [order] = await warehouse.select(
    `SELECT bool_and(spine_position = file_index * 130000 + file_row_number) AS kept FROM read_parquet([${paths(files)}])`,
  );
  expect(order).toEqual({ kept: true });
});

test('every row lies in the partition that the transforms say', async () => {
  const { files, schema, metadata } = await write(
    'raw.partitioned',
    {
      columns: [
        { name: 'id', type: 'long' },
        { name: 'name', type: 'string' },
        { name: 'at', type: 'timestamp' },
      ],
      partitionBy: [
        { column: 'id', transform: 'bucket[3]' },
        { column: 'name', transform: 'truncate[100]' },
        { column: 'at', transform: 'hour' },
        { column: 'name', transform: 'identity' },
      ],
    },
    `SELECT i - 20 AS id, CASE WHEN i % 7 = 0 THEN NULL WHEN i % 5 = 0 THEN '' ELSE repeat('é/=%"', (i % 3) * 30) || (i % 2) END AS name,
      CASE WHEN i % 11 = 0 THEN NULL ELSE TIMESTAMP '1969-12-31 22:30:00.000001' + INTERVAL (i // 10) HOUR END AS at FROM range(60) r(i)`,
  );
  const [spec] = metadata.partitionSpecs;
  let rows = 0n;
  for (const file of files) {
    const cells = (await warehouse.select(
      `SELECT id, name, epoch_us("at") AS at FROM read_parquet(['${file.filePath.slice('file://'.length)}'], hive_partitioning = false)`,
    )) as { id: string; name: string | null; at: string | null }[];
    rows += BigInt(cells.length);
    for (const cell of cells) {
      const values = new Map<number, bigint | string | null>([
        [1, BigInt(cell.id)],
        [2, cell.name],
        [3, cell.at === null ? null : BigInt(cell.at)],
      ]);
      const expected = spec?.fields.map(({ sourceId, transform }) => {
        const type = schema.fields.find((field) => field.id === sourceId)?.type;
        return applyTransform(transform, type as 'long', values.get(sourceId) ?? null);
      });
      expect(file.partition).toEqual(expected);
    }
  }
  expect(rows).toBe(60n);
  expect(new Set(files.map((file) => file.partition.map((value) => `${typeof value} ${value}`).join())).size).toBe(files.length);
});

test('numbers, texts and instants of any kind come back as they were written', async () => {
  await warehouse.create('raw.any', {
    columns: [
      { name: 'n', type: 'int' },
      { name: 'd', type: 'double' },
      { name: 'l', type: 'long' },
      { name: 's', type: 'string' },
      { name: 't', type: 'timestamp' },
    ],
  });
  const row = fc.record({
    d: fc.option(fc.double()),
    l: fc.option(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })),
    s: fc.option(fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))),
    t: fc.option(fc.bigInt({ min: -(10n ** 16n), max: 10n ** 16n })),
  });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 30 }), async (given) => {
      const from = n;
      const double = (d: number | null) =>
        d === null ? 'NULL::DOUBLE' : `'${Number.isFinite(d) ? (Object.is(d, -0) ? '-0.0' : d) : d}'::DOUBLE`;
      const values = given.map(
        ({ d, l, s, t }) =>
          `(${n++}::INT, ${double(d)}, ${l === null ? 'NULL::BIGINT' : `'${l}'::BIGINT`}, ${s === null ? 'NULL::VARCHAR' : `'${s.replaceAll("'", "''")}'`}, ${t === null ? 'NULL::TIMESTAMP' : `make_timestamp(${t})`})`,
      );
      await warehouse.append('raw.any', `SELECT * FROM (VALUES ${values.join(', ')}) v(n, d, l, s, t)`);
      const found = await warehouse.rows(
        'raw.any',
        `SELECT d::VARCHAR d, l, s, epoch_us(t) AS t FROM t WHERE n >= ${from} ORDER BY n`,
      );
      const expected = given.map(({ d, l, s, t }) => ({
        l: l?.toString() ?? null,
        s,
        t: t?.toString() ?? null,
        isNull: d === null,
      }));
      expect(
        found
          .map((cell) => cell as { d: string | null; l: string; s: string; t: string })
          .map(({ d, l, s, t }) => ({ l, s, t, isNull: d === null })),
      ).toEqual(expected);
    }),
    { numRuns: 15 },
  );
});

test('a required struct must be there', async () => {
  const definition = { columns: [{ name: 's', type: 'struct<a: int>', required: true }] };
  await expect(
    write('raw.required', definition, "SELECT CASE WHEN i = 1 THEN NULL ELSE {'a': 1} END AS s FROM range(3) r(i)"),
  ).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('"s" is required'),
  });
});

test('what a cast would change is refused', async () => {
  const refuse = async (type: string, select: string) =>
    await expect(
      write(`raw.cast_${Math.random().toString(36).slice(2)}`, { columns: [{ name: 'x', type }] }, select),
    ).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
    });
  await refuse('int', 'SELECT 3000000000 AS x');
  await refuse('int', 'SELECT 1.5::DOUBLE AS x');
  await refuse('long', "SELECT '1' AS x");
  await refuse('decimal(9, 2)', 'SELECT 1.234::DECIMAL(9, 3) AS x');
  await refuse('timestamp', "SELECT TIMESTAMP_NS '2001-01-01 00:00:00.000000001' AS x");
  await refuse('string', 'SELECT 1 AS x');
});

test('a bare NULL fits every optional column', async () => {
  const columns = [
    { name: 's', type: 'string' },
    { name: 'l', type: 'list<date>' },
  ];
  const { rowCount } = await write('raw.bare_null', { columns }, 'SELECT NULL AS s, NULL AS l');
  expect(rowCount).toBe(1n);
});

test('a column of fixed length is refused by name: other engines could not read what would be written', async () => {
  const definition = { columns: [{ name: 'code', type: 'struct<raw: fixed[4]>' }] };
  await expect(write('raw.fixed', definition, "SELECT {'raw': 'abcd'::BLOB} AS code")).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('"code"."raw" is fixed[4]'),
  });
});

test.each([
  ['date', "DATE 'infinity'"],
  ['timestamp', "TIMESTAMP '-infinity'"],
  ['timestamptz', "TIMESTAMPTZ 'infinity'"],
  ['list<date>', "[DATE '2001-01-01', DATE '-infinity']"],
])('an infinite %s is refused: a partition could not hold it, and a scan would leave it out', async (type, value) => {
  const name = `raw.infinite_${type.replace(/\W/g, '_')}`;
  const writing = write(
    name,
    {
      columns: [
        { name: 'v', type },
        { name: 's', type: 'string' },
      ],
    },
    `SELECT ${value} AS v, 'infinity' AS s`,
  );
  await expect(writing).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('infinite') });
});
