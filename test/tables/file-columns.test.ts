import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let made = 0;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

/** A table of one file that somebody else wrote, with these field ids. */
async function tableOf(fieldIds: string): Promise<string> {
  const name = `raw.foreign_${made++}`;
  const columns = [
    { name: 'a', type: 'int' },
    { name: 'b', type: 'int' },
    { name: 's', type: 'struct<x: int>' },
  ];
  const table = await warehouse.create(name, { columns });
  const filePath = `${table.metadata.location}/data/part-00000.parquet`;
  const local = `${warehouse.directory}/part-${made}.parquet`;
  await warehouse.duckdb.trusted.use((connection) =>
    connection.run(`COPY (SELECT 1::INT AS a, 2::INT AS b, {x: 3::INT} AS s) TO '${local}' (FORMAT parquet${fieldIds})`),
  );
  await warehouse.tables.storage.publish(local, filePath);
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
  const size = BigInt((await warehouse.tables.storage.size(filePath)) ?? 0);
  const file: DataFile = {
    ...metrics,
    ...details,
    content: 'data',
    filePath,
    fileFormat: 'parquet',
    recordCount: 1n,
    fileSizeInBytes: size,
  };
  const transaction = warehouse.tables.transaction();
  transaction.change(table, appendFiles([file]));
  await transaction.commit();
  return name;
}

test.for([
  ['no ids', '', { a: null, b: null, s: null }],
  ['an id on some columns', ', FIELD_IDS {b: 2}', { a: null, b: 2, s: null }],
  ['an id on a struct, and none within', ', FIELD_IDS {a: 1, b: 2, s: 3}', { a: 1, b: 2, s: { x: null } }],
  ['all ids', ', FIELD_IDS {a: 1, b: 2, s: {__duckdb_field_id: 3, x: 4}}', { a: 1, b: 2, s: { x: 3 } }],
] as const)('a file with %s gives what its ids say, and nothing else', async ([_what, fieldIds, expected]) => {
  const name = await tableOf(fieldIds);
  const { rows } = await readRows(warehouse.tables, await warehouse.load(name), {});
  expect(rows).toEqual([expected]);
  const identifier = parseIdentifier(name);
  await writeRows(warehouse.tables, { identifier, rows: { json: [{ a: 1 }] }, mode: 'DELETE', keys: ['a'] });
  expect(await warehouse.rows(name)).toEqual(expected.a === 1 ? [] : [expected]);
});
