import { readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../../src/iceberg/identifier.ts';
import { appendFiles } from '../../../src/tables/actions/append-files.ts';
import { evolveSchema } from '../../../src/tables/actions/evolve-schema.ts';
import { noMetrics } from '../../../src/tables/position-deletes.ts';
import { writeRows } from '../../../src/tables/write-rows.ts';
import { readLiveRows } from '../../../src/training/groups/feed-live-rows.ts';
import { KeptGroups } from '../../../src/training/groups/kept-groups.ts';
import { type Asked, FeedTables } from '../feed/feed-table.ts';

let world: FeedTables;
beforeAll(async () => {
  world = await FeedTables.open();
});
afterAll(() => world.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'text', type: 'string' },
  { name: 'part', type: 'string' },
];
const ids = 'id: 1, text: 2, part: 3';
const some = (from: number, to: number) =>
  `SELECT i::BIGINT AS id, CASE WHEN i % 7 = 0 THEN NULL ELSE 'row ' || i END AS text, 'p' || i % 3 AS part FROM range(${from}, ${to}) r(i)`;

/** Groups give the rows of one SELECT, in its order. */
async function expectSame(name: string, asked: Asked = {}): Promise<readonly (readonly string[])[]> {
  const cells = await world.cells(name, asked);
  expect(cells).toEqual(await world.selected(name, asked));
  const groups = await world.groups(name, asked);
  expect(groups.matchingRows.reduce((sum, rows) => sum + rows, 0)).toBe(cells[0]?.length ?? 0);
  return cells;
}

test('row groups in the order of sequence number, path and ordinal, with their row counts', async () => {
  const name = 'raw.plain';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 5000), ids, { filePath: 'b.parquet' });
  await world.appendGroups(name, some(5000, 9000), ids, { filePath: 'a.parquet' });
  const groups = await world.groups(name);
  expect([...groups.matchingRows]).toEqual([2048, 2048, 904, 2048, 1952]);
  expect(groups.group(2)).toMatchObject({ place: 2, ordinal: 2, firstRow: 4096, rowCount: 904 });
  expect(groups.group(3)).toMatchObject({ ordinal: 0, firstRow: 0, location: expect.stringMatching(/a\.parquet$/) });
  expect(groups.files.map(({ first, count }) => [first, count])).toEqual([
    [0, 3],
    [3, 2],
  ]);
  const task = await groups.decodeTask(4);
  expect(structuredClone(task)).toEqual(task);
  expect(task).toMatchObject({ uncovered: null, liveRows: null, key: await groups.blockKey(4) });
  // Who has just read the footers hands them out with the groups.
  expect(task.footer?.rowGroups.map(({ rowCount }) => rowCount)).toEqual([1952]);
  expect(await expectSame(name, { columns: ['text', 'id'] })).toHaveLength(2);
  expect(() => groups.group(5)).toThrow(RangeError);
});

test('a filter leaves rows out, files without a match have no groups, and whole files no bits', async () => {
  const name = 'raw.filtered';
  await world.warehouse.create(name, { columns });
  await world.warehouse.append(name, some(0, 3000));
  await world.warehouse.append(name, some(3000, 6000));
  await world.warehouse.append(name, some(6000, 9000));
  const where = 'id >= 4000';
  const groups = await world.groups(name, { where });
  expect([...groups.matchingRows]).toEqual([2000, 3000]);
  expect((await groups.decodeTask(1)).liveRows).toBeNull();
  await expectSame(name, { where, columns: ['text'] });
  await expectSame(name, { where: "part = 'p1' AND text LIKE 'row 4%'" });
  await expectSame(name, { where: 'id < 0' });
  expect((await world.groups(name, { where: 'id < 0' })).count).toBe(0);
});

test.each([
  ['position deletes', 2],
  ['deletion vectors', 3],
] as const)('%s', async (_what, formatVersion) => {
  const name = `raw.deleted_${formatVersion}`;
  const properties = {
    'write.delete.mode': 'merge-on-read',
    'write.merge.mode': 'merge-on-read',
    'write.update.mode': 'merge-on-read',
  };
  await world.warehouse.create(name, { columns, properties, formatVersion });
  await world.appendGroups(name, some(0, 5000), ids);
  await world.appendGroups(name, some(5000, 9000), ids);
  await world.appendGroups(name, some(9000, 9100), ids);
  const before = await world.groups(name);
  const json = [0, 2047, 2048, 4999, 8999].map((id) => ({ id: String(id) }));
  await writeRows(world.warehouse.tables, { identifier: parseIdentifier(name), rows: { json }, mode: 'DELETE', keys: ['id'] });
  const groups = await world.groups(name);
  expect([...groups.matchingRows]).toEqual([2046, 2047, 903, 2048, 1951, 100]);
  expect((await world.rows(name)).snapshot?.summary).toBeDefined();
  await expectSame(name);
  await expectSame(name, { where: 'id > 4000 AND id < 8999', columns: ['id'] });
  // What nothing was deleted from keeps its block file, in the snapshot before and in this one.
  expect(await groups.blockKey(3)).toBe(await before.blockKey(3));
  expect(await groups.blockKey(0)).not.toBe(await before.blockKey(0));
});

