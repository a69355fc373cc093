import { afterAll, beforeAll, expect, test } from 'vitest';
import { readRows } from '../../src/tables/row-page.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
  await warehouse.create('raw.flights', {
    columns: [
      { name: 'id', type: 'long', required: true },
      { name: 'filename', type: 'string' },
      { name: 'seen', type: 'timestamptz' },
    ],
    partitionBy: [{ column: 'id', transform: 'bucket[5]' }],
  });
  for (const from of [0, 100]) {
    await warehouse.append(
      'raw.flights',
      `SELECT i AS id, 'f' || i AS filename, make_timestamptz(i * 1000000) AS seen FROM range(${from}, ${from + 100}) r(i)`,
    );
  }
});
afterAll(() => warehouse.close());

async function everyPage(first: number, where?: string) {
  const table = await warehouse.load('raw.flights');
  const ids: string[] = [];
  let after: string | undefined;
  for (;;) {
    const page = await readRows(warehouse.tables, table, {
      first,
      ...(where === undefined ? {} : { where }),
      ...(after === undefined ? {} : { after }),
    });
    expect(page.rows.length).toBeLessThanOrEqual(first);
    ids.push(...page.rows.map((row) => String(row.id)));
    if (!page.hasNextPage) return ids;
    after = page.endCursor ?? undefined;
  }
}

test('pages of any length give every row once, in one order', async () => {
  const whole = await everyPage(1000);
  expect(new Set(whole).size).toBe(200);
  expect(await everyPage(7)).toEqual(whole);
  expect(await everyPage(33)).toEqual(whole);
});

test('a predicate filters rows', async () => {
  const ids = await everyPage(5, "id >= 90 AND id < 110 AND filename <> 'f95'");
  expect(ids.map(Number).toSorted((a, b) => a - b)).toEqual(
    Array.from({ length: 20 }, (_, i) => 90 + i).filter((id) => id !== 95),
  );
});

test('a cursor keeps its snapshot', async () => {
  const before = await warehouse.load('raw.flights');
  const page = await readRows(warehouse.tables, before, { first: 10, select: ['filename', 'id'] });
  expect(Object.keys(page.rows[0] ?? {})).toEqual(['filename', 'id']);
  const now = await warehouse.append('raw.flights', 'SELECT 1000 AS id');
  const next = await readRows(warehouse.tables, now, { first: 1000, after: page.endCursor ?? '' });
  expect(next.rows).toHaveLength(190);
  expect(next.snapshotId).toBe(page.snapshotId);
});

test('what cannot be is refused', async () => {
  const table = await warehouse.load('raw.flights');
  await expect(readRows(warehouse.tables, table, { first: 1001 })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(readRows(warehouse.tables, table, { after: 'nonsense' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(readRows(warehouse.tables, table, { select: ['idd'] })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(readRows(warehouse.tables, table, { where: 'idd = 1' })).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  await expect(readRows(warehouse.tables, table, { asOf: { snapshotId: 7n } })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
