import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { readRows } from '../../src/tables/row-page.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

/** DuckDB takes some of these for patterns; some mean something in paths, in SQL or in URLs. */
const parts = ['a*b', '[x]', '{a,b}', 'a?b', 'axb', 'x', "it's", '"q"', '..', '.', 'a/b', 'ä', '%2e', 'a\\b', ''];

test.for(['', '/odd [a]*{b}?'])(
  'partitions of any name, in a table at "%s", are written, read, marked and compacted each for itself',
  async (place) => {
    const name = `raw.odd_${place.length}`;
    const identifier = parseIdentifier(name);
    await warehouse.create(name, {
      columns: [
        { name: 'id', type: 'long' },
        { name: 'part', type: 'string' },
      ],
      partitionBy: [{ column: 'part', transform: 'identity' }],
      properties: { 'write.delete.mode': 'merge-on-read' },
      ...(place === '' ? {} : { location: `${warehouse.tables.warehouse}${place}` }),
    });
    for (const from of [0, 100]) {
      const json = parts.map((part, id) => ({ id: id + from, part }));
      await writeRows(warehouse.tables, { identifier, rows: { json }, mode: 'APPEND' });
    }
    const read = async () => {
      const { rows } = await readRows(warehouse.tables, await warehouse.load(name), { first: 1000 });
      return rows.map(({ id, part }) => `${id} ${part}`).toSorted();
    };
    const expected = (from: number) => parts.map((part, id) => `${id + from} ${part}`);
    expect(await read()).toEqual([...expected(0), ...expected(100)].toSorted());
    await writeRows(warehouse.tables, {
      identifier,
      rows: { json: parts.map((_part, id) => ({ id })) },
      mode: 'DELETE',
      keys: ['id'],
    });
    expect(await read()).toEqual(expected(100).toSorted());
    await compactTable(warehouse.tables, { identifier });
    expect(await read()).toEqual(expected(100).toSorted());
  },
);