test('equality deletes', async () => {
  const name = 'raw.equality';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 5000), ids);
  const local = join(world.warehouse.directory, 'equality.parquet');
  await world.warehouse.select(
    `COPY (SELECT 'p1' AS part, 'row 4' AS text) TO '${local}' (FORMAT parquet, FIELD_IDS {part: 3, text: 2})`,
  );
  await world.appendFile(name, local, { content: 'equality-deletes', recordCount: 1n, equalityIds: [3, 2] });
  await world.appendGroups(name, some(0, 10), ids);
  expect([...(await world.groups(name)).matchingRows]).toEqual([2047, 2048, 904, 10]);
  await expectSame(name, { columns: ['id'] });
});

test('columns renamed, widened and added with a default', async () => {
  const name = 'raw.evolved';
  await world.warehouse.create(name, { columns: [...columns, { name: 'n', type: 'int' }], formatVersion: 3 });
  await world.appendGroups(name, `SELECT *, id::INTEGER AS n FROM (${some(0, 3000)})`, `${ids}, n: 4`);
  const defaults = [
    { name: 'text', type: 'string', initialDefault: "it's" },
    { name: 'when', type: 'timestamptz', initialDefault: '2024-02-29T10:34:56.000001+00:00' },
    { name: 'uuid', type: 'uuid', initialDefault: 'f79c3e09-677c-4bbd-a479-3f349cb785e7' },
    { name: 'nothing', type: 'double' },
  ];
  await world.change(
    name,
    evolveSchema([
      { kind: 'rename', from: 'text', to: 'words' },
      { kind: 'widen', column: 'n', type: 'long' },
      ...defaults.map((column) => ({ kind: 'add' as const, column })),
    ]),
  );
  await world.warehouse.append(
    name,
    "SELECT id, text AS words, part, id AS n, 'new' AS text, now() AS when, uuid() AS uuid, 0.5::DOUBLE AS nothing FROM " +
      `(${some(3000, 4000)})`,
  );
  const groups = await world.groups(name);
  const task = await groups.decodeTask(0);
  expect(task.uncovered).toBeNull();
  expect([...task.constants.keys()]).toEqual([5, 6, 7]);
  await expectSame(name);
  await expectSame(name, { where: "text = 'new' AND words IS NOT NULL", columns: ['n', 'nothing'] });
  await expectSame(name, { where: "text = 'it''s' AND n > 2990", columns: ['uuid'] });
});

