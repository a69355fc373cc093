import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import type { Expression } from '../../src/iceberg/expression.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { setPartitioning } from '../../src/tables/actions/set-partitioning.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { setRef } from '../../src/tables/actions/set-ref.ts';
import { columnStatistics } from '../../src/tables/column-statistics.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { rewriteManifests } from '../../src/tables/rewrite-manifests.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

async function change(name: string, ...actions: TableAction[]) {
  const transaction = warehouse.tables.transaction();
  for (const action of actions) transaction.change(parseIdentifier(name), action);
  return await transaction.commit();
}

async function counts(name: string, where: Expression) {
  const { metadata } = await warehouse.load(name);
  const plan = await planSnapshot(warehouse.tables.files, metadata, currentSnapshot(metadata) ?? null, {
    schema: currentSchema(metadata),
    where,
  });
  return plan.counters;
}

test('a predicate opens the files of its partitions alone', async () => {
  await warehouse.create('raw.pruned', {
    columns: [
      { name: 'at', type: 'timestamp' },
      { name: 'origin', type: 'string' },
      { name: 'delay', type: 'double' },
    ],
    partitionBy: [{ column: 'at', transform: 'day' }],
  });
  for (let month = 0; month < 3; month++) {
    await warehouse.append(
      'raw.pruned',
      `SELECT TIMESTAMP '2001-01-01' + INTERVAL (${month * 30} + i) DAY AS at, 'o' || i AS origin, CASE WHEN i = 7 THEN 'NaN'::DOUBLE ELSE i END AS delay FROM range(30) r(i)`,
    );
  }
  const day: Expression = {
    op: 'and',
    left: { op: 'gt-eq', column: 'at', literal: '2001-02-03T00:00:00' },
    right: { op: 'lt', column: 'at', literal: '2001-02-05T00:00:00' },
  };
  expect(await counts('raw.pruned', day)).toMatchObject({
    filesTotal: 90,
    filesMatched: 2,
    rowsMatched: 2n,
    manifestsRead: 1,
    manifestsSkipped: 2,
  });
  expect(await counts('raw.pruned', { op: 'eq', column: 'origin', literal: 'o12' })).toMatchObject({ filesMatched: 3 });
  // NaN is above all numbers to SQL: the file that holds one is opened.
  expect(await counts('raw.pruned', { op: 'gt', column: 'delay', literal: 28 })).toMatchObject({ filesMatched: 6 });
  const page = await readRows(warehouse.tables, await warehouse.load('raw.pruned'), { where: 'delay > 28' });
  expect(page.rows.map((row) => row.delay)).toEqual(['NaN', 29, 'NaN', 29, 'NaN', 29]);
});

test('old snapshots keep their columns while the table goes on', async () => {
  const name = 'raw.evolving';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'price', type: 'float' },
      { name: 'gone', type: 'string' },
    ],
  });
  const first =
    (await warehouse.append(name, "SELECT 1::INT AS id, 1.5::FLOAT AS price, 'x' AS gone")).metadata.currentSnapshotId ?? 0n;
  await change(name, setRef('before', { type: 'tag', snapshotId: first }));
  await change(
    name,
    evolveSchema([
      { kind: 'rename', from: 'price', to: 'cost' },
      { kind: 'widen', column: 'cost', type: 'double' },
      { kind: 'widen', column: 'id', type: 'long' },
      { kind: 'drop', column: 'gone' },
      { kind: 'add', column: { name: 'price', type: 'string' } },
    ]),
    setPartitioning([{ column: 'id', transform: 'bucket[4]' }]),
  );
  await warehouse.append(name, "SELECT 3000000000 AS id, 2.5::DOUBLE AS cost, 'new' AS price");
  expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual([
    { id: '1', cost: 1.5, price: null },
    { id: '3000000000', cost: 2.5, price: 'new' },
  ]);
  const then = [{ id: 1, price: 1.5, gone: 'x' }];
  expect(await warehouse.rows(name, 'SELECT * FROM t', { snapshotId: first })).toEqual(then);
  expect(await warehouse.rows(name, 'SELECT * FROM t', { ref: 'before' })).toEqual(then);
  await expect(warehouse.rows(name, 'SELECT * FROM t', { ref: 'befor' })).rejects.toThrow('Did you mean before?');
  // Both specs are in one table; compaction brings all into the new one.
  await warehouse.append(name, "SELECT 1 AS id, 3.5::DOUBLE AS cost, 'newer' AS price");
  const compacted = await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
  expect(compacted.snapshot?.summary.operation ?? 'replace').toBe('replace');
  expect(await warehouse.rows(name, 'SELECT count(*)::INT n, sum(cost) s FROM t')).toEqual([{ n: 3, s: 7.5 }]);
});

