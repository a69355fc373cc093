import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import type { LineageRef } from '../../src/lineage/lineage-record.ts';
import { expiryEdges, TableHistory } from '../../src/lineage/table-history.ts';
import { expireSnapshots } from '../../src/tables/actions/expire-snapshots.ts';
import type { Table } from '../../src/tables/table.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from '../tables/warehouse.ts';

let warehouse: Warehouse;
let history: TableHistory;

beforeEach(async () => {
  warehouse = await Warehouse.open();
  history = new TableHistory(warehouse.tables);
  await warehouse.create('raw.flights', { columns: [{ name: 'a', type: 'int' }] });
});
afterEach(() => warehouse.close());

const at = ({ metadata, uuid }: Table, version = metadata.currentSnapshotId): LineageRef => ({
  kind: 'TABLE',
  uuid,
  version: String(version),
  name: 'raw.flights',
});
const write = async (mode: 'APPEND' | 'OVERWRITE' | 'UPSERT', a: number): Promise<LineageRef> => {
  const rows = { json: [{ a }] };
  await writeRows(warehouse.tables, { identifier: parseIdentifier('raw.flights'), rows, mode, keys: ['a'] });
  return at(await warehouse.load('raw.flights'));
};
const parents = async (ref: LineageRef) => (await history.implied([ref], 'UPSTREAM', 10)).map(({ from }) => from);
const followers = async (ref: LineageRef) => (await history.implied([ref], 'DOWNSTREAM', 10)).map(({ to }) => to);

test('a snapshot follows from its parent, one that replaced all rows does not', async () => {
  const [first, second] = [await write('APPEND', 1), await write('UPSERT', 1)];
  const replaced = await write('OVERWRITE', 2);
  const last = await write('APPEND', 3);
  expect(await parents(first)).toEqual([]);
  expect(await parents(second)).toEqual([first]);
  expect(await parents(replaced)).toEqual([]);
  expect(await parents(last)).toEqual([replaced]);
  expect([await followers(first), await followers(second), await followers(replaced)]).toEqual([[second], [], [last]]);
});

test('what expires leaves the same edges behind, a replacement coming from the table as such', async () => {
  const first = await write('APPEND', 1);
  const replaced = await write('OVERWRITE', 2);
  const third = await write('APPEND', 3);
  const table = await warehouse.load('raw.flights');
  const ids = [first, replaced, third].map(({ version }) => BigInt(version ?? 0));
  const whole: LineageRef = { ...first, version: null };
  expect(expiryEdges(table, ids).map(({ from, to }) => [from, to])).toEqual([
    [whole, first],
    [whole, replaced],
    [replaced, third],
  ]);
});

test('expired snapshots, dropped tables and their features are DELETED; what is no table is not its business', async () => {
  const [old, now] = [await write('APPEND', 1), await write('APPEND', 2)];
  const feature: LineageRef = { kind: 'FEATURE', uuid: `${now.uuid}/1`, version: null, name: 'raw.flights.a' };
  const model: LineageRef = { kind: 'MODEL_VERSION', uuid: 'late', version: '1', name: 'late' };
  const refs = [old, now, { ...now, version: null }, feature, model];
  const expired = warehouse.tables.transaction();
  expired.change(
    await warehouse.load('raw.flights'),
    expireSnapshots({ olderThanMs: Date.now() + 1000, keepLast: 1 }, () => undefined),
  );
  await expired.commit();
  expect(await history.states(refs)).toEqual(['DELETED', 'PRESENT', 'PRESENT', 'PRESENT', 'PRESENT']);
  const dropped = warehouse.tables.transaction();
  dropped.drop(await warehouse.load('raw.flights'));
  await dropped.commit();
  expect(await history.states(refs)).toEqual(['DELETED', 'DELETED', 'DELETED', 'DELETED', 'PRESENT']);
});
