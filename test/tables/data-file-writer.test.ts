import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
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
  expect([file.nullValueCounts.get(1), file.nanValueCounts.get(1), file.nanValueCounts.get(2)]).toEqual([1n, 1n, 0n]);
  expect(bound(1, 'double')).toEqual([-2, 1.5]);
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

test('of NaN there is a count, and the bounds are of the other values', async () => {
  const { files } = await write(
    'raw.nans',
    {
      columns: [
        { name: 'some', type: 'double' },
        { name: 'all_nan', type: 'float' },
        { name: 's', type: 'struct<x: double>' },
      ],
    },
    "SELECT CASE WHEN i < 2 THEN 'NaN'::DOUBLE ELSE i END AS some, 'NaN'::FLOAT AS all_nan, {'x': CASE WHEN i = 0 THEN 'NaN'::DOUBLE ELSE i END} AS s FROM range(5) r(i)",
  );
  const file = one(files);
  expect(file.nanValueCounts).toEqual(
    new Map([
      [1, 2n],
      [2, 5n],
      [4, 1n],
    ]),
  );
  const bound = (id: number, bounds: ReadonlyMap<number, Uint8Array>, type: 'double' | 'float' = 'double') => {
    const bytes = bounds.get(id);
    return bytes === undefined ? undefined : decodeSingleValue(type, bytes);
  };
  expect([bound(1, file.lowerBounds), bound(1, file.upperBounds)]).toEqual([2, 4]);
  expect([bound(2, file.lowerBounds, 'float'), bound(2, file.upperBounds, 'float')]).toEqual([undefined, undefined]);
  expect([bound(4, file.lowerBounds), bound(4, file.upperBounds)]).toEqual([1, 4]);
});

test('a table says of which columns metrics are kept, and how long their bounds are', async () => {
  const names = ['none', 'counts', 'short', 'full', 'other'];
  const { files } = await write(
    'raw.modes',
    {
      columns: names.map((name) => ({ name: `c_${name}`, type: 'string' })),
      properties: {
        'write.metadata.metrics.default': 'truncate(3)',
        'write.metadata.metrics.column.c_none': 'none',
        'write.metadata.metrics.column.c_counts': 'counts',
        'write.metadata.metrics.column.c_short': 'truncate(1)',
        'write.metadata.metrics.column.c_full': 'full',
      },
    },
    `SELECT ${names.map((name) => `'abcdefghijklmnopqrstuvwxyz' AS c_${name}`).join(', ')}`,
  );
  const { valueCounts, lowerBounds, upperBounds } = one(files);
  const texts = (bounds: ReadonlyMap<number, Uint8Array>) =>
    [...bounds].map(([id, bytes]) => [id, Buffer.from(bytes).toString()]);
  expect([...valueCounts.keys()]).toEqual([2, 3, 4, 5]);
  expect(texts(lowerBounds)).toEqual([
    [3, 'a'],
    [4, 'abcdefghijklmnopqrstuvwxyz'],
    [5, 'abc'],
  ]);
  expect(texts(upperBounds)).toEqual([
    [3, 'b'],
    [4, 'abcdefghijklmnopqrstuvwxyz'],
    [5, 'abd'],
  ]);
  const wrong = { columns: [{ name: 'x', type: 'int' }], properties: { 'write.metadata.metrics.default': 'some' } };
  await expect(write('raw.wrong_mode', wrong, 'SELECT 1 AS x')).rejects.toThrow('write.metadata.metrics.default is "some"');
});

test('files are about as large as the table wants them, in order, and say where their row groups begin', async () => {
  const rows = 400_000;
  const { files } = await write(
    'raw.large',
    {
      columns: [{ name: 'i', type: 'long' }],
      properties: { 'write.target-file-size-bytes': '1000000', 'write.parquet.compression-codec': 'uncompressed' },
    },
    `SELECT (hash(i) % 4611686018427387903)::BIGINT AS i FROM range(${rows}) r(i)`,
  );
  expect(files.length).toBeGreaterThan(2);
  expect(files.reduce((sum, { recordCount }) => sum + recordCount, 0n)).toBe(BigInt(rows));
  for (const { splitOffsets, fileSizeInBytes, recordCount } of files) {
    expect(splitOffsets?.[0]).toBe(4n);
    expect(splitOffsets?.length).toBe(Math.ceil(Number(recordCount) / 122_880));
    expect(splitOffsets?.every((offset, index) => index === 0 || offset > (splitOffsets[index - 1] ?? 0n))).toBe(true);
    expect(splitOffsets?.every((offset) => offset < fileSizeInBytes)).toBe(true);
  }
  const [{ n } = { n: 0 }] = (await warehouse.select(
    `SELECT count(*)::INT AS n FROM (SELECT (hash(i) % 4611686018427387903)::BIGINT AS i FROM range(${rows}) r(i) EXCEPT ALL SELECT i FROM read_parquet([${paths(files)}]))`,
  )) as readonly { readonly n: number }[];
  expect(n).toBe(0);
});

