import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Catalog, CatalogChange } from '../../src/catalog/catalog.ts';
import { IcecoreError } from '../../src/errors.ts';
import { parseIdentifier, type TableIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSnapshot } from '../../src/iceberg/metadata.ts';
import { applyUpdates } from '../../src/iceberg/metadata-update.ts';
import { neverExpiresMs } from '../../src/iceberg/snapshot.ts';
import { newSnapshotId } from '../../src/iceberg/snapshot-id.ts';
import type { TableRequirement, TableUpdate } from '../../src/iceberg/table-update.ts';
import { type ForeignCommit, foreignCommit, isCreation } from '../../src/tables/actions/foreign-commit.ts';
import { pinSnapshot } from '../../src/tables/actions/pin-snapshot.ts';
import { setProperties } from '../../src/tables/actions/set-properties.ts';
import { pinProperty } from '../../src/tables/pin.ts';
import type { Table } from '../../src/tables/table.ts';
import { Tables } from '../../src/tables/tables.ts';
import { one, Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

let named = 0;
let name = '';
beforeEach(() => {
  named += 1;
  name = `raw.t${named}`;
});

const columns = [{ name: 'id', type: 'long' }] as const;
const setColour = (colour: string): TableUpdate => ({ action: 'set-properties', updates: { colour } });

async function commit(table: string, change: Partial<ForeignCommit>, tables = warehouse.tables): Promise<Table> {
  const transaction = tables.transaction();
  transaction.change(parseIdentifier(table), foreignCommit({ requirements: [], updates: [], ...change }));
  return one((await transaction.commit()).tables);
}

/** Updates that add a snapshot with the files of the current one, as another engine's append would. */
function nextSnapshot(table: Table, branch = 'main'): readonly TableUpdate[] {
  const parent = currentSnapshot(table.metadata);
  if (parent === undefined) throw new Error('the table has no snapshot yet');
  const snapshotId = newSnapshotId();
  const snapshot = {
    ...parent,
    snapshotId,
    parentSnapshotId: parent.snapshotId,
    sequenceNumber: table.metadata.lastSequenceNumber + 1n,
    timestampMs: table.metadata.lastUpdatedMs + 1,
  };
  return [
    { action: 'add-snapshot', snapshot },
    { action: 'set-snapshot-ref', refName: branch, ref: { type: 'branch', snapshotId } },
  ];
}

/** Tables over a catalog in which `before` happens once, right before the first commit. */
function racing(before: () => Promise<unknown>): Tables {
  let raced = false;
  const commit = async (change: CatalogChange) => {
    if (!raced) {
      raced = true;
      await before();
    }
    return await warehouse.catalog.commit(change);
  };
  const catalog: Catalog = new Proxy(warehouse.catalog, {
    get: (target, name) => {
      if (name === 'commit') return commit;
      const member: unknown = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  return new Tables({ ...warehouse.tables, catalog });
}

test('every commit writes a metadata file of its own, and the one before enters the log', async () => {
  const first = await warehouse.create(name, { columns });
  const second = await commit(name, {
    requirements: [{ type: 'assert-table-uuid', uuid: first.uuid }],
    updates: [setColour('red')],
  });
  expect(second.metadataLocation).toMatch(/\/metadata\/00001-[0-9a-f-]{36}\.metadata\.json$/);
  expect(second.metadata.metadataLog.map((entry) => entry.metadataFile)).toEqual([first.metadataLocation]);
  expect((await warehouse.load(name)).metadata.properties.colour).toBe('red');
});

test('a lost race is repeated where the requirements still hold', async () => {
  const table = await warehouse.create(name, { columns });
  const tables = racing(() => commit(name, { updates: [{ action: 'set-properties', updates: { other: 'yes' } }] }));
  const after = await commit(
    name,
    { requirements: [{ type: 'assert-table-uuid', uuid: table.uuid }], updates: [setColour('blue')] },
    tables,
  );
  expect(after.metadata.properties).toMatchObject({ colour: 'blue', other: 'yes' });
  expect(after.metadata.metadataLog).toHaveLength(2);
  expect(await filesOf(after)).toHaveLength(3);
});

test('a lost race after which a requirement fails is the client’s to see, and leaves nothing', async () => {
  await warehouse.create(name, { columns });
  const table = await warehouse.append(name, 'SELECT 1 AS id');
  const head = table.metadata.currentSnapshotId;
  const requirements: readonly TableRequirement[] = [{ type: 'assert-ref-snapshot-id', ref: 'main', snapshotId: head }];
  const tables = racing(() => commit(name, { requirements, updates: nextSnapshot(table) }));
  const late = commit(name, { requirements, updates: nextSnapshot(table) }, tables);
  await expect(late).rejects.toMatchObject({
    code: 'CONFLICT',
    message: expect.stringMatching(/^Requirement failed: branch main has changed: expected id \d+ != \d+$/),
  });
  expect(await filesOf(table)).toHaveLength(3);
});

test('a snapshot with a stale sequence number is a conflict, whatever branch it is for', async () => {
  await warehouse.create(name, { columns });
  const table = await warehouse.append(name, 'SELECT 1 AS id');
  await warehouse.append(name, 'SELECT 2 AS id');
  await expect(commit(name, { updates: nextSnapshot(table, 'audit') })).rejects.toMatchObject({
    code: 'CONFLICT',
    retryable: true,
    message: expect.stringContaining('sequence number'),
  });
});

test('a commit to a table that is not there says so', async () => {
  await expect(commit('raw.none', { updates: [setColour('red')] })).rejects.toMatchObject({
    code: 'NOT_FOUND',
    context: { table: 'raw.none', missing: 'table' },
  });
});

test('updates that change nothing write nothing', async () => {
  const table = await warehouse.create(name, { columns });
  const schema = table.metadata.schemas[0];
  if (schema === undefined) throw new Error('no schema');
  const updates: readonly TableUpdate[] = [
    { action: 'assign-uuid', uuid: table.uuid },
    { action: 'upgrade-format-version', formatVersion: 2 },
    { action: 'add-schema', schema },
    { action: 'set-current-schema', schemaId: -1 },
    { action: 'set-location', location: table.metadata.location },
    { action: 'set-properties', updates: {} },
    { action: 'remove-properties', removals: [] },
    { action: 'remove-snapshot-ref', refName: 'none' },
  ];
  expect((await commit(name, { updates })).metadataLocation).toBe(table.metadataLocation);
});

test('metadata files beyond the log are removed where the table wants it', async () => {
  await warehouse.create(name, {
    columns,
    properties: { 'write.metadata.delete-after-commit.enabled': 'true', 'write.metadata.previous-versions-max': '2' },
  });
  for (const colour of ['red', 'green', 'blue', 'white']) await commit(name, { updates: [setColour(colour)] });
  const table = await warehouse.load(name);
  expect(table.metadata.metadataLog).toHaveLength(2);
  const kept = [...table.metadata.metadataLog.map((entry) => entry.metadataFile), table.metadataLocation];
  expect((await filesOf(table)).toSorted()).toEqual(kept.toSorted());
});

test('many tables are committed together or not at all', async () => {
  const names = Array.from({ length: 5 }, (_, index) => `raw.many${named}_${index}`);
  for (const each of names) await warehouse.create(each, { columns });
  const change = (colour: string, failing?: string) => {
    const transaction = warehouse.tables.transaction();
    for (const each of names) {
      const requirements: readonly TableRequirement[] =
        each === failing ? [{ type: 'assert-current-schema-id', currentSchemaId: 7 }] : [];
      transaction.change(parseIdentifier(each), foreignCommit({ requirements, updates: [setColour(colour)] }));
    }
    transaction.entry({ table: 'icecore.runs', subject: `run/${name}`, row: '{}' });
    return transaction.commit();
  };
  const before = await Promise.all(names.map((each) => warehouse.load(each)));
  for (const failing of [names[0], names[4]]) {
    await expect(change('red', failing)).rejects.toMatchObject({
      code: 'CONFLICT',
      message: 'Requirement failed: current schema changed: expected id 7 != 0',
    });
  }
  expect(await Promise.all(names.map((each) => warehouse.load(each)))).toEqual(before);
  expect(await warehouse.catalog.subjectSeq(`run/${name}`)).toBe(0n);
  for (const table of before) expect(await filesOf(table)).toEqual([table.metadataLocation]);
  const { tables } = await change('green');
  expect(tables.map((table) => table.metadata.properties.colour)).toEqual(names.map(() => 'green'));
});

test('many tables in one commit lose a race on one of them, and all are repeated', async () => {
  const [left, right] = [`${name}_left`, `${name}_right`];
  for (const each of [left, right]) await warehouse.create(each, { columns });
  const tables = racing(() => commit(right, { updates: [{ action: 'set-properties', updates: { other: 'yes' } }] }));
  const transaction = tables.transaction();
  for (const each of [left, right]) {
    transaction.change(parseIdentifier(each), foreignCommit({ requirements: [], updates: [setColour('red')] }));
  }
  await transaction.commit();
  expect((await warehouse.load(left)).metadata.properties).toMatchObject({ colour: 'red' });
  expect((await warehouse.load(right)).metadata.properties).toMatchObject({ colour: 'red', other: 'yes' });
});

test('a dropped table among many stops them all', async () => {
  const [left, right] = [`${name}_left`, `${name}_right`];
  const kept = await warehouse.create(left, { columns });
  const gone = await warehouse.create(right, { columns });
  const tables = racing(async () => {
    const dropping = warehouse.tables.transaction();
    dropping.drop(gone);
    await dropping.commit();
  });
  const transaction = tables.transaction();
  for (const each of [left, right]) {
    transaction.change(parseIdentifier(each), foreignCommit({ requirements: [], updates: [setColour('red')] }));
  }
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'NOT_FOUND' });
  expect(await warehouse.load(left)).toEqual(kept);
  expect(await filesOf(kept)).toHaveLength(1);
});

test('a creation by updates under assert-create is made once; the second fails the requirement', async () => {
  const source = await warehouse.create(name, { columns });
  const { schemas, partitionSpecs, sortOrders } = source.metadata;
  const updates: readonly TableUpdate[] = [
    { action: 'assign-uuid', uuid: '11111111-1111-4111-8111-111111111111' },
    { action: 'upgrade-format-version', formatVersion: 2 },
    ...schemas.map((schema) => ({ action: 'add-schema', schema }) as const),
    { action: 'set-current-schema', schemaId: -1 },
    ...partitionSpecs.map((spec) => ({ action: 'add-spec', spec }) as const),
    { action: 'set-default-spec', specId: -1 },
    ...sortOrders.map((sortOrder) => ({ action: 'add-sort-order', sortOrder }) as const),
    { action: 'set-default-sort-order', sortOrderId: -1 },
    { action: 'set-location', location: `${source.metadata.location}-made` },
    { action: 'set-properties', updates: { 'format-version': '2', owner: 'ann' } },
  ];
  expect(isCreation({ requirements: [{ type: 'assert-create' }], updates })).toBe(true);
  expect(() =>
    isCreation({ requirements: [{ type: 'assert-create' }, { type: 'assert-default-spec-id', defaultSpecId: 0 }], updates }),
  ).toThrow(/Invalid create requirements/);
  const create = async () => {
    const transaction = warehouse.tables.transaction();
    transaction.createFrom(parseIdentifier(`${name}_made`), applyUpdates(null, updates, Date.now()), { isAsserted: true });
    return one((await transaction.commit()).tables);
  };
  const outcomes = await Promise.allSettled([create(), create()]);
  const made = outcomes.find((outcome) => outcome.status === 'fulfilled')?.value;
  const failed = outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
  expect(made?.uuid).toBe('11111111-1111-4111-8111-111111111111');
  expect(made?.metadata.properties).toEqual({ owner: 'ann' });
  expect(failed).toMatchObject({ code: 'CONFLICT', message: 'Requirement failed: table already exists', retryable: false });
  expect(made === undefined ? [] : await filesOf(made)).toHaveLength(1);
});

test('a table that requires its namespace is not created without it', async () => {
  const transaction = warehouse.tables.transaction();
  const { metadata } = await warehouse.create(name, { columns });
  const target = { ...metadata, tableUuid: crypto.randomUUID(), location: `${metadata.location}-x` };
  transaction.createFrom({ namespace: ['nowhere'], name: 't' }, target, { requireNamespace: true });
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'NOT_FOUND', context: { missing: 'namespace' } });
});