test('defaults of every type are what SQL gives', async () => {
  const name = 'raw.typed';
  await world.warehouse.create(name, { columns, formatVersion: 3 });
  await world.appendGroups(name, some(0, 100), ids);
  const defaults: readonly (readonly [string, unknown])[] = [
    ['boolean', true],
    ['boolean', false],
    ['int', -7],
    ['long', 9223372036854775807n],
    ['long', 5],
    ['float', 0.1],
    ['double', -0.1],
    ['decimal(4, 2)', '-12.34'],
    ['decimal(38, 3)', '12345678901234567890123456789012345.678'],
    ['date', '1969-12-30'],
    ['time', '23:59:59.999999'],
    ['timestamp', '1969-12-31T23:59:59.999999'],
    ['timestamptz', '2024-02-29T10:34:56.000001+00:00'],
    ['timestamp_ns', '2024-02-29T10:34:56.000000001'],
    ['timestamptz_ns', '2024-02-29T10:34:56.000000001+00:00'],
    ['string', 'äöü😀'],
    ['string', ''],
    ['binary', '00ff5c41'],
    ['fixed[3]', '00ff5c'],
    ['uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
  ];
  const added = defaults.map(([type, initialDefault], index) => ({ name: `c${index}`, type, initialDefault }));
  await world.change(name, evolveSchema(added.map((column) => ({ kind: 'add' as const, column }))));
  const groups = await world.groups(name);
  const task = await groups.decodeTask(0);
  expect([task.uncovered, task.constants.size]).toEqual([null, defaults.length]);
  expect(structuredClone(task)).toEqual(task);
  const byParquet = await world.byParquet(groups, 0);
  const bySql = await world.bySql(groups, 0);
  for (const [index, { name: column, type }] of groups.columns.entries()) {
    expect([type, byParquet[index]?.[0]], column).toEqual([type, bySql[index]?.[0]]);
  }
  expect(byParquet).toEqual(bySql);
});

test('files without field ids go by SQL, and are counted', async () => {
  const name = 'raw.nameless';
  const mapping = JSON.stringify(columns.map((column, index) => ({ 'field-id': index + 1, names: [column.name] })));
  await world.warehouse.create(name, { columns, properties: { 'schema.name-mapping.default': mapping } });
  const { filePath } = await world.appendGroups(name, some(0, 3000), '');
  await world.appendGroups(name, some(3000, 4000), ids);
  const groups = await world.groups(name);
  expect((await groups.decodeTask(1)).uncovered).toBe('Columns without field ids');
  expect((await groups.decodeTask(2)).uncovered).toBeNull();
  const before = world.kept.sqlDecodes.groups;
  await world.bySql(groups, 0);
  await world.bySql(groups, 1);
  expect(world.kept.sqlDecodes.groups).toBe(before + 2);
  expect(world.kept.sqlDecodes.list().at(-1)).toEqual({ location: filePath, reason: 'Columns without field ids', groups: 2 });
  await expectSame(name, { where: "part <> 'p0'" });
});

test('what has no id within a struct is not found by its name', async () => {
  const name = 'raw.half_nameless';
  const struct = [
    { name: 'id', type: 'long' },
    { name: 's', type: 'struct<x: int, l: list<int>>' },
  ];
  await world.warehouse.create(name, { columns: struct });
  const select = 'SELECT i AS id, {x: i::INT, l: [i::INT]} AS s FROM range(3000) r(i)';
  await world.appendGroups(name, select, 'id: 1, s: 2');
  await world.appendGroups(name, select, 'id: 1, s: {__duckdb_field_id: 2, x: 3, l: {__duckdb_field_id: 4, element: 5}}');
  const groups = await world.groups(name);
  expect((await groups.decodeTask(0)).uncovered).toBe('Nested columns without field ids');
  expect((await groups.decodeTask(2)).uncovered).toBeNull();
  expect((await (await world.groups(name, { columns: ['id'] })).decodeTask(0)).uncovered).toBeNull();
  await expectSame(name);
});

test('a column that is in the partition alone', async () => {
  const name = 'raw.parts';
  await world.warehouse.create(name, { columns, partitionBy: [{ column: 'part', transform: 'identity' }] });
  await world.appendGroups(name, `SELECT id, text FROM (${some(0, 3000)})`, 'id: 1, text: 2', { partition: ["it's"] });
  await world.appendGroups(name, `SELECT id, text FROM (${some(3000, 6000)})`, 'id: 1, text: 2', { partition: [null] });
  const groups = await world.groups(name);
  expect((await groups.decodeTask(0)).constants).toEqual(new Map([[3, "it's"]]));
  expect((await groups.decodeTask(3)).constants).toEqual(new Map());
  await expectSame(name);
  expect(await expectSame(name, { where: "part = 'it''s' AND id < 10", columns: ['part'] })).toHaveLength(1);
});

test('Avro files are one group each', async () => {
  const name = 'raw.avro';
  await world.warehouse.create(name, { columns: [{ name: 'id', type: 'long' }] });
  await world.appendGroups(name, 'SELECT i::BIGINT AS id FROM range(10) r(i)', 'id: 1');
  const { default: avro } = await import('avsc');
  const field = { name: 'id', type: ['null', 'long'], default: null, 'field-id': 1 };
  const encoder = new avro.streams.BlockEncoder({ type: 'record', name: 'table', fields: [field] } as never, {
    codec: 'deflate',
  });
  const parts: Buffer[] = [];
  encoder.on('data', (part: Buffer) => parts.push(part));
  for (let id = 0; id < 70_000; id++) encoder.write({ id });
  encoder.end();
  await new Promise((resolve) => encoder.on('end', resolve));
  const { metadata } = await world.warehouse.load(name);
  const bytes = Buffer.concat(parts);
  const filePath = `${metadata.location}/data/rows.avro`;
  await world.warehouse.tables.storage.write(filePath, bytes);
  const place = { filePath, recordCount: 70_000n, fileSizeInBytes: BigInt(bytes.length), specId: 0, partition: [] };
  await world.change(name, appendFiles([{ ...noMetrics, content: 'data', fileFormat: 'avro', ...place }]));
  const groups = await world.groups(name);
  expect([...groups.matchingRows]).toEqual([10, 70_000]);
  expect((await groups.decodeTask(1)).uncovered).toBe('Avro');
  const sizes: number[] = [];
  await groups.decodeBySql(1, ({ rowCount }) => void sizes.push(rowCount));
  expect(sizes).toEqual([65_536, 70_000 - 65_536]);
  await expectSame(name, { where: 'id >= 5 AND id < 69000' });
});

test('what was found out stays after a restart: no footer is read again, nothing counted', async () => {
  const name = 'raw.kept';
  await world.warehouse.create(name, { columns });
  const { filePath } = await world.appendGroups(name, some(0, 5000), ids);
  const where = 'id >= 100';
  const before = await world.groups(name, { where });
  const task = await before.decodeTask(0);
  // The records are in the directory; without the file nothing could be found out.
  await world.warehouse.tables.storage.remove([filePath]);
  world.kept = world.restarted();
  const after = await world.groups(name, { where });
  expect(after.matchingRows).toEqual(before.matchingRows);
  // But for the footer: what is kept on disk is good without any.
  expect(await after.decodeTask(0)).toEqual({ ...task, footer: null });
  expect(await after.blockKey(0)).toBe(task.key);
});

test('bits that are gone, torn or changed are made again', async () => {
  const name = 'raw.torn';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 5000), ids);
  const groups = await world.groups(name, { where: "part = 'p0' OR id > 100" });
  const task = await groups.decodeTask(0);
  const place = task.liveRows;
  if (place === null) throw new Error('The filter left nothing out.');
  expect(readLiveRows(place, task.rowCount)?.count).toBe(task.matchingRows);
  for (const bytes of [new Uint8Array(3), new Uint8Array(256), null]) {
    if (bytes === null) await rm(place.path);
    else await writeFile(place.path, bytes);
    expect(readLiveRows(place, task.rowCount)).toBeNull();
    expect(await groups.decodeTask(0)).toEqual(task);
    expect(readLiveRows(place, task.rowCount)?.count).toBe(task.matchingRows);
  }
  // Records that are torn are as good as none.
  const records = join(world.directory, 'records');
  for (const file of await readdir(records)) await writeFile(join(records, file), 'torn');
  world.kept = world.restarted();
  expect((await world.groups(name)).count).toBe(3);
});

