import { readFile, utimes, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import { writeAvroContainer } from '../../src/iceberg/avro-container.ts';
import type { AvroSchema } from '../../src/iceberg/avro-schema.ts';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { Dice, mutated } from './mutation.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let path: string;
beforeAll(async () => {
  warehouse = await Warehouse.open();
  path = await newTable();
});
afterAll(() => warehouse.close());

const name = 'raw.hostile_avro';
const schema = {
  type: 'record',
  name: 'table',
  fields: [
    { name: 'id', type: 'long', 'field-id': 1 },
    { name: 'text', type: ['null', 'string'], 'field-id': 2 },
  ],
} as const satisfies AvroSchema;

/** A table of one Avro file; the path of that. */
async function newTable(): Promise<string> {
  const table = await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'long' },
      { name: 'text', type: 'string' },
    ],
  });
  const filePath = `${table.metadata.location}/data/part-0.avro`;
  const records = Array.from({ length: 200 }, (_, id) => ({ id: BigInt(id), text: id % 3 === 0 ? null : `text ${id}` }));
  const bytes = writeAvroContainer(schema, new Map(), records);
  await warehouse.tables.storage.write(filePath, bytes);
  const none = new Map<number, never>();
  const metrics = {
    columnSizes: none,
    valueCounts: none,
    nullValueCounts: none,
    nanValueCounts: none,
    lowerBounds: none,
    upperBounds: none,
  };
  const details = { keyMetadata: null, splitOffsets: null, equalityIds: null, sortOrderId: null, partition: [], specId: 0 };
  const size = { recordCount: 200n, fileSizeInBytes: BigInt(bytes.byteLength) };
  const file: DataFile = { ...metrics, ...details, ...size, content: 'data', filePath, fileFormat: 'avro' };
  const transaction = warehouse.tables.transaction();
  transaction.change(table, appendFiles([file]));
  await transaction.commit();
  return fileURLToPath(filePath);
}

async function read(): Promise<number | unknown> {
  try {
    return (await readRows(warehouse.tables, await warehouse.load(name), { first: 1000 })).rows.length;
  } catch (error) {
    return error;
  }
}

let puts = 0;
async function put(bytes: Uint8Array): Promise<void> {
  await writeFile(path, bytes);
  const seconds = 1_700_000_000 + 60 * puts++;
  await utimes(path, seconds, seconds);
}

function expectNamed(error: unknown, at: string): void {
  expect(error, at).toBeInstanceOf(IcecoreError);
  const { code, message } = error as IcecoreError;
  expect([at, code, message.includes(basename(path)), message]).toEqual([at, 'FAILED_PRECONDITION', true, message]);
}

const seed = Number(process.env.ICECORE_HOSTILE_SEED ?? 20_261_123);
const runs = Number(process.env.ICECORE_HOSTILE_RUNS ?? 40);

test('whatever bytes an Avro data file has, reading it gives rows or an error that names it', async () => {
  const bytes = await readFile(path);
  expect(await read()).toBe(200);
  for (let run = 0; run < runs; run++) {
    await put(mutated(bytes, new Dice(seed + run)));
    const found = await read();
    if (typeof found !== 'number') expectNamed(found, `seed ${seed}, run ${run}`);
  }
  await put(bytes);
  expect(await read()).toBe(200);
});

test('blocks of nothing but zeros, deflated a thousandfold, are refused by the name of the file', async () => {
  const bytes = await readFile(path);
  const sync = bytes.subarray(-16);
  const header = bytes.subarray(0, bytes.indexOf(sync) + 16);
  const zigzag = (value: number): Buffer => {
    const digits: number[] = [];
    let rest = BigInt(value) << 1n;
    for (; rest >= 0x80n; rest >>= 7n) digits.push(Number(rest & 0x7fn) | 0x80);
    return Buffer.from([...digits, Number(rest)]);
  };
  for (const [size, records] of [
    [200 * 1024 * 1024, 10],
    [1024, 2 ** 40],
  ] as const) {
    const packed = deflateRawSync(Buffer.alloc(size));
    await put(Buffer.concat([header, zigzag(records), zigzag(packed.byteLength), packed, sync]));
    expectNamed(await read(), `${records} records in ${size} bytes`);
  }
  await put(bytes);
});
