import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { pinSnapshot } from '../../src/tables/actions/pin-snapshot.ts';
import { type RowsToWrite, writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'airport', type: 'string', required: true },
  { name: 'hour', type: 'timestamp', required: true },
  { name: 'flights', type: 'long' },
  { name: 'mean_delay', type: 'double' },
];

async function create(name: string) {
  await warehouse.create(name, { columns, partitionBy: [{ column: 'hour', transform: 'day' }] });
  await warehouse.append(
    name,
    "SELECT 'a' || (i % 10) AS airport, TIMESTAMP '2001-01-01' + INTERVAL (i // 10) HOUR AS hour, i AS flights, i / 2 AS mean_delay FROM range(1000) r(i)",
  );
}

function write(name: string, more: Pick<RowsToWrite, 'mode' | 'rows'> & Partial<RowsToWrite>) {
  return writeRows(warehouse.tables, { identifier: parseIdentifier(name), ...more });
}

test('rows given as JSON are appended', async () => {
  await warehouse.create('raw.json', { columns });
  const rows = [
    { airport: 'LAX', hour: '2001-01-01T05:00:00', flights: '9007199254740993', mean_delay: 'NaN' },
    { airport: 'SFO', hour: '2001-01-01T06:00:00' },
  ];
  const outcome = await write('raw.json', { mode: 'APPEND', rows: { json: rows } });
  expect(outcome).toMatchObject({ rowsAdded: 2n, rowsRemoved: 0n });
  expect(outcome.snapshot.snapshotId).toBe(outcome.table.metadata.currentSnapshotId);
  expect(await warehouse.rows('raw.json', 'SELECT airport, flights::VARCHAR f, isnan(mean_delay) n FROM t ORDER BY 1')).toEqual([
    { airport: 'LAX', f: '9007199254740993', n: true },
    { airport: 'SFO', f: null, n: null },
  ]);
});

test('an upsert replaces rows of the same key, adds the others, and touches only the files that hold a match', async () => {
  await create('raw.upsert');
  const before = await warehouse.load('raw.upsert');
  const json = [
    { airport: 'a1', hour: '2001-01-02T03:00:00', flights: -1 },
    { airport: 'new', hour: '2001-01-02T03:00:00', flights: -2 },
  ];
  const outcome = await write('raw.upsert', { mode: 'UPSERT', rows: { json }, keys: ['airport', 'hour'] });
  expect(outcome).toMatchObject({ rowsAdded: 2n, rowsRemoved: 1n });
  expect(outcome.snapshot.summary).toMatchObject({
    operation: 'overwrite',
    'deleted-data-files': '1',
    'added-data-files': '1',
    'total-records': '1001',
  });
  expect(await warehouse.rows('raw.upsert', 'SELECT airport, flights::INT f FROM t WHERE flights < 0 ORDER BY 1')).toEqual([
    { airport: 'a1', f: -1 },
    { airport: 'new', f: -2 },
  ]);
  const old = await warehouse.rows('raw.upsert', 'SELECT count(*)::INT n, min(flights)::INT m FROM t', {
    snapshotId: before.metadata.currentSnapshotId ?? 0n,
  });
  expect(old).toEqual([{ n: 1000, m: 0 }]);
});

test('a delete takes rows out by key', async () => {
  await create('raw.delete');
  const outcome = await write('raw.delete', { mode: 'DELETE', rows: { json: [{ airport: 'a3' }] }, keys: ['airport'] });
  expect(outcome).toMatchObject({ rowsAdded: 0n, rowsRemoved: 100n });
  expect(await warehouse.rows('raw.delete', "SELECT count(*)::INT n, count(*) FILTER (airport = 'a3')::INT a FROM t")).toEqual([
    { n: 900, a: 0 },
  ]);
});

test('an overwrite leaves its own rows alone', async () => {
  await create('raw.overwrite');
  const relation = async () => "(SELECT 'x' AS airport, TIMESTAMP '2002-01-01' AS hour)";
  const outcome = await write('raw.overwrite', { mode: 'OVERWRITE', rows: { relation } });
  expect(outcome).toMatchObject({ rowsAdded: 1n, rowsRemoved: 1000n });
  expect(await warehouse.rows('raw.overwrite', 'SELECT airport FROM t')).toEqual([{ airport: 'x' }]);
});

test('upserts and appends at the same time end as if one came after the other', async () => {
  await warehouse.create('raw.race', {
    columns: [
      { name: 'k', type: 'int' },
      { name: 'v', type: 'int' },
    ],
  });
  await warehouse.append('raw.race', 'SELECT i::INT AS k, 0 AS v FROM range(10) r(i)');
  await Promise.all([
    ...Array.from({ length: 8 }, (_, i) =>
      write('raw.race', {
        mode: 'UPSERT',
        rows: {
          json: [
            { k: i, v: i + 1 },
            { k: 100 + i, v: 1 },
          ],
        },
        keys: ['k'],
      }),
    ),
    ...Array.from({ length: 8 }, (_, i) => warehouse.append('raw.race', `SELECT ${200 + i}::INT AS k, 1 AS v`)),
  ]);
  expect(await warehouse.rows('raw.race', 'SELECT count(*)::INT n, count(DISTINCT k)::INT d, sum(v)::INT s FROM t')).toEqual([
    { n: 26, d: 26, s: 36 + 8 + 8 },
  ]);
});