test('a rename keeps uuid, location and metadata file; the old name is free', async () => {
  const table = await warehouse.create(name, { columns });
  const to = parseIdentifier(`${name}_renamed`);
  const transaction = warehouse.tables.transaction();
  transaction.rename(table.identifier, to);
  expect(one((await transaction.commit()).tables)).toEqual({ ...table, identifier: to });
  expect(await warehouse.tables.find(table.identifier)).toBeNull();
  expect(await warehouse.tables.load(to)).toEqual({ ...table, identifier: to });
  expect((await warehouse.tables.findByUuid(table.uuid))?.identifier).toEqual(to);
  const again = await warehouse.create(name, { columns });
  expect(again.metadata.location).not.toBe(table.metadata.location);
});

test('a rename is refused where the name is taken by a table or a view, or its namespace missing', async () => {
  const table = await warehouse.create(name, { columns });
  await warehouse.create(`${name}_taken`, { columns });
  const view = parseIdentifier(`${name}_view`);
  await warehouse.catalog.commit({ views: [{ kind: 'create', identifier: view, uuid: `view-${name}`, to: 'm' }] });
  const rename = (to: TableIdentifier) => {
    const transaction = warehouse.tables.transaction();
    transaction.rename(table.identifier, to, { requireNamespace: true });
    return transaction.commit();
  };
  await expect(rename(parseIdentifier(`${name}_taken`))).rejects.toMatchObject({
    code: 'ALREADY_EXISTS',
    context: { exists: 'table' },
  });
  await expect(rename(view)).rejects.toMatchObject({ code: 'ALREADY_EXISTS', context: { exists: 'view' } });
  await expect(rename(parseIdentifier('nowhere.t'))).rejects.toMatchObject({
    code: 'NOT_FOUND',
    context: { missing: 'namespace' },
  });
  expect(await warehouse.load(name)).toEqual(table);
});

