import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Catalog, CatalogChange } from '../../src/catalog/catalog.ts';
import { SqliteCatalog } from '../../src/catalog/sqlite-catalog.ts';
import { systemClock } from '../../src/clock.ts';
import { parseIdentifier, type TableIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSnapshot } from '../../src/iceberg/metadata.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { liveFilesOf, manifestsOf } from '../../src/tables/reachable.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
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

test('two servers over one catalog append, upsert and compact at once, and lose nothing', async () => {
  await warehouse.create('raw.shared', {
    columns: [
      { name: 'k', type: 'int' },
      { name: 'v', type: 'int' },
    ],
  });
  await warehouse.append('raw.shared', 'SELECT i::INT AS k, 0 AS v FROM range(20) r(i)');
  const catalog = await SqliteCatalog.open(join(warehouse.directory, 'catalog.db'), systemClock);
  const other = new Tables({ ...warehouse.tables, catalog });
  const identifier = parseIdentifier('raw.shared');
  try {
    await Promise.all(
      [warehouse.tables, other].flatMap((tables, server) => [
        ...Array.from({ length: 5 }, (_, i) =>
          writeRows(tables, { identifier, mode: 'APPEND', rows: { json: [{ k: 100 + server * 10 + i, v: 1 }] } }),
        ),
        ...Array.from({ length: 3 }, (_, i) =>
          writeRows(tables, { identifier, mode: 'UPSERT', rows: { json: [{ k: server * 10 + i, v: 1 }] }, keys: ['k'] }),
        ),
        compactTable(tables, { identifier }),
      ]),
    );
  } finally {
    await catalog.close();
  }
  expect(await warehouse.rows('raw.shared', 'SELECT count(*)::INT n, count(DISTINCT k)::INT d, sum(v)::INT s FROM t')).toEqual([
    { n: 30, d: 30, s: 16 },
  ]);
  const { metadata } = await warehouse.load('raw.shared');
  const left: string[] = [];
  for await (const file of warehouse.tables.storage.list(`${metadata.location}/data`)) left.push(file.location);
  const held = new Set<string>();
  for await (const path of liveFilesOf(
    warehouse.tables.files,
    metadata,
    (await manifestsOf(warehouse.tables.files, metadata, metadata.snapshots)).values(),
  ))
    held.add(path);
  expect(left.toSorted()).toEqual([...held].toSorted());
});

test('where the outcome of a commit is not known, no file is removed', async () => {
  const table = await warehouse.create('raw.unsure', { columns });
  // The connection is lost after the server has committed.
  const catalog: Catalog = Object.create(warehouse.catalog, {
    commit: {
      value: async (change: CatalogChange) => {
        await warehouse.catalog.commit(change);
        throw new Error('The connection was lost.');
      },
    },
    loadMany: { value: (identifiers: readonly TableIdentifier[]) => warehouse.catalog.loadMany(identifiers) },
    load: { value: (identifier: TableIdentifier) => warehouse.catalog.load(identifier) },
  });
  const unsure = new Tables({ ...warehouse.tables, catalog });
  const write = writeRows(unsure, { identifier: table.identifier, mode: 'APPEND', rows: { json: [{ id: '1' }] } });
  await expect(write).rejects.toThrow('The connection was lost.');
  expect(await warehouse.rows('raw.unsure', 'SELECT id FROM t')).toEqual([{ id: '1' }]);
});

test('a dropped table is gone, and its name free', async () => {
  const first = await warehouse.create('raw.again', { columns });
  await expect(warehouse.create('raw.again', { columns })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
  const transaction = warehouse.tables.transaction();
  transaction.drop(first);
  await transaction.commit();
  expect(await warehouse.tables.find(first.identifier)).toBeNull();
  const second = await warehouse.create('raw.again', { columns });
  expect(second.metadata.location).not.toBe(first.metadata.location);
  const late = warehouse.tables.transaction();
  late.change(first, setProperties({ colour: 'red' }));
  await expect(late.commit()).rejects.toMatchObject({ code: 'CONFLICT' });
});