test('an expected snapshot that is gone is a conflict', async () => {
  await create('raw.expected');
  const rows = { json: [{ airport: 'a', hour: '2001-01-01T00:00:00' }] };
  for (const mode of ['APPEND', 'OVERWRITE', 'UPSERT', 'DELETE'] as const) {
    await expect(write('raw.expected', { mode, rows, keys: ['airport'], expectedSnapshotId: 7n })).rejects.toMatchObject({
      code: 'CONFLICT',
      retryable: false,
    });
  }
  const { metadata } = await warehouse.load('raw.expected');
  expect(metadata.snapshots).toHaveLength(1);
});

test('bad rows are refused with what is wrong', async () => {
  await create('raw.bad');
  const key = { airport: 'a', hour: '2001-01-01T00:00:00' };
  const keys = ['airport', 'hour'];
  await expect(write('raw.bad', { mode: 'UPSERT', rows: { json: [key, key] }, keys })).rejects.toThrow('more than once');
  await expect(write('raw.bad', { mode: 'UPSERT', rows: { json: [key] } })).rejects.toThrow('need `keys`');
  await expect(write('raw.bad', { mode: 'UPSERT', rows: { json: [key] }, keys: ['airprt'] })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
  await expect(write('raw.bad', { mode: 'UPSERT', rows: { json: [key] }, keys: ['mean_delay'] })).rejects.toThrow(
    'cannot be a key',
  );
  await expect(write('raw.bad', { mode: 'APPEND', rows: { json: [{ ...key, flights: 'many' }] } })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
  await expect(write('raw.bad', { mode: 'APPEND', rows: { json: [{ flights: 1 }] } })).rejects.toMatchObject({
    code: 'BAD_USER_INPUT',
  });
  await expect(write('raw.bad', { mode: 'APPEND', branch: 'gone', rows: { json: [key] } })).rejects.toMatchObject({
    code: 'NOT_FOUND',
  });
});

test('files are read from the allowed directories alone', async () => {
  await create('raw.file');
  const root = join(warehouse.directory, 'uploads');
  await mkdir(root, { recursive: true });
  const good = join(root, 'good.parquet');
  const outside = join(warehouse.directory, 'outside.parquet');
  for (const path of [good, outside]) {
    await warehouse.select(`COPY (SELECT 'LAX' AS airport, TIMESTAMP '2003-01-01' AS hour) TO '${path}' (FORMAT parquet)`);
  }
  await writeFile(join(root, 'text.parquet'), 'no Parquet');
  await symlink(outside, join(root, 'link.parquet'));
  const read = (file: string) => write('raw.file', { mode: 'APPEND', rows: { file }, fileRoots: [root] });
  expect(await read(good)).toMatchObject({ rowsAdded: 1n });
  expect(await read(`file://${good}`)).toMatchObject({ rowsAdded: 1n });
  for (const file of [
    outside,
    join(root, 'link.parquet'),
    `${root}/../outside.parquet`,
    '/etc/passwd',
    `${root}/*.parquet`,
    'good.parquet',
  ]) {
    await expect(read(file)).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining('not under a directory'),
    });
  }
  await expect(read(join(root, 'text.parquet'))).rejects.toThrow('cannot be read as Parquet');
  await expect(read(join(root, 'missing.parquet'))).rejects.toThrow('does not exist');
});

test('what belongs to a write is committed with it, or not at all', async () => {
  await create('raw.recorded');
  const rows = { json: [{ airport: 'a', hour: '2001-01-01T00:00:00' }] };
  const outcome = await write('raw.recorded', {
    mode: 'APPEND',
    rows,
    record: (transaction, { snapshotId }) =>
      transaction.entry({ table: 'icecore.lineage_edges', subject: 's', row: `{"to":"${snapshotId}"}` }),
  });
  const { entries } = await warehouse.catalog.journalAfter(0n, 10);
  expect(entries.map((entry) => entry.row)).toEqual([`{"to":"${outcome.snapshot.snapshotId}"}`]);
  const guarded = write('raw.recorded', {
    mode: 'APPEND',
    rows,
    record: (transaction) => transaction.guard({ subject: 's', seq: 0n }),
  });
  await expect(guarded).rejects.toMatchObject({ code: 'CONFLICT', retryable: true });
  const files: string[] = [];
  for await (const file of warehouse.tables.storage.list(`${outcome.table.metadata.location}/data`)) files.push(file.location);
  expect(files).toHaveLength(6);
});

test.each(['APPEND', 'UPSERT', 'DELETE', 'OVERWRITE'] as const)(
  '%s to a tag is refused, so a pin stays where it is',
  async (mode) => {
    const name = `raw.pinned_${mode.toLowerCase()}`;
    await create(name);
    const table = await warehouse.load(name);
    const transaction = warehouse.tables.transaction();
    transaction.change(table, pinSnapshot('training-set/late/v1', 'current'));
    await transaction.commit();
    const before = await warehouse.load(name);
    const json = [{ airport: 'a1', hour: '2001-01-02T03:00:00' }];
    await expect(
      write(name, { mode, branch: 'training-set/late/v1', rows: { json }, keys: ['airport', 'hour'] }),
    ).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining('is a tag') });
    expect((await warehouse.load(name)).metadata.refs).toEqual(before.metadata.refs);
  },
);