test('a rename that races a commit carries it along', async () => {
  const table = await warehouse.create(name, { columns });
  const tables = racing(() => commit(name, { updates: [setColour('red')] }));
  const transaction = tables.transaction();
  transaction.rename(table.identifier, parseIdentifier(`${name}_renamed`));
  const renamed = one((await transaction.commit()).tables);
  expect(renamed.metadata.properties.colour).toBe('red');
  expect(await filesOf(renamed)).toHaveLength(2);
});

test('an existing metadata file is registered as it is; the next commit counts on from it', async () => {
  const table = await warehouse.create(name, { columns });
  const dropping = warehouse.tables.transaction();
  dropping.drop(table);
  await dropping.commit();
  const transaction = warehouse.tables.transaction();
  transaction.register(parseIdentifier(`${name}_back`), table);
  const back = one((await transaction.commit()).tables);
  expect(back).toEqual({ ...table, identifier: parseIdentifier(`${name}_back`) });
  expect(await filesOf(back)).toEqual([table.metadataLocation]);
  const next = await commit(`${name}_back`, { updates: [setColour('red')] });
  expect(next.metadataLocation).toContain('/00001-');
});

test('a registered table takes a name that is taken only where it is told to', async () => {
  const gone = await warehouse.create(`${name}_gone`, { columns });
  const dropping = warehouse.tables.transaction();
  dropping.drop(gone);
  await dropping.commit();
  await warehouse.create(name, { columns });
  const register = async (overwrites: boolean) => {
    const transaction = warehouse.tables.transaction();
    transaction.register(parseIdentifier(name), gone, { overwrites });
    return one((await transaction.commit()).tables);
  };
  await expect(register(false)).rejects.toMatchObject({ code: 'ALREADY_EXISTS', context: { exists: 'table' } });
  expect((await register(true)).uuid).toBe(gone.uuid);
  expect((await warehouse.load(name)).uuid).toBe(gone.uuid);
});

