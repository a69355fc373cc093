import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import type { TableMetadata } from '../../src/iceberg/metadata.ts';
import { printMetadata } from '../../src/iceberg/metadata-json.ts';
import type { TableUpdate } from '../../src/iceberg/table-update.ts';
import { allowedLocations } from '../../src/storage/allowed-locations.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import type { TableDefinition } from '../../src/tables/new-table.ts';
import type { Table } from '../../src/tables/table.ts';
import { Tables } from '../../src/tables/tables.ts';
import { one, Warehouse } from './warehouse.ts';

const columns = [{ name: 'id', type: 'long' }];

let warehouse: Warehouse;
let tables: Tables;
let shared: string;

beforeAll(async () => {
  warehouse = await Warehouse.open();
  shared = await mkdtemp(join(tmpdir(), 'icecore-shared-'));
  const root = `file://${warehouse.directory}/warehouse`;
  const storage = new LocalStorage({ roots: [root, shared] });
  tables = new Tables({ ...warehouse.tables, storage, locations: allowedLocations(root, [`file:${shared}`]) });
});

afterAll(async () => {
  await warehouse.close();
  await rm(shared, { recursive: true, force: true });
});

async function create(name: string, definition: Partial<TableDefinition> = {}): Promise<Table> {
  const transaction = tables.transaction();
  transaction.create(parseIdentifier(name), { columns, ...definition });
  return one((await transaction.commit()).tables);
}

async function change(name: string, ...updates: readonly TableUpdate[]): Promise<Table> {
  const transaction = tables.transaction();
  transaction.change(parseIdentifier(name), { name: 'change', apply: async () => ({ updates, requirements: [] }) });
  return one((await transaction.commit()).tables);
}

test('a location is kept as it is written, but for slashes at its end', async () => {
  expect((await create('at.plain', { location: `file:${shared}/at/plain` })).metadata.location).toBe(`file:${shared}/at/plain`);
  expect((await create('at.slash', { location: `${shared}/at/slash/` })).metadata.location).toBe(`${shared}/at/slash`);
  const moved = await change('at.plain', { action: 'set-location', location: `file://${shared}/at/moved//` });
  expect(moved.metadata.location).toBe(`file://${shared}/at/moved`);
  expect(moved.metadataLocation).toMatch(new RegExp(`^file://${shared}/at/moved/metadata/`));
});

test('a table that is created elsewhere is refused, and none of it stays', async () => {
  for (const location of ['/etc/icecore', 'file:///tmp', 's3://bucket/t', `file:${shared}-beside/t`]) {
    await expect(create('at.elsewhere', { location })).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining(`The location of at.elsewhere, ${location}, is outside`),
    });
  }
  for (const location of ['hdfs://nn/t', `file:${shared}/../x`, 'relative/t']) {
    await expect(create('at.elsewhere', { location })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  }
  expect(await tables.find(parseIdentifier('at.elsewhere'))).toBeNull();
});

test('a link that leads out is refused', async () => {
  const outside = await mkdtemp(join(tmpdir(), 'icecore-outside-'));
  await symlink(outside, join(shared, 'link'));
  await expect(create('at.link', { location: `file:${shared}/link/t` })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await create('at.linked');
  await expect(
    change('at.linked', { action: 'set-properties', updates: { 'write.data.path': `${shared}/link/data` } }),
  ).rejects.toMatchObject({ code: 'FORBIDDEN' });
  await rm(outside, { recursive: true });
});

test('every update that names a location is judged', async () => {
  const before = await create('at.updated');
  const snapshot = {
    snapshotId: 7n,
    parentSnapshotId: null,
    sequenceNumber: 1n,
    timestampMs: before.metadata.lastUpdatedMs + 1,
    manifestList: '/etc/passwd',
    summary: { operation: 'append' },
    schemaId: 0,
  };
  const statistics = { snapshotId: 7n, json: { 'snapshot-id': 7n, 'statistics-path': 's3://elsewhere/x.puffin' } };
  const updates: readonly TableUpdate[] = [
    { action: 'set-location', location: '/etc' },
    ...['write.data.path', 'write.metadata.path', 'write.object-storage.path', 'write.folder-storage.path'].map(
      (property): TableUpdate => ({ action: 'set-properties', updates: { other: 'x', [property]: 'file:/etc/x' } }),
    ),
    { action: 'add-snapshot', snapshot },
    { action: 'add-snapshot', snapshot: { ...snapshot, manifestList: '', manifests: ['/etc/passwd'] } },
    { action: 'set-statistics', file: statistics },
    { action: 'set-partition-statistics', file: statistics },
  ];
  for (const update of updates) {
    await expect(change('at.updated', update), JSON.stringify(update.action)).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringMatching(/ of at\.updated, .*ICECORE_ALLOWED_LOCATIONS/),
    });
  }
  await expect(create('at.path', { properties: { 'write.data.path': '/etc/x' } })).rejects.toMatchObject({ code: 'FORBIDDEN' });
  const kept = await change('at.updated', { action: 'set-properties', updates: { 'write.data.path': `file:${shared}/data` } });
  expect(kept.metadata.properties['write.data.path']).toBe(`file:${shared}/data`);
});

