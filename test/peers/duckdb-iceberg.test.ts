import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { DemoStore } from './demo-store.ts';
import { everyTypeTable } from './every-type.ts';
import { expectSameRows, type PeerReader } from './same-rows.ts';

const lock = new URL('../python/duckdb.lock', import.meta.url).pathname;

describeWith(['python3'], "DuckDB's iceberg extension", () => {
  let store: DemoStore;
  let reader: PeerReader;
  beforeAll(async () => {
    reader = { name: 'duckdb', python: pythonEnvironment(lock), script: 'table_rows.py', argument: 'duckdb' };
    store = await DemoStore.make();
  });
  afterAll(() => store?.close());

  test('reads every table that the demo leaves, icecore.* included, with the rows that Icecore gives', async () => {
    const names = store.tables.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining(['raw.flights', 'training.late_departures', 'predictions.flight_late']));
    expect(names.filter((name) => name.startsWith('icecore.'))).not.toEqual([]);
    await expectSameRows(store, reader, store.currentTables());
  });

  test('reads tables at each snapshot of their logs', async () => {
    const tables = ['raw.flights', 'icecore.runs', everyTypeTable].flatMap((name) => store.history(name));
    expect(tables.length).toBeGreaterThan(4);
    await expectSameRows(store, reader, tables);
  });
});