test('who gives up does not wait; others who wait for the same do', async () => {
  const name = 'raw.given_up';
  await world.warehouse.create(name, { columns });
  await world.appendGroups(name, some(0, 5000), ids);
  const rows = await world.rows(name, { where: "part = 'p2'" });
  const stop = new AbortController();
  const given = world.kept.open(rows, stop.signal);
  const others = [world.kept.open(rows), world.kept.open(rows)];
  stop.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  const [other, another] = await Promise.all(others);
  expect(other?.count).toBe(3);
  // Counted once for both.
  expect(other?.matchingRows).toBe(another?.matchingRows);
});

test('a file that is damaged is named', async () => {
  const name = 'raw.damaged';
  await world.warehouse.create(name, { columns });
  const { filePath } = await world.appendGroups(name, some(0, 10), ids);
  await world.warehouse.tables.storage.write(filePath, new Uint8Array(500));
  await expect(world.groups(name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(filePath),
  });
});

test('deletes that are damaged are named', async () => {
  const name = 'raw.damaged_deletes';
  const properties = { 'write.delete.mode': 'merge-on-read', 'write.merge.mode': 'merge-on-read' };
  await world.warehouse.create(name, { columns, properties });
  await world.appendGroups(name, some(0, 100), ids);
  const rows = { json: [{ id: '5' }] };
  await writeRows(world.warehouse.tables, { identifier: parseIdentifier(name), rows, mode: 'DELETE', keys: ['id'] });
  expect((await world.groups(name)).matchingRows[0]).toBe(99);
  const deletes = (await world.groups(name)).files[0]?.task.deletes[0]?.filePath ?? '';
  await world.warehouse.tables.storage.write(deletes, new Uint8Array(500));
  world.kept = new KeptGroups({ tables: world.warehouse.tables, directory: `${world.directory}-fresh` });
  await expect(world.groups(name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(deletes),
  });
});
