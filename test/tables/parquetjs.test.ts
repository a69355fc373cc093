import { glob } from 'node:fs/promises';
import { ParquetReader } from 'parquetjs-lite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { one, Warehouse } from './warehouse.ts';

/** The codec of a column chunk (Parquet's Thrift definition). */
const snappy = 1;

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long', required: true },
  { name: 'small', type: 'int' },
  { name: 'code', type: 'string' },
  { name: 'text', type: 'string' },
  { name: 'share', type: 'double' },
  { name: 'ratio', type: 'float' },
  { name: 'is_late', type: 'boolean' },
  { name: 'bytes', type: 'binary' },
  { name: 'day', type: 'date' },
];

/** Enough for several pages a column. */
const rowCount = 5000;

/** Repeated and unique text, nulls in runs and scattered, and the ends of each type. */
const select = `SELECT CASE i WHEN 0 THEN -9223372036854775808 WHEN 1 THEN 9223372036854775807 ELSE i * 1000003 END AS id,
  CASE WHEN i % 3 = 0 THEN NULL WHEN i = 1 THEN -2147483648 ELSE i::INT END AS small,
  CASE WHEN i % 100 < 40 THEN NULL ELSE 'code ' || (i % 7) END AS code,
  CASE WHEN i % 11 = 0 THEN '' ELSE 'né 🛫 ' || i END AS text,
  CASE i WHEN 2 THEN 'NaN'::DOUBLE WHEN 3 THEN '-Infinity'::DOUBLE ELSE i / 7 END AS share,
  CASE WHEN i % 2 = 0 THEN NULL ELSE (i / 8)::FLOAT END AS ratio,
  CASE WHEN i % 5 = 0 THEN NULL ELSE i % 4 = 1 END AS is_late,
  CASE WHEN i % 9 = 0 THEN NULL ELSE unhex(printf('%08x', i)) END AS bytes,
  CASE WHEN i % 13 = 0 THEN NULL ELSE DATE '1969-06-01' + i::INT END AS day
FROM range(${rowCount}) r(i)`;

function expected(i: number): Readonly<Record<string, unknown>> {
  return {
    id: i === 0 ? -(2n ** 63n) : i === 1 ? 2n ** 63n - 1n : BigInt(i) * 1_000_003n,
    small: i % 3 === 0 ? null : i === 1 ? -(2 ** 31) : i,
    code: i % 100 < 40 ? null : `code ${i % 7}`,
    text: i % 11 === 0 ? '' : `né 🛫 ${i}`,
    share: i === 2 ? Number.NaN : i === 3 ? Number.NEGATIVE_INFINITY : i / 7,
    ratio: i % 2 === 0 ? null : i / 8,
    is_late: i % 5 === 0 ? null : i % 4 === 1,
    bytes: i % 9 === 0 ? null : Buffer.from(i.toString(16).padStart(8, '0'), 'hex'),
    day: i % 13 === 0 ? null : new Date(Date.UTC(1969, 5, 1 + i)),
  };
}

test('parquetjs-lite, a reader that no one here wrote, finds in Snappy files the values that were written', async () => {
  await warehouse.create('raw.snappy', { columns, properties: { 'write.parquet.compression-codec': 'snappy' } });
  await warehouse.append('raw.snappy', select);
  const reader = await ParquetReader.openFile(await dataFile());
  try {
    const chunks = reader.metadata.row_groups.flatMap((group) => group.columns);
    expect(new Set(chunks.map((chunk) => chunk.meta_data.codec))).toEqual(new Set([snappy]));
    const rows = await readAll(reader);
    expect(rows).toEqual(Array.from({ length: rowCount }, (_, i) => expected(i)));
    // Said by the table's own reader as well.
    expect(await warehouse.rows('raw.snappy', 'SELECT count(*)::INT n, count(code)::INT c FROM t')).toEqual([
      { n: rowCount, c: rows.filter((row) => row.code !== null).length },
    ]);
  } finally {
    await reader.close();
  }
});

async function dataFile(): Promise<string> {
  return one(await Array.fromAsync(glob(`${warehouse.directory}/warehouse/**/*.parquet`)));
}

async function readAll(reader: ParquetReader): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const cursor = reader.getCursor();
  const rows: Readonly<Record<string, unknown>>[] = [];
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
    rows.push(Object.fromEntries(columns.map(({ name }) => [name, row[name] ?? null])));
  }
  return rows;
}
