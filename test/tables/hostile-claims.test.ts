import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { deflateRawSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { DataFile } from '../../src/iceberg/data-file.ts';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { rollback } from '../../src/tables/actions/rollback.ts';
import { expireTable } from '../../src/tables/expire-table.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { planSnapshot, readManifestList } from '../../src/tables/snapshot-files.ts';
import type { Table } from '../../src/tables/table.ts';
import { Tables } from '../../src/tables/tables.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let made = 0;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'text', type: 'string' },
];

async function newTable(): Promise<Table> {
  const name = `raw.claims_${made++}`;
  await warehouse.create(name, { columns });
  await warehouse.append(name, "SELECT i AS id, 't' || i AS text FROM range(10) r(i)");
  return await warehouse.append(name, "SELECT 10 + i AS id, 't' || i AS text FROM range(10) r(i)");
}

/** As a server that has just begun: nothing is known of the table's files. */
function freshTables(): Tables {
  const { catalog, storage, duckdb, clock, warehouse: location, stagingDirectory } = warehouse.tables;
  return new Tables({ catalog, storage, duckdb, clock, warehouse: location, stagingDirectory });
}

async function read(table: Table): Promise<number> {
  const tables = freshTables();
  return (await readRows(tables, await tables.load(table.identifier), { first: 1000 })).rows.length;
}

type Json = { [name: string]: Json } & Json[] & (string | number | bigint);

async function rewrite(table: Table, change: (metadata: Json) => unknown): Promise<string> {
  const path = fileURLToPath(table.metadataLocation);
  const metadata = parseJson(await readFile(path, 'utf8')) as Json;
  const changed = change(metadata);
  await writeFile(path, changed instanceof Uint8Array ? changed : printJson(changed ?? metadata));
  return table.metadataLocation;
}

let deep: object | string = 'int';
for (let depth = 0; depth < 1000; depth++)
  deep = { type: 'list', 'element-id': depth + 10, element: deep, 'element-required': false };

const metadataClaims: Readonly<Record<string, (metadata: Json) => unknown>> = {
  'a schema nested a thousand deep': (metadata) => {
    Object.assign(metadata.schemas?.[0]?.fields?.[1] ?? {}, { type: deep });
  },
  'JSON nested a hundred thousand deep': () => Buffer.from(`{"schemas": ${'['.repeat(100_000)}${']'.repeat(100_000)}}`),
  'gzip of 320 MiB of nothing': () => Buffer.concat(Array(5).fill(gzipSync(Buffer.alloc(64 * 1024 * 1024)))),
  'gzip that ends in the middle': (metadata) => gzipSync(printJson(metadata)).subarray(0, 100),
  'two fields of one id': (metadata) => {
    Object.assign(metadata.schemas?.[0]?.fields?.[1] ?? {}, { id: 1 });
  },
  'two snapshots of one id': (metadata) => {
    metadata.snapshots?.push(metadata.snapshots[0] as Json);
  },
  'two schemas of one id': (metadata) => {
    metadata.schemas?.push(metadata.schemas[0] as Json);
  },
  'a manifest list of the system': (metadata) => {
    for (const snapshot of metadata.snapshots ?? []) Object.assign(snapshot, { 'manifest-list': 'file:///etc/passwd' });
  },
  'a manifest list above the warehouse': (metadata) => {
    for (const snapshot of metadata.snapshots ?? [])
      Object.assign(snapshot, { 'manifest-list': `${metadata.location}/../../../x.avro` });
  },
  'a manifest list by HTTP': (metadata) => {
    for (const snapshot of metadata.snapshots ?? []) Object.assign(snapshot, { 'manifest-list': 'http://127.0.0.1:1/x.avro' });
  },
  'a manifest list that is a directory': (metadata) => {
    for (const snapshot of metadata.snapshots ?? [])
      Object.assign(snapshot, { 'manifest-list': `${metadata.location}/metadata` });
  },
  'numbers beyond 64 bits': (metadata) => ({ ...(metadata as object), 'last-sequence-number': 2n ** 80n }),
  'text that is not UTF-8': () => Buffer.from([0x7b, 0xff, 0xfe, 0x22, 0x7d]),
};

describe('metadata with a claim that no writer makes', () => {
  test.for(Object.keys(metadataClaims))('%s: refused by the name of the file', async (claim) => {
    const table = await newTable();
    const location = await rewrite(table, metadataClaims[claim] ?? (() => undefined));
    const error = await read(table).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({
      name: 'IcecoreError',
      code: expect.stringMatching(/^(FAILED_PRECONDITION|FORBIDDEN|NOT_FOUND|BAD_USER_INPUT)$/),
    });
    const { message } = error as Error;
    const named = claim.startsWith('a manifest list') ? /passwd|x\.avro|metadata/ : location;
    expect(message).toMatch(named);
    expect(message).not.toContain('root:');
  });

  test('a million members are read, or refused, in one go', async () => {
    const table = await newTable();
    const members = Array.from({ length: 500_000 }, (_, index) => `"member${index}":${index}`).join();
    const properties = Array.from({ length: 500_000 }, (_, index) => `"p${index}":""`).join();
    await rewrite(table, ({ properties: _properties, ...metadata }: Record<string, unknown>) =>
      Buffer.from(`${printJson(metadata).slice(0, -1)},"properties":{${properties}},${members}}`),
    );
    expect(await read(table)).toBe(20);
  });

  test('parents that go round in a circle end nothing', async () => {
    const table = await newTable();
    await rewrite(table, (metadata) => {
      const [first, second] = metadata.snapshots ?? [];
      Object.assign(first ?? {}, { 'parent-snapshot-id': second?.['snapshot-id'] });
    });
    const tables = freshTables();
    const { identifier } = table;
    expect(await read(table)).toBe(20);
    await expireTable(tables, { identifier, olderThanMs: 4e15, keepLast: 100, dryRun: true });
    const { rowsRemoved } = await writeRows(tables, { identifier, rows: { json: [{ id: 3 }] }, mode: 'DELETE', keys: ['id'] });
    expect(rowsRemoved).toBe(1n);
    await expireTable(tables, { identifier, olderThanMs: 4e15, keepLast: 1 });
    expect(await read(table)).toBe(19);
  });
});