test('rows are written in the order that the table is sorted by', async () => {
  const name = 'raw.sorted';
  await warehouse.create(name, {
    columns: [
      { name: 'a', type: 'int' },
      { name: 'at', type: 'timestamp' },
    ],
  });
  const transaction = warehouse.tables.transaction();
  const fields = [
    { sourceId: 2, transform: 'day', direction: 'desc', nullOrder: 'nulls-last' },
    { sourceId: 1, transform: 'identity', direction: 'asc', nullOrder: 'nulls-first' },
  ] as const;
  transaction.change(parseIdentifier(name), {
    name: 'sort',
    apply: async () => ({
      updates: [
        { action: 'add-sort-order', sortOrder: { orderId: 1, fields } },
        { action: 'set-default-sort-order', sortOrderId: -1 },
      ],
      requirements: [],
    }),
  });
  await transaction.commit();
  const { metadata } = await warehouse.load(name);
  const written = await warehouse.duckdb.trusted.use((connection) =>
    writeDataFiles(warehouse.tables, {
      connection,
      metadata,
      relation: `(SELECT CASE WHEN i = 4 THEN NULL ELSE (i * 7 % 10)::INT END AS a, CASE WHEN i = 9 THEN NULL ELSE TIMESTAMP '2020-01-01' + INTERVAL (i // 3) DAY END AS at FROM range(10) r(i))`,
    }),
  );
  const file = one(written.files);
  expect(file.sortOrderId).toBe(metadata.defaultSortOrderId);
  const rows = await warehouse.select(`SELECT a, CAST(CAST("at" AS DATE) AS VARCHAR) AS day FROM read_parquet(${paths([file])})`);
  expect(
    rows.map((row) =>
      Object.values(row as object)
        .map((cell) => cell ?? '')
        .join(' '),
    ),
  ).toEqual([
    '2 2020-01-03',
    '6 2020-01-03',
    '9 2020-01-03',
    ' 2020-01-02',
    '1 2020-01-02',
    '5 2020-01-02',
    '0 2020-01-01',
    '4 2020-01-01',
    '7 2020-01-01',
    '3 ',
  ]);
});

test('rows are written in the order of a field of a struct, too', async () => {
  const name = 'raw.sorted_within';
  await warehouse.create(name, { columns: [{ name: 's', type: 'struct<x: int, y: string>' }] });
  const transaction = warehouse.tables.transaction();
  const sortOrder = {
    orderId: 1,
    fields: [
      { sourceId: 2, transform: 'bucket[2]', direction: 'asc', nullOrder: 'nulls-first' },
      { sourceId: 2, transform: 'identity', direction: 'desc', nullOrder: 'nulls-first' },
    ],
  } as const;
  transaction.change(parseIdentifier(name), {
    name: 'sort',
    apply: async () => ({
      updates: [
        { action: 'add-sort-order', sortOrder },
        { action: 'set-default-sort-order', sortOrderId: -1 },
      ],
      requirements: [],
    }),
  });
  await transaction.commit();
  const { metadata } = await warehouse.load(name);
  const relation = "(SELECT CASE WHEN i = 3 THEN NULL ELSE {x: i::INT, y: 'y'} END AS s FROM range(6) r(i))";
  const written = await warehouse.duckdb.trusted.use((connection) =>
    writeDataFiles(warehouse.tables, { connection, metadata, relation }),
  );
  const rows = await warehouse.select(`SELECT s.x AS x FROM read_parquet(${paths([one(written.files)])})`);
  const bucket = (x: number) => Number(applyTransform('bucket[2]', 'int', x));
  const expected = [0, 1, 2, 4, 5].toSorted((a, b) => bucket(a) - bucket(b) || b - a);
  expect(rows.map((row) => Object(row).x)).toEqual([null, ...expected]);
});