test('what is nested in a column is found by field id: renamed, added, dropped and added again, promoted', async () => {
  const name = 'raw.nested';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 's', type: 'struct<a: int, b: string, inner: struct<x: int>>' },
      { name: 'l', type: 'list<struct<p: int, q: string>>' },
      { name: 'm', type: 'map<string, struct<v: int>>' },
    ],
  });
  await warehouse.append(
    name,
    `SELECT 1::INT AS id, {'a': 1::INT, 'b': 'old', 'inner': {'x': 7::INT}} AS s,
            [{'p': 5::INT, 'q': 'q'}, NULL] AS l, MAP {'k': {'v': 9::INT}} AS m
     UNION ALL SELECT 2, NULL, NULL, NULL`,
  );
  const changes = [
    { kind: 'rename', from: 's.a', to: 'c' },
    { kind: 'drop', column: 's.b' },
    { kind: 'rename', from: 's.inner.x', to: 'y' },
    { kind: 'widen', column: 's.inner.y', type: 'long' },
    { kind: 'rename', from: 'l.element.p', to: 'r' },
    { kind: 'rename', from: 'm.value.v', to: 'w' },
  ] as const;
  await change(name, evolveSchema(changes));
  await change(name, evolveSchema([{ kind: 'add', column: { name: 's.b', type: 'string' } }]));
  await change(name, evolveSchema([{ kind: 'add', column: { name: 's.a', type: 'double' } }]));
  await warehouse.append(
    name,
    `SELECT 3::INT AS id, {'c': 2::INT, 'inner': {'y': 8::BIGINT}, 'b': 'new', 'a': 0.5::DOUBLE} AS s,
            [{'r': 6::INT, 'q': 'z'}] AS l, MAP {'k': {'w': 10::INT}} AS m`,
  );
  const expected = [
    { id: 1, s: { c: 1, inner: { y: '7' }, b: null, a: null }, l: [{ r: 5, q: 'q' }, null], m: [{ key: 'k', value: { w: 9 } }] },
    { id: 2, s: null, l: null, m: null },
    { id: 3, s: { c: 2, inner: { y: '8' }, b: 'new', a: 0.5 }, l: [{ r: 6, q: 'z' }], m: [{ key: 'k', value: { w: 10 } }] },
  ];
  expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(expected);
  // One column of them alone, and the table after its files were written anew.
  expect(await warehouse.rows(name, 'SELECT s.b FROM t ORDER BY id', undefined, ['s', 'id'])).toEqual([
    { b: null },
    { b: null },
    { b: 'new' },
  ]);
  await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
  expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(expected);
});

test('rows deleted by position do not show, and compaction writes them out', async () => {
  const name = 'raw.deletes';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'int' }] });
  const table = await warehouse.append(name, 'SELECT i::INT AS id FROM range(10) r(i)');
  const { tasks } = await planSnapshot(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) ?? null, {
    schema: currentSchema(table.metadata),
    projection: { metrics: 'all' },
  });
  const data = tasks[0]?.file as DataFile;
  const local = join(warehouse.directory, 'deletes.parquet');
  await warehouse.select(
    `COPY (SELECT '${data.filePath}' AS file_path, unnest([2, 3, 7])::BIGINT AS pos) TO '${local}' (FORMAT parquet, FIELD_IDS {file_path: 2147483546, pos: 2147483545})`,
  );
  const location = `${table.metadata.location}/data/deletes.parquet`;
  await warehouse.tables.storage.publish(local, location);
  const none = new Map();
  const deletes: DataFile = {
    ...data,
    content: 'position-deletes',
    filePath: location,
    recordCount: 3n,
    columnSizes: none,
    valueCounts: none,
    nullValueCounts: none,
    nanValueCounts: none,
    lowerBounds: none,
    upperBounds: none,
    splitOffsets: null,
  };
  await change(name, appendFiles([deletes]));
  expect(await warehouse.rows(name, 'SELECT list(id ORDER BY id)::VARCHAR l FROM t')).toEqual([{ l: '[0, 1, 4, 5, 6, 8, 9]' }]);
  const page = await readRows(warehouse.tables, await warehouse.load(name), { first: 4 });
  expect(page.rows.map((row) => row.id)).toEqual([0, 1, 4, 5]);
  const rest = await readRows(warehouse.tables, await warehouse.load(name), { after: page.endCursor ?? '' });
  expect(rest.rows.map((row) => row.id)).toEqual([6, 8, 9]);
  const outcome = await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
  expect(outcome).toMatchObject({ filesBefore: 1, filesAfter: 1 });
  expect(await warehouse.rows(name, 'SELECT list(id ORDER BY id)::VARCHAR l FROM t')).toEqual([{ l: '[0, 1, 4, 5, 6, 8, 9]' }]);
});

