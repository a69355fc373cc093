import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentSnapshot } from '../../src/iceberg/metadata.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { one, Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long', required: true },
  { name: 'origin', type: 'string' },
  { name: 'at', type: 'timestamp' },
] as const;

test('a table is created, written and read', async () => {
  await warehouse.create('raw.flights', { columns, partitionBy: [{ column: 'at', transform: 'day' }] });
  const table = await warehouse.append(
    'raw.flights',
    "SELECT i AS id, 'o' || (i % 3) AS origin, TIMESTAMP '2001-01-01' + INTERVAL (i) HOUR AS at FROM range(100) r(i)",
  );
  expect(currentSnapshot(table.metadata)?.summary).toMatchObject({
    operation: 'append',
    'added-records': '100',
    'added-data-files': '5',
    'total-records': '100',
  });
  expect(one(await warehouse.rows('raw.flights', 'SELECT count(*)::INT n, sum(id)::INT s, min("at")::VARCHAR a FROM t'))).toEqual(
    {
      n: 100,
      s: 4950,
      a: '2001-01-01 00:00:00',
    },
  );
});

test('writers at the same time lose nothing', async () => {
  await warehouse.create('raw.busy', { columns });
  await Promise.all(Array.from({ length: 24 }, (_, i) => warehouse.append('raw.busy', `SELECT ${i} AS id, 'x' AS origin`)));
  expect(await warehouse.rows('raw.busy', 'SELECT count(*)::INT n, count(DISTINCT id)::INT d FROM t')).toEqual([
    { n: 24, d: 24 },
  ]);
  const { metadata } = await warehouse.load('raw.busy');
  expect(metadata.snapshots).toHaveLength(24);
  expect(metadata.snapshotLog.map((entry) => entry.timestampMs)).toEqual(
    metadata.snapshotLog.map((entry) => entry.timestampMs).toSorted((a, b) => a - b),
  );
});

test('a change of several tables happens whole or not at all', async () => {
  await warehouse.create('raw.left', { columns });
  await warehouse.create('raw.right', { columns });
  const failing = warehouse.tables.transaction();
  failing.change(await warehouse.load('raw.left'), setProperties({ colour: 'red' }));
  failing.change(await warehouse.load('raw.right'), setProperties({ colour: 'red' }));
  failing.guard({ subject: 'model/churn', seq: 7n });
  await expect(failing.commit()).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
  expect((await warehouse.load('raw.left')).metadata.properties.colour).toBeUndefined();

  const together = warehouse.tables.transaction();
  together.change(await warehouse.load('raw.left'), setProperties({ colour: 'blue' }));
  together.change(await warehouse.load('raw.right'), setProperties({ colour: 'blue' }));
  together.entry({ table: 'icecore.runs', subject: 'run/1', row: '{}' });
  const { tables, seqs } = await together.commit();
  expect(tables.map((table) => table.metadata.properties.colour)).toEqual(['blue', 'blue']);
  expect(seqs).toHaveLength(1);
});

test('an unknown table is told with names that may be meant', async () => {
  await expect(warehouse.load('raw.flihgts')).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: 'Table raw.flihgts does not exist. Did you mean raw.flights?',
  });
});

test('a second load reads the pointer alone', async () => {
  await warehouse.load('raw.flights');
  const before = warehouse.tables.counts();
  await warehouse.load('raw.flights');
  const after = warehouse.tables.counts();
  expect(after).toEqual({ ...before, catalogLoads: before.catalogLoads + 1 });
});

test('rows that do not fit are refused, and leave nothing', async () => {
  await warehouse.create('raw.strict', { columns });
  await expect(warehouse.append('raw.strict', "SELECT NULL::BIGINT AS id, 'x' AS origin")).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('"id" is required'),
  });
  await expect(warehouse.append('raw.strict', "SELECT 'seven' AS id")).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('"id" is long'),
  });
  await expect(warehouse.append('raw.strict', 'SELECT 1 AS id, 2 AS unheard')).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
    message: expect.stringContaining('"unheard"'),
  });
  const { metadata } = await warehouse.load('raw.strict');
  for await (const file of warehouse.tables.storage.list(`${metadata.location}/data`)) expect.unreachable(file.location);
});