async function oneFile({ metadata }: Table): Promise<DataFile> {
  const { tasks } = await planSnapshot(warehouse.tables.files, metadata, currentSnapshot(metadata) ?? null, {
    schema: currentSchema(metadata),
  });
  const [task] = tasks;
  if (task === undefined) throw new Error('The table has no file.');
  return task.file;
}

async function withFile(table: Table, change: (file: DataFile) => Partial<DataFile>): Promise<void> {
  const file = await oneFile(table);
  const transaction = warehouse.tables.transaction();
  transaction.change(table, appendFiles([{ ...file, ...change(file) }]));
  await transaction.commit();
}

describe('a manifest with a claim that no writer makes', () => {
  test.for([
    'file:///etc/passwd',
    'file:///etc/../etc/passwd',
    '/etc/passwd',
    'LOCATION/data/../../../../../etc/passwd',
    'LOCATION/data/%2e%2e/%2e%2e/x.parquet',
    'http://127.0.0.1:1/x.parquet',
    's3://somebody/x.parquet',
    'hf://datasets/x.parquet',
    "x' OR 1=1 --.parquet",
    '',
  ])('a data file at %j is not read', async (path) => {
    const table = await newTable();
    const filePath = path.replace('LOCATION', table.metadata.location);
    await withFile(table, () => ({ filePath }));
    const error = await read(table).then(
      () => null,
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({
      name: 'IcecoreError',
      code: expect.stringMatching(/^(FAILED_PRECONDITION|FORBIDDEN|NOT_FOUND|BAD_USER_INPUT)$/),
    });
    expect((error as Error).message).not.toContain('root:');
  });

  test('what lies outside of the table is not removed with the snapshots that name it', async () => {
    const table = await newTable();
    const victim = `${warehouse.tables.warehouse}/raw/victim.parquet`;
    await warehouse.tables.storage.write(victim, new Uint8Array(4));
    await withFile(table, () => ({ filePath: victim }));
    await withFile(await warehouse.tables.load(table.identifier), () => ({
      filePath: `${table.metadata.location}/data/../../victim.parquet`,
    }));
    const { identifier } = table;
    const { snapshots } = (await warehouse.tables.load(identifier)).metadata;
    await rewriteTo(identifier, snapshots[1]?.snapshotId ?? 0n);
    await expireTable(warehouse.tables, { identifier, olderThanMs: 4e15, keepLast: 1 });
    expect((await warehouse.tables.load(identifier)).metadata.snapshots).toHaveLength(1);
    expect(await warehouse.tables.storage.size(victim)).toBe(4);
  });

  test('counts beyond all measure are counts, and no reason to reserve memory', async () => {
    const table = await newTable();
    await withFile(table, () => ({ recordCount: 2n ** 62n, fileSizeInBytes: 2n ** 62n, splitOffsets: [2n ** 62n] }));
    expect(await read(table)).toBe(30);
  });

  test('a manifest that inflates to a million million files is refused before any is made', async () => {
    const table = await newTable();
    const [manifest] = await readManifestList(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) as never);
    const path = fileURLToPath(manifest?.manifestPath ?? '');
    await writeFile(path, bomb(await readFile(path), 30_000_000));
    await expect(read(table)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(path) });
  });

  test('an Avro block that inflates beyond the limit is refused by the name of the file', async () => {
    const table = await newTable();
    const [manifest] = await readManifestList(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) as never);
    const path = fileURLToPath(manifest?.manifestPath ?? '');
    const bytes = await readFile(path);
    for (const [size, records] of [
      [200 * 1024 * 1024, 10],
      [1024, 2 ** 40],
    ] as const) {
      await writeFile(path, bomb(bytes, size, records));
      await expect(read(table)).rejects.toMatchObject({ code: 'FAILED_PRECONDITION', message: expect.stringContaining(path) });
    }
  });
});

async function rewriteTo(identifier: Table['identifier'], snapshotId: bigint): Promise<void> {
  const transaction = warehouse.tables.transaction();
  transaction.change(identifier, rollback(snapshotId));
  await transaction.commit();
}

/** The file's header, and one block of so many zeros, deflated. */
function bomb(container: Buffer, size: number, records = Math.floor(size / 10)): Uint8Array {
  const sync = container.subarray(-16);
  const header = container.subarray(0, container.indexOf(sync) + 16);
  const packed = deflateRawSync(Buffer.alloc(size));
  return Buffer.concat([header, zigzag(records), zigzag(packed.byteLength), packed, sync]);
}

function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = BigInt(value) << 1n;
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Buffer.from([...bytes, Number(rest)]);
}