test('compaction makes few files of many and keeps the rows', async () => {
  const name = 'raw.small_files';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'part', type: 'string' },
    ],
    partitionBy: [{ column: 'part', transform: 'identity' }],
  });
  for (let i = 0; i < 6; i++)
    await warehouse.append(name, `SELECT i::INT AS id, 'p' || (i % 2) AS part FROM range(${i * 10}, ${i * 10 + 10}) r(i)`);
  const identifier = parseIdentifier(name);
  const plan = await compactTable(warehouse.tables, { identifier, dryRun: true });
  expect(plan).toMatchObject({ snapshot: null, filesBefore: 12, filesAfter: 2, rows: 60n });
  const one = await compactTable(warehouse.tables, { identifier, where: "part = 'p1'" });
  expect(one).toMatchObject({ filesBefore: 6, filesAfter: 1 });
  const all = await compactTable(warehouse.tables, { identifier });
  expect(all).toMatchObject({ filesBefore: 6, filesAfter: 1 });
  expect(all.snapshot?.summary).toMatchObject({ operation: 'replace', 'total-data-files': '2', 'total-records': '60' });
  expect((await compactTable(warehouse.tables, { identifier })).snapshot).toBeNull();
  expect(await warehouse.rows(name, 'SELECT count(DISTINCT id)::INT n, sum(id)::INT s FROM t')).toEqual([{ n: 60, s: 1770 }]);
});

test('statistics of a column', async () => {
  const name = 'raw.statistics';
  await warehouse.create(name, {
    columns: [
      { name: 'x', type: 'double' },
      { name: 's', type: 'string' },
    ],
  });
  await warehouse.append(
    name,
    "SELECT CASE WHEN i = 100 THEN 'NaN'::DOUBLE WHEN i = 101 THEN NULL ELSE i END AS x, 's' || (i % 5) AS s FROM range(102) r(i)",
  );
  const table = await warehouse.load(name);
  const x = await columnStatistics(warehouse.tables, table, 'x');
  expect(x).toMatchObject({ rowCount: 102n, nullCount: 1n, min: 0, max: 'NaN', mean: 49.5 });
  expect(x.histogram?.map((bin) => bin.count).reduce((a, b) => a + b)).toBe(100n);
  expect(x.histogram).toHaveLength(20);
  expect(await columnStatistics(warehouse.tables, table, 's')).toMatchObject({
    distinctCount: 5n,
    min: 's0',
    max: 's4',
    mean: null,
    histogram: null,
  });
});

test('statistics of numbers that lie as close as numbers can', async () => {
  const name = 'raw.close';
  await warehouse.create(name, { columns: [{ name: 'x', type: 'double' }] });
  await warehouse.append(name, "SELECT unnest([0, 5e-324, '-inf'])::DOUBLE AS x");
  const { histogram } = await columnStatistics(warehouse.tables, await warehouse.load(name), 'x');
  expect(histogram?.map((bin) => bin.count).reduce((a, b) => a + b)).toBe(2n);
});

test('a table without rows is a relation without rows', async () => {
  const table = await warehouse.create('raw.empty', {
    columns: [
      { name: 'x', type: 'double' },
      { name: 'm', type: 'map<string, long>' },
    ],
  });
  expect(await warehouse.rows('raw.empty')).toEqual([]);
  const scan = await scanRelation(warehouse.tables, { table, snapshot: null, columns: ['m'] });
  expect(await warehouse.select(`SELECT count(*)::INT n FROM ${scan.sql}`)).toEqual([{ n: 0 }]);
  scan.release();
  expect(await columnStatistics(warehouse.tables, table, 'x')).toMatchObject({ rowCount: 0n, min: null, histogram: null });
});