test('no commit of another engine takes a pin or what it holds away', async () => {
  await warehouse.create(name, { columns });
  const old = await warehouse.append(name, 'SELECT 1 AS id');
  const held = old.metadata.currentSnapshotId ?? 0n;
  const pinning = warehouse.tables.transaction();
  pinning.change(old, pinSnapshot('icecore-held', held));
  await pinning.commit();
  const table = await warehouse.append(name, 'SELECT 2 AS id');
  const now = table.metadata.currentSnapshotId ?? 0n;
  const moved = (ref: object): TableUpdate => ({
    action: 'set-snapshot-ref',
    refName: 'icecore-held',
    ref: { snapshotId: held, type: 'tag', maxRefAgeMs: neverExpiresMs, ...ref },
  });
  const forbidden: readonly TableUpdate[] = [
    { action: 'remove-snapshots', snapshotIds: [held] },
    { action: 'remove-snapshot-ref', refName: 'icecore-held' },
    moved({ snapshotId: now }),
    moved({ maxRefAgeMs: 1n }),
    { action: 'remove-properties', removals: [pinProperty('icecore-held')] },
    { action: 'set-properties', updates: { [pinProperty('icecore-held')]: '[]' } },
    { action: 'set-properties', updates: { [pinProperty('forged')]: '[]' } },
  ];
  for (const update of forbidden) {
    const error = await commit(name, { updates: [setColour('red'), update] }).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(IcecoreError);
    expect(error).toMatchObject({ code: 'PINNED', message: expect.stringMatching(/icecore-held|forged/) });
  }
  const head = table.metadata.snapshots.at(-1);
  if (head === undefined) throw new Error('the table has no snapshot');
  const swapped: readonly TableUpdate[] = [
    { action: 'remove-snapshots', snapshotIds: [held] },
    { action: 'add-snapshot', snapshot: { ...head, snapshotId: held, sequenceNumber: head.sequenceNumber + 1n } },
    moved({}),
  ];
  await expect(commit(name, { updates: swapped })).rejects.toMatchObject({ code: 'PINNED' });
  expect(await warehouse.load(name)).toEqual(table);
  // What is put back as it was takes nothing away, and other snapshots are nobody's.
  await commit(name, { updates: [moved({}), setColour('red'), ...nextSnapshot(table)] });
  await commit(name, { updates: [{ action: 'remove-snapshots', snapshotIds: [now] }] });
  const after = await warehouse.load(name);
  expect(after.metadata.refs['icecore-held']?.snapshotId).toBe(held);
  expect(after.metadata.properties[pinProperty('icecore-held')]).toContain(
    `"toMs":${String(after.metadata.snapshots[0]?.timestampMs).slice(0, 6)}`,
  );
});