test("a table's place is its own: none beside, within or around it", async () => {
  const location = `file:${shared}/taken/deep`;
  await create('taken.first', { location });
  const chosen = await create('taken.chosen');
  await mkdir(join(warehouse.directory, 'warehouse', 'icecore'), { recursive: true });
  for (const other of [
    location,
    `${shared}/taken/deep/`,
    `file://${shared}/taken/deep/data`,
    `file:${shared}/taken`,
    `${chosen.metadata.location}/data`,
    chosen.metadata.location,
    tables.warehouse,
    `${tables.warehouse}/icecore`,
    `${tables.warehouse}/icecore/audit_log/data`,
  ]) {
    await expect(create('taken.second', { location: other }), other).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(change('at.updated', { action: 'set-location', location: other }), other).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  }
  expect((await create('taken.beside', { location: `file:${shared}/taken/deeper` })).metadata.location).toMatch(/deeper$/);
  // One that is there already is what is wrong, not its place.
  await expect(create('taken.first', { location, uuid: randomUUID() })).rejects.toMatchObject({ code: 'ALREADY_EXISTS' });
});

test('a place is free again once its table is gone', async () => {
  const location = `file:${shared}/again`;
  await create('again.first', { location });
  const transaction = tables.transaction();
  transaction.drop(parseIdentifier('again.first'));
  await transaction.commit();
  expect((await create('again.second', { location })).metadata.location).toBe(location);
});

test('what is registered is judged whole', async () => {
  const { metadata } = await create('registered.model');
  const register = async (name: string, changed: Partial<TableMetadata>) => {
    const uuid = randomUUID();
    const from = `file:${shared}/${name}/metadata/00000-${uuid}.metadata.json`;
    const whole = { ...metadata, tableUuid: uuid, location: `file:${shared}/${name}`, ...changed };
    await tables.storage.write(from, Buffer.from(printMetadata(whole)));
    const transaction = tables.transaction();
    transaction.register(parseIdentifier(`registered.${name}`), { metadataLocation: from, metadata: whole });
    return one((await transaction.commit()).tables);
  };
  expect((await register('good', {})).metadata.location).toBe(`file:${shared}/good`);
  const snapshot = { snapshotId: 1n, parentSnapshotId: null, sequenceNumber: 1n, timestampMs: 1, summary: {}, schemaId: 0 };
  const bad: readonly Partial<TableMetadata>[] = [
    { location: 'file:/etc' },
    { location: metadata.location },
    { location: tables.warehouse },
    { properties: { 'write.data.path': '/etc' } },
    { properties: { 's3.signer.uri': 'http://elsewhere' } },
    { snapshots: [{ ...snapshot, manifestList: '/etc/passwd' }] },
    { extra: { statistics: [{ 'snapshot-id': 1, 'statistics-path': '/etc/x.puffin' }] } },
  ];
  for (const [index, changed] of bad.entries()) {
    await expect(register(`bad${index}`, changed), JSON.stringify(Object.keys(changed))).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  }
});

test("a table's properties do not set up those who read it", async () => {
  await create('lure.table');
  for (const property of [
    's3.signer.uri',
    'S3.endpoint',
    'py-io-impl',
    'io-impl',
    'uri',
    'token',
    'header.Authorization',
    'client.region',
  ]) {
    const properties = { [property]: 'http://elsewhere' };
    const refusal = { code: 'FORBIDDEN', message: expect.stringContaining(`The property ${property} of lure.`) };
    await expect(create('lure.other', { properties })).rejects.toMatchObject(refusal);
    await expect(change('lure.table', { action: 'set-properties', updates: properties })).rejects.toMatchObject(refusal);
  }
  const harmless = { owner: 'ada', 'write.format.default': 'parquet', 'icecore.x': 'y', tokens: '7', s3: 'x' };
  expect((await change('lure.table', { action: 'set-properties', updates: harmless })).metadata.properties).toMatchObject(
    harmless,
  );
});

test("a table's log cannot have another table's metadata removed", async () => {
  const victim = await create('log.victim');
  const properties = { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '1' };
  const thief = await create('log.thief', { properties });
  const named = {
    ...thief.metadata,
    metadataLog: [{ metadataFile: victim.metadataLocation, timestampMs: thief.metadata.lastUpdatedMs - 1 }],
  };
  tables.files.keepMetadata(thief.metadataLocation, named, 1000);
  await change('log.thief', { action: 'set-properties', updates: { a: '1' } });
  await change('log.thief', { action: 'set-properties', updates: { a: '2' } });
  expect(await tables.storage.size(victim.metadataLocation)).not.toBeNull();
  expect(await tables.storage.size(thief.metadataLocation)).toBeNull();
});