test('manifests are merged, and every row stays', async () => {
  const name = 'raw.manifests';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'int' }] });
  for (let i = 0; i < 5; i++) await warehouse.append(name, `SELECT ${i}::INT AS id`);
  const identifier = parseIdentifier(name);
  expect(await rewriteManifests(warehouse.tables, { identifier, dryRun: true })).toMatchObject({
    snapshot: null,
    manifestsBefore: 5,
    manifestsAfter: 1,
  });
  const { snapshot } = await rewriteManifests(warehouse.tables, { identifier });
  expect(snapshot?.summary).toMatchObject({ operation: 'replace', 'total-records': '5' });
  expect(await rewriteManifests(warehouse.tables, { identifier })).toMatchObject({ snapshot: null, manifestsBefore: 1 });
  expect(await warehouse.rows(name, 'SELECT sum(id)::INT s FROM t')).toEqual([{ s: 10 }]);
});

test('files that were no part of a table have no field ids: their columns are found by the name mapping, else they are null', async () => {
  const name = 'raw.imported';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'origin', type: 'string' },
      { name: 'filename', type: 'string' },
    ],
    partitionBy: [{ column: 'origin', transform: 'identity' }],
  });
  const table = await warehouse.append(name, "SELECT 1::INT AS id, 'a' AS origin, 'f' AS filename");
  const { tasks } = await planSnapshot(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) ?? null, {
    schema: currentSchema(table.metadata),
  });
  const local = join(warehouse.directory, 'imported.parquet');
  await warehouse.select(`COPY (SELECT unnest([2, 3])::INT AS number, 'g' AS filename) TO '${local}' (FORMAT parquet)`);
  const location = `${table.metadata.location}/data/imported.parquet`;
  await warehouse.tables.storage.publish(local, location);
  const file = { ...(tasks[0]?.file as DataFile), filePath: location, partition: ['b'], recordCount: 2n };
  await change(name, appendFiles([file]));
  const first = await readRows(warehouse.tables, await warehouse.load(name), {});
  expect(first.rows.map((row) => row.id)).toEqual([1, null, null]);

  const mapping = [
    { 'field-id': 1, names: ['id', 'number'] },
    { 'field-id': 3, names: ['filename'] },
  ];
  await change(name, setProperties({ 'schema.name-mapping.default': JSON.stringify(mapping) }));
  for (const first of [3, 1000]) {
    const page = await readRows(warehouse.tables, await warehouse.load(name), { first });
    expect(page.rows).toEqual([
      { id: 1, origin: 'a', filename: 'f' },
      { id: 2, origin: 'b', filename: 'g' },
      { id: 3, origin: 'b', filename: 'g' },
    ]);
  }
  expect(await warehouse.rows(name, "SELECT sum(id)::INT s FROM t WHERE origin = 'b'")).toEqual([{ s: 5 }]);
});

test('a branch is written beside main', async () => {
  const name = 'raw.branched';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'int' }] });
  const first = (await warehouse.append(name, 'SELECT 1::INT AS id')).metadata.currentSnapshotId ?? 0n;
  await change(name, setRef('audit', { type: 'branch', snapshotId: first }));
  const identifier = parseIdentifier(name);
  await writeRows(warehouse.tables, { identifier, branch: 'audit', mode: 'APPEND', rows: { json: [{ id: 2 }] } });
  await writeRows(warehouse.tables, { identifier, branch: 'audit', mode: 'DELETE', rows: { json: [{ id: 1 }] }, keys: ['id'] });
  await writeRows(warehouse.tables, { identifier, mode: 'APPEND', rows: { json: [{ id: 3 }] } });
  expect(await warehouse.rows(name, 'SELECT id FROM t', { ref: 'audit' })).toEqual([{ id: 2 }]);
  expect(await warehouse.rows(name, 'SELECT id FROM t ORDER BY id')).toEqual([{ id: 1 }, { id: 3 }]);
  const { metadata } = await warehouse.load(name);
  expect(metadata.snapshotLog).toHaveLength(2);
});