test('the partition spec of a pinned snapshot is not taken away, by which it is read', async () => {
  await warehouse.create(name, { columns, partitionBy: [{ column: 'id', transform: 'bucket[4]' }] });
  const table = await warehouse.append(name, 'SELECT 1 AS id');
  const { defaultSpecId } = table.metadata;
  const spec = { specId: -1, fields: [] };
  await commit(name, {
    updates: [
      { action: 'add-spec', spec },
      { action: 'set-default-spec', specId: -1 },
    ],
  });
  const removal = { updates: [{ action: 'remove-partition-specs', specIds: [defaultSpecId] }] } as const;
  const pinning = warehouse.tables.transaction();
  pinning.change(table.identifier, pinSnapshot('icecore-held', table.metadata.currentSnapshotId ?? 0n));
  await pinning.commit();
  await expect(commit(name, removal)).rejects.toMatchObject({ code: 'PINNED', message: expect.stringContaining('icecore-held') });
  expect(await warehouse.rows(name)).toEqual([{ id: '1' }]);
});

test('another engine makes nothing that looks like a pin', async () => {
  await warehouse.create(name, { columns });
  const table = await warehouse.append(name, 'SELECT 1 AS id');
  const snapshotId = table.metadata.currentSnapshotId ?? 0n;
  for (const refName of ['icecore-mine', 'training-set/churn/v1']) {
    const update: TableUpdate = { action: 'set-snapshot-ref', refName, ref: { type: 'tag', snapshotId } };
    await expect(commit(name, { updates: [update] })).rejects.toMatchObject({
      code: 'BAD_USER_INPUT',
      message: expect.stringContaining(refName),
    });
  }
  await commit(name, { updates: [{ action: 'set-snapshot-ref', refName: 'mine', ref: { type: 'tag', snapshotId } }] });
  const properties = { [pinProperty('x')]: 'no list at all' };
  const forged = { ...table.metadata, tableUuid: crypto.randomUUID(), properties };
  expect(() => warehouse.tables.transaction().createFrom(parseIdentifier(`${name}_x`), forged)).toThrow(/icecore\.pin\.x/);
});

test('a pinned table is not dropped, nor overwritten, and may be renamed', async () => {
  await warehouse.create(name, { columns });
  const table = await warehouse.append(name, 'SELECT 1 AS id');
  const pinning = warehouse.tables.transaction();
  pinning.change(table, pinSnapshot('icecore-held', 'current'));
  const pinned = one((await pinning.commit()).tables);
  const overwriting = warehouse.tables.transaction();
  const other = await warehouse.create(`${name}_other`, { columns });
  overwriting.register(pinned.identifier, { ...other, metadata: other.metadata }, { overwrites: true });
  await expect(overwriting.commit()).rejects.toMatchObject({ code: 'PINNED' });
  const renaming = warehouse.tables.transaction();
  renaming.rename(pinned, parseIdentifier(`${name}_renamed`));
  expect(one((await renaming.commit()).tables).metadata).toEqual(pinned.metadata);
});

test('commits of another engine and of Icecore at once lose nothing', async () => {
  await warehouse.create(name, { columns });
  await Promise.all(
    Array.from({ length: 10 }, async (_, index) => {
      if (index % 2 === 0)
        return await commit(name, { updates: [{ action: 'set-properties', updates: { [`p${index}`]: 'x' } }] });
      const transaction = warehouse.tables.transaction();
      transaction.change(parseIdentifier(name), setProperties({ [`p${index}`]: 'x' }));
      return one((await transaction.commit()).tables);
    }),
  );
  const { properties } = (await warehouse.load(name)).metadata;
  expect(Object.keys(properties).filter((key) => /^p\d$/.test(key))).toHaveLength(10);
});

async function filesOf(table: Table): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { location } of warehouse.tables.storage.list(`${table.metadata.location}/metadata`)) {
    if (location.endsWith('.metadata.json')) found.push(location);
  }
  return found;
}
