import avro from 'avsc';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { noMetrics } from '../../src/tables/position-deletes.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

/** The bytes of an object container file, by a library that Icecore writes none with. */
async function container(schema: avro.Schema, rows: readonly unknown[], codec: string): Promise<Buffer> {
  const encoder = new avro.streams.BlockEncoder(schema, { codec });
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  for (const row of rows) encoder.write(row);
  encoder.end();
  await new Promise((resolve, reject) => encoder.on('end', resolve).on('error', reject));
  return Buffer.concat(parts);
}

const optional = (type: unknown) => ['null', type];
const schema = {
  type: 'record',
  name: 'table',
  fields: [
    { name: 'id', type: optional('long'), default: null, 'field-id': 1 },
    {
      name: 'on_x20day',
      type: optional({ type: 'int', logicalType: 'date' }),
      default: null,
      'field-id': 2,
      'iceberg-field-name': 'on day',
    },
    {
      name: 'at',
      type: optional({ type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }),
      default: null,
      'field-id': 3,
    },
    {
      name: 'price',
      type: optional({ type: 'fixed', name: 'decimal_3', size: 4, logicalType: 'decimal', precision: 9, scale: 2 }),
      default: null,
      'field-id': 4,
    },
    { name: 'raw', type: optional('bytes'), default: null, 'field-id': 5 },
    { name: 'score', type: optional('double'), default: null, 'field-id': 6 },
    {
      name: 's',
      type: optional({
        type: 'record',
        name: 'r7',
        fields: [{ name: 'a', type: optional('int'), default: null, 'field-id': 9 }],
      }),
      default: null,
      'field-id': 7,
    },
    {
      name: 'm',
      type: optional({
        type: 'array',
        logicalType: 'map',
        items: {
          type: 'record',
          name: 'k10_v11',
          fields: [
            { name: 'key', type: 'int', 'field-id': 10 },
            { name: 'value', type: optional('string'), default: null, 'field-id': 11 },
          ],
        },
      }),
      default: null,
      'field-id': 8,
    },
  ],
} as unknown as avro.Schema;

function decimal(unscaled: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(unscaled);
  return bytes;
}

function row(id: number): unknown {
  if (id === 3) return { id, on_x20day: null, at: null, price: null, raw: null, score: null, s: null, m: null };
  return {
    id,
    on_x20day: id === 2 ? 100_000_000 : -1,
    at: 1_700_000_000_123_456,
    price: decimal(-12345),
    raw: Buffer.from([0, 255, 10]),
    score: id === 1 ? Number.NaN : id === 2 ? -0 : 0.5,
    s: { a: id },
    m: [{ key: 7, value: 'seven' }],
  };
}

async function added(name: string, file: Partial<DataFile>, bytes: Uint8Array, recordCount: bigint): Promise<void> {
  const { metadata } = await warehouse.load(name);
  const filePath = `${metadata.location}/data/${recordCount}-${file.content ?? 'data'}.avro`;
  await warehouse.tables.storage.write(filePath, bytes);
  const place = { filePath, recordCount, fileSizeInBytes: BigInt(bytes.byteLength), specId: 0, partition: [] };
  const transaction = warehouse.tables.transaction();
  transaction.change(
    parseIdentifier(name),
    appendFiles([{ ...noMetrics, content: 'data', fileFormat: 'avro', ...place, ...file }]),
  );
  await transaction.commit();
}

test.each(['null', 'deflate'])(
  'data files in Avro (%s) are read like any other, positions and deletes included',
  async (codec) => {
    const name = `raw.avro_${codec}`;
    await warehouse.create(name, {
      columns: [
        { name: 'id', type: 'long' },
        { name: 'on day', type: 'date' },
        { name: 'at', type: 'timestamptz' },
        { name: 'price', type: 'decimal(9, 2)' },
        { name: 'raw', type: 'binary' },
        { name: 'score', type: 'double' },
        { name: 's', type: 'struct<a: int>' },
        { name: 'm', type: 'map<int, string>' },
      ],
    });
    // Ids are given level by level: the schema above has the same.
    const ids = [0, 1, 2, 3, 4];
    await added(name, {}, await container(schema, ids.map(row), codec), BigInt(ids.length));
    const whole = { 'on day': '1969-12-31', price: '-123.45', raw: '\\x00\\xFF\\x0A', m: [{ key: 7, value: 'seven' }] };
    const none = { 'on day': null, at: null, price: null, raw: null, score: null, s: null, m: null };
    const expected = ids.map((id) =>
      id === 3
        ? { id: '3', ...none }
        : {
            id: String(id),
            ...whole,
            ...(id === 2 ? { 'on day': '275760-09-13' } : {}),
            at: '2023-11-14 22:13:20.123456+00',
            score: id === 1 ? 'NaN' : id === 2 ? -0 : 0.5,
            s: { a: id },
          },
    );
    expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(expected);
    const page = await readRows(warehouse.tables, await warehouse.load(name), { first: 2, where: 'id > 1' });
    expect(page.rows.map(({ id }) => String(id))).toEqual(['2', '3']);

    // Position deletes in Avro too, as Iceberg's Java library writes them for such tables.
    const { metadata } = await warehouse.load(name);
    const positions = {
      type: 'record',
      name: 'delete',
      fields: [
        { name: 'file_path', type: 'string', 'field-id': 2147483546 },
        { name: 'pos', type: 'long', 'field-id': 2147483545 },
      ],
    } as unknown as avro.Schema;
    const filePath = `${metadata.location}/data/5-data.avro`;
    const gone = [0, 4].map((pos) => ({ file_path: filePath, pos }));
    await added(name, { content: 'position-deletes' }, await container(positions, gone, codec), 2n);
    expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(expected.slice(1, 4));
    await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
    expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(expected.slice(1, 4));
  },
);

test('a broken Avro file is refused by name', async () => {
  const name = 'raw.avro_broken';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'long' }] });
  const bytes = await container(schema, [row(1), row(2)], 'null');
  await added(name, {}, bytes.subarray(0, bytes.length - 20), 2n);
  await expect(warehouse.rows(name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('/data/2-data.avro cannot be read. The Avro file is damaged'),
  });
});
