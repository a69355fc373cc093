import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { noMetrics } from '../../src/tables/position-deletes.ts';
import { readRows } from '../../src/tables/row-page.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

async function change(name: string, action: TableAction): Promise<void> {
  const transaction = warehouse.tables.transaction();
  transaction.change(parseIdentifier(name), action);
  await transaction.commit();
}

/** Deletes by fields inside of `s`, as Iceberg's Java library writes them: the struct with those fields alone. */
async function equalityDelete(name: string, select: string, fieldIds: string, equalityIds: readonly number[]): Promise<void> {
  const { metadata } = await warehouse.load(name);
  const file = `${equalityIds.join('-')}.parquet`;
  await warehouse.select(`COPY (${select}) TO '${join(warehouse.directory, file)}' (FORMAT parquet, FIELD_IDS ${fieldIds})`);
  const filePath = `${metadata.location}/data/${file}`;
  await warehouse.tables.storage.publish(join(warehouse.directory, file), filePath);
  const place = { filePath, fileFormat: 'parquet', recordCount: 1n, fileSizeInBytes: 1n, specId: 0, partition: [] } as const;
  await change(name, appendFiles([{ ...noMetrics, content: 'equality-deletes', ...place, equalityIds }]));
}

test('equality deletes by fields inside of structs apply, also after the struct has changed, to rows written before', async () => {
  const name = 'raw.inside';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'long' },
      { name: 's', type: 'struct<x: int, t: struct<y: string>>' },
    ],
  });
  // Ids are given level by level: x is 3, t is 4, y is 5.
  const row = (id: number, struct: string) => `SELECT ${id}::BIGINT AS id, ${struct} AS s`;
  const rows = [
    row(1, "{'x': 1::INT, 't': {'y': 'a'}}"),
    row(2, "{'x': 2::INT, 't': {'y': 'b'}}"),
    row(3, "{'x': 2::INT, 't': NULL}"),
    row(4, 'NULL'),
    row(5, "{'x': 5::INT, 't': {'y': 'b'}}"),
  ];
  await warehouse.append(name, rows.join(' UNION ALL '));
  await equalityDelete(name, "SELECT {'x': 1::INT} AS s", '{s: {__duckdb_field_id: 2, x: 3}}', [3]);
  const nested = "SELECT {'t': {'y': 'b'}} AS s, 2::BIGINT AS id UNION ALL SELECT {'t': {'y': NULL}}, 4";
  await equalityDelete(name, nested, '{s: {__duckdb_field_id: 2, t: {__duckdb_field_id: 4, y: 5}}, id: 1}', [5, 1]);
  await warehouse.append(name, row(6, "{'x': 1::INT, 't': {'y': 'b'}}"));
  const ids = 'SELECT list(id ORDER BY id)::VARCHAR AS ids FROM t';
  expect(await warehouse.rows(name, ids)).toEqual([{ ids: '[3, 5, 6]' }]);
  expect(await warehouse.rows(name, ids, undefined, ['id'])).toEqual([{ ids: '[3, 5, 6]' }]);
  const changes = [
    { kind: 'rename', from: 's.x', to: 'ex' },
    { kind: 'widen', column: 's.ex', type: 'long' },
    { kind: 'add', column: { name: 's.z', type: 'int' } },
  ] as const;
  await change(name, evolveSchema(changes));
  expect(await warehouse.rows(name, ids)).toEqual([{ ids: '[3, 5, 6]' }]);
  const page = await readRows(warehouse.tables, await warehouse.load(name), {});
  expect(page.rows.map(({ s }) => s)).toEqual([
    { ex: '2', t: null, z: null },
    { ex: '5', t: { y: 'b' }, z: null },
    { ex: '1', t: { y: 'b' }, z: null },
  ]);
  await change(name, evolveSchema([{ kind: 'drop', column: 's.ex' }]));
  await expect(warehouse.rows(name, ids)).rejects.toThrow(/equality deletes by the field 3/);
  expect(await warehouse.rows(name, ids, { snapshotId: page.snapshotId ?? 0n })).toEqual([{ ids: '[3, 5, 6]' }]);
});
