import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { encodeDeletionVector } from '../../src/iceberg/deletion-vector.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { writePuffin } from '../../src/iceberg/puffin.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { openScan } from '../../src/tables/scan-relation.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
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

async function dataFiles(name: string): Promise<readonly DataFile[]> {
  const { metadata } = await warehouse.load(name);
  const plan = await planSnapshot(warehouse.tables.files, metadata, currentSnapshot(metadata) ?? null, {
    schema: currentSchema(metadata),
    projection: { metrics: 'all' },
  });
  return plan.tasks.map(({ file }) => file);
}

const none = new Map();
const noMetrics = {
  columnSizes: none,
  valueCounts: none,
  nullValueCounts: none,
  nanValueCounts: none,
  lowerBounds: none,
  upperBounds: none,
  splitOffsets: null,
};

let files = 0;

/** Deletes of the rows that the SELECT gives, by the columns of the given field ids. */
async function equalityDelete(name: string, select: string, fieldIds: Readonly<Record<string, number>>, like: DataFile) {
  const { metadata } = await warehouse.load(name);
  const local = join(warehouse.directory, `equality-${files++}.parquet`);
  const ids = Object.entries(fieldIds).map(([column, id]) => `${column}: ${id}`);
  await warehouse.select(`COPY (${select}) TO '${local}' (FORMAT parquet, FIELD_IDS {${ids.join(', ')}})`);
  const location = `${metadata.location}/data/equality-${files}.parquet`;
  await warehouse.tables.storage.publish(local, location);
  const equalityIds = Object.values(fieldIds);
  await change(
    name,
    appendFiles([{ ...like, ...noMetrics, content: 'equality-deletes', filePath: location, recordCount: 1n, equalityIds }]),
  );
}

const listed = 'SELECT list(id ORDER BY id)::VARCHAR l FROM t';

test('rows deleted by equality do not show; those written later do', async () => {
  const name = 'raw.equality';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'origin', type: 'string' },
      { name: 'carrier', type: 'string' },
    ],
  });
  const some = (from: number, to: number) =>
    `SELECT i::INT AS id, CASE WHEN i % 3 = 0 THEN NULL ELSE 'o' || i % 3 END AS origin, 'c' || i % 2 AS carrier FROM range(${from}, ${to}) r(i)`;
  await warehouse.append(name, some(0, 12));
  const [like] = await dataFiles(name);
  if (like === undefined) throw new Error('no file');
  await equalityDelete(name, 'SELECT unnest([4, 5])::INT AS id', { id: 1 }, like);
  // Nulls are equal here, and by two columns both have to be.
  await equalityDelete(name, `SELECT NULL::VARCHAR AS origin, 'c1' AS carrier`, { origin: 2, carrier: 3 }, like);
  expect(await warehouse.rows(name, listed)).toEqual([{ l: '[0, 1, 2, 6, 7, 8, 10, 11]' }]);
  await warehouse.append(name, some(3, 6));
  expect(await warehouse.rows(name, listed)).toEqual([{ l: '[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]' }]);
  // Columns that the deletes are by need not be among those that are read.
  expect(await warehouse.rows(name, 'SELECT count(*)::INT n FROM t', undefined, ['carrier'])).toEqual([{ n: 11 }]);
  const page = await readRows(warehouse.tables, await warehouse.load(name), { first: 4 });
  expect(page.rows.map((row) => row.id)).toEqual([0, 1, 2, 6]);
  await change(name, evolveSchema([{ kind: 'drop', column: 'origin' }]));
  expect(await warehouse.rows(name, listed)).toEqual([{ l: '[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]' }]);
  await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
  expect(await warehouse.rows(name, listed)).toEqual([{ l: '[0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 11]' }]);
});

test('an equality delete in a partition is about that partition alone, an unpartitioned one about all', async () => {
  const name = 'raw.equality_parts';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'part', type: 'string' },
    ],
    partitionBy: [{ column: 'part', transform: 'identity' }],
  });
  await warehouse.append(name, `SELECT (i // 2)::INT AS id, 'p' || (i % 2) AS part FROM range(8) r(i)`);
  const [p0] = await dataFiles(name);
  if (p0 === undefined) throw new Error('no file');
  await equalityDelete(name, 'SELECT 1::INT AS id', { id: 1 }, p0);
  expect(await warehouse.rows(name, `SELECT list(id || part ORDER BY part, id)::VARCHAR l FROM t`)).toEqual([
    { l: p0.partition[0] === 'p0' ? '[0p0, 2p0, 3p0, 0p1, 1p1, 2p1, 3p1]' : '[0p0, 1p0, 2p0, 3p0, 0p1, 2p1, 3p1]' },
  ]);
});

test('a deletion vector hides the rows that it names, whatever they are', async () => {
  const name = 'raw.vectors';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'int' }], formatVersion: 2 });
  await warehouse.append(name, 'SELECT i::INT AS id FROM range(1000) r(i)');
  await warehouse.append(name, 'SELECT i::INT AS id FROM range(1000, 2000) r(i)');
  const [first, second] = await dataFiles(name);
  if (first === undefined || second === undefined) throw new Error('no files');
  const { metadata } = await warehouse.load(name);
  const subsets = fc.sample(fc.uniqueArray(fc.nat(999), { maxLength: 999 }), { numRuns: 1, seed: 7 });
  const gone = [Float64Array.from(subsets[0] ?? []).sort(), Float64Array.of(0, 999)];
  const { bytes, blobs } = writePuffin(
    gone.map((positions) => ({
      type: 'deletion-vector-v1',
      fields: [],
      snapshotId: -1n,
      sequenceNumber: -1n,
      properties: {},
      bytes: encodeDeletionVector(positions),
    })),
    {},
  );
  const location = `${metadata.location}/data/deletes.puffin`;
  await warehouse.tables.storage.write(location, bytes);
  const vectors = [first, second].map(
    (file, index): DataFile => ({
      ...file,
      ...noMetrics,
      content: 'position-deletes',
      fileFormat: 'puffin',
      filePath: location,
      fileSizeInBytes: BigInt(bytes.byteLength),
      recordCount: BigInt(gone[index]?.length ?? 0),
      referencedDataFile: file.filePath,
      contentOffset: blobs[index]?.offset ?? 0n,
      contentSizeInBytes: blobs[index]?.length ?? 0n,
    }),
  );
  const table = await warehouse.load(name);
  const plan = await planSnapshot(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) ?? null, {
    schema: currentSchema(table.metadata),
  });
  // Manifests of format version 2 have no place for vectors: the plan is what one of version 3 would give.
  const tasks = plan.tasks.map((task, index) => ({ ...task, deletes: vectors.slice(index, index + 1) }));
  const scan = await openScan(warehouse.tables, { table }, currentSchema(table.metadata), { ...plan, tasks });
  const rows = await warehouse.select(`SELECT id FROM ${scan.sql} ORDER BY id`);
  scan.release();
  const deleted = new Set(gone.flatMap((positions, index) => Array.from(positions, (position) => index * 1000 + position)));
  expect(rows).toEqual(Array.from({ length: 2000 }, (_, id) => ({ id })).filter(({ id }) => !deleted.has(id)));
  const broken = tasks.map((task) => ({ ...task, file: { ...task.file, recordCount: 900n } }));
  await expect(
    openScan(warehouse.tables, { table }, currentSchema(table.metadata), { ...plan, tasks: broken }),
  ).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining(location),
  });
});
