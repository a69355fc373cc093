import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ManualClock } from '../../src/clock.ts';
import { IcebergLedgerStore } from '../../src/ledger/iceberg-ledger-store.ts';
import { Ledger } from '../../src/ledger/ledger.ts';
import { journalRetentionMs, ledgerFlushRowsMax } from '../../src/limits.ts';
import { Warehouse } from '../tables/warehouse.ts';
import { type Note, note, noteLog, notes } from './notes-table.ts';

describe('the ledger over Iceberg tables', () => {
  let clock: ManualClock;
  let warehouse: Warehouse;
  const ledgers: Ledger[] = [];

  beforeEach(async () => {
    clock = new ManualClock(1_700_000_000_000_000n);
    warehouse = await Warehouse.open(clock);
  });
  afterEach(async () => {
    for (const ledger of ledgers.splice(0)) await ledger.close();
    await warehouse.close();
  });

  const open = async (index: string, flushIntervalMs: number | null = null): Promise<Ledger> => {
    const ledger = await Ledger.open({
      catalog: warehouse.catalog,
      store: new IcebergLedgerStore(warehouse.tables),
      indexDirectory: join(warehouse.directory, index),
      tables: [notes, noteLog],
      flushIntervalMs,
    });
    ledgers.push(ledger);
    return ledger;
  };
  const add = async (ledger: Ledger, ...rows: readonly Note[]) => {
    for (const row of rows)
      await warehouse.catalog.commit({ entries: [notes, noteLog].map((table) => ledger.draft(table, row)) });
  };
  const full = note('full', {
    at: 1_700_000_000_123_456n,
    weight: Number.NaN,
    done: true,
    count: -(2n ** 63n),
    marks: [
      { name: 'big', value: 2n ** 63n - 1n },
      { name: 'none', value: null },
    ],
    tags: { 'ä "quoted"': 'ö', empty: '' },
  });

  test('rows move to Iceberg and come back as they were, in an index of their own', async () => {
    const ledger = await open('first');
    await add(ledger, note('a'), full, note('a', { count: 2n }));
    await ledger.flush();
    expect(await warehouse.catalog.pendingTables()).toEqual([]);
    clock.advance(BigInt(journalRetentionMs) * 2000n);
    await warehouse.catalog.trim(journalRetentionMs);
    await add(ledger, note('b'));
    const fresh = await open('fresh');
    expect(await fresh.select(notes, { orderBy: 'id' })).toEqual([note('a', { count: 2n }), note('b'), full]);
    expect((await fresh.select(noteLog)).map((row) => [row.id, row.count])).toEqual([
      ['a', 0n],
      ['full', -(2n ** 63n)],
      ['a', 2n],
      ['b', 0n],
    ]);
    expect(await warehouse.rows('icecore.notes', 'SELECT id, count FROM t ORDER BY id')).toEqual([
      { id: 'a', count: '2' },
      { id: 'full', count: (-(2n ** 63n)).toString() },
    ]);
  });

  test('an index that fell behind what the journal still has catches up from the tables', async () => {
    const ledger = await open('first');
    const behind = await open('behind');
    await add(ledger, note('a'));
    expect(await behind.count(notes)).toBe(1n);
    await add(ledger, note('a', { count: 7n }), note('c'));
    await ledger.flush();
    clock.advance(BigInt(journalRetentionMs) * 2000n);
    await warehouse.catalog.trim(journalRetentionMs);
    expect((await behind.select(notes)).map((row) => row.count)).toEqual([7n, 0n]);
    expect(await behind.count(noteLog)).toBe(3n);
  });

  test('a newer version’s columns are added, and rows from before have no value for them', async () => {
    const ledger = await open('first');
    await add(ledger, note('a'));
    await ledger.flush();
    const more = {
      ...notes,
      columns: [...notes.columns, { name: 'colour', type: 'string', required: false, doc: 'Its colour' }],
    };
    const opening = () =>
      Ledger.open({
        catalog: warehouse.catalog,
        store: new IcebergLedgerStore(warehouse.tables),
        indexDirectory: join(warehouse.directory, 'newer'),
        tables: [more, noteLog],
        flushIntervalMs: null,
      });
    const [newer, other] = await Promise.all([opening(), opening()]);
    ledgers.push(newer, other);
    const blue: Note & { readonly colour: string } = { ...note('b'), colour: 'blue' };
    await warehouse.catalog.commit({ entries: [newer.draft(more, blue)] });
    await newer.flush();
    expect(await newer.select(more, { orderBy: 'id' })).toEqual([{ ...note('a'), colour: null }, blue]);
    expect(await warehouse.rows('icecore.notes', 'SELECT id, colour FROM t ORDER BY id')).toEqual([
      { id: 'a', colour: null },
      { id: 'b', colour: 'blue' },
    ]);
  });

  test('two flushers and a stream of commits: every row once, the newest of each key', async () => {
    const [first, second] = [await open('first', 20), await open('second', 20)];
    const ids = Array.from({ length: 60 }, (_, index) => index);
    for (const index of ids) {
      await add(first, note(`n${index % 7}`, { count: BigInt(index) }));
    }
    await Promise.all([first.flush(), second.flush()]);
    expect(
      await warehouse.rows('icecore.note_log', 'SELECT count(*) AS rows, count(DISTINCT journal_seq) AS seqs FROM t'),
    ).toEqual([{ rows: '60', seqs: '60' }]);
    expect(await warehouse.rows('icecore.notes', 'SELECT id, count FROM t ORDER BY id')).toEqual(
      Array.from({ length: 7 }, (_, key) => ({
        id: `n${key}`,
        count: String(Math.max(...ids.filter((index) => index % 7 === key))),
      })),
    );
  });

  test('a long journal moves in parts, each within its lease, and every row once', async () => {
    const ledger = await open('first');
    const rows = Array.from({ length: ledgerFlushRowsMax + 1 }, (_, index) => note(`n${index}`, { count: BigInt(index) }));
    await warehouse.catalog.commit({ entries: rows.map((row) => ledger.draft(noteLog, row)) });
    await ledger.flush();
    expect(await warehouse.catalog.pendingTables()).toEqual([]);
    const { metadata } = await warehouse.load('icecore.note_log');
    expect(metadata.snapshots.map(({ summary }) => summary['added-records'])).toEqual([String(ledgerFlushRowsMax), '1']);
    expect(
      await warehouse.rows('icecore.note_log', 'SELECT count(*) AS rows, count(DISTINCT journal_seq) AS seqs FROM t'),
    ).toEqual([{ rows: String(rows.length), seqs: String(rows.length) }]);
  });

  test('a flush that lost its lease moves nothing', async () => {
    const ledger = await open('first');
    await add(ledger, note('a'));
    const fence = await warehouse.catalog.acquireLease('ledger/flush', 'other', 1000);
    const { entries } = await warehouse.catalog.systemTable(noteLog.name, { namespace: ['icecore'], name: 'note_log' });
    const store = new IcebergLedgerStore(warehouse.tables);
    await expect(store.flush(noteLog, entries, { lease: 'ledger/flush', fence: (fence ?? 0n) + 1n })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    await warehouse.catalog.releaseLease('ledger/flush', 'other', fence ?? 0n);
    await ledger.flush();
    expect(await warehouse.rows('icecore.note_log', 'SELECT count(*) AS rows FROM t')).toEqual([{ rows: '1' }]);
  });

  test('small files are merged and old snapshots go, and no row is lost', async () => {
    const ledger = await open('first');
    const store = new IcebergLedgerStore(warehouse.tables);
    for (let index = 0; index < 60; index++) {
      await add(ledger, note(`n${index}`));
      await ledger.flush();
      clock.advance(3600_000_000n);
    }
    const before = await warehouse.load('icecore.note_log');
    const fence = (await warehouse.catalog.acquireLease('ledger/flush', 'test', 60_000)) ?? 0n;
    for (const table of [notes, noteLog]) await store.tidy(table, { lease: 'ledger/flush', fence });
    await warehouse.catalog.releaseLease('ledger/flush', 'test', fence);
    const after = await warehouse.load('icecore.note_log');
    expect(after.metadata.snapshots.length).toBeLessThan(before.metadata.snapshots.length);
    expect(await warehouse.rows('icecore.note_log', 'SELECT count(DISTINCT id) AS rows FROM t')).toEqual([{ rows: '60' }]);
    expect(await (await open('fresh')).count(notes)).toBe(60n);
  });
});
