import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../../src/iceberg/identifier.ts';
import { evolveSchema } from '../../../src/tables/actions/evolve-schema.ts';
import { writeRows } from '../../../src/tables/write-rows.ts';
import { TrainingFeeds } from '../../../src/training/feed/feed.ts';
import type { Shuffle } from '../../../src/training/feed/feed-input.ts';
import { cellsOf } from '../../parquet/local-parquet.ts';
import { batchTable } from '../opened-feeds.ts';
import { type Asked, FeedTables } from './feed-table.ts';

const name = 'raw.any';
let world: FeedTables;
let feeds: TrainingFeeds;
beforeAll(async () => {
  world = await FeedTables.open();
  const { tables, duckdb, directory } = world.warehouse;
  const none = () => Promise.reject(new Error('There are no training sets here.'));
  feeds = new TrainingFeeds({
    tables,
    duckdb,
    trainingSet: none,
    trainingSetAt: none,
    cacheDirectory: join(directory, 'cache'),
    storage: { warehouse: directory },
    workers: 2,
  });
  const mapping = ['n', 'text', 'part'].map((column, index) => ({ 'field-id': index + 1, names: [column] }));
  await world.warehouse.create(name, {
    columns: [
      { name: 'n', type: 'long' },
      { name: 'text', type: 'string' },
      { name: 'part', type: 'string' },
    ],
    formatVersion: 3,
    properties: { 'schema.name-mapping.default': JSON.stringify(mapping), 'write.delete.mode': 'merge-on-read' },
  });
  const rows = (from: number, to: number) =>
    `SELECT range AS n, CASE WHEN range % 7 = 0 THEN NULL ELSE 'row ' || range END AS text, 'p' || range % 3 AS part FROM range(${from}, ${to})`;
  const ids = 'n: 1, text: 2, part: 3';
  await world.appendGroups(name, rows(0, 5000), ids);
  // Without ids, by SQL.
  await world.appendGroups(name, rows(5000, 9000), '');
  const column = { name: 'added', type: 'uuid', initialDefault: 'f79c3e09-677c-4bbd-a479-3f349cb785e7' };
  await world.change(name, evolveSchema([{ kind: 'add' as const, column }]));
  await world.warehouse.append(name, `SELECT *, uuid() AS added FROM (${rows(9000, 12_000)})`);
  const json = [0, 1, 4999, 5000, 6000, 11_999].map((n) => ({ n: String(n) }));
  await writeRows(world.warehouse.tables, { identifier: parseIdentifier(name), rows: { json }, mode: 'DELETE', keys: ['n'] });
});
afterAll(async () => {
  await feeds.close();
  await world.close();
});

/** The rows of a feed, each as the text of its cells. */
async function fed(asked: Asked): Promise<readonly string[]> {
  const feed = await feeds.open({ source: { table: { name } }, ...asked });
  const rows: string[] = [];
  for await (const batch of feed.batches) {
    const { batches } = await batchTable(feed, batch);
    for (const { data } of batches) rows.push(...transposed(data.children.map(cellsOf)));
  }
  expect(feed.rowsTotal).toBe(BigInt(rows.length));
  return rows;
}

function transposed(columns: readonly (readonly string[])[]): readonly string[] {
  return (columns[0] ?? []).map((_cell, row) => columns.map((cells) => cells[row]).join(' | '));
}

test.each(['NONE', 'WINDOWED', 'FULL'] satisfies Shuffle[])(
  'each live row that matches once, under %s, whatever the files are like',
  async (shuffle) => {
    for (const where of [undefined, "part = 'p1' AND n > 3000", 'text IS NULL OR n > 8000']) {
      const asked: Asked = { shuffle, seed: 3n, batchSize: 700, lanes: 4, ...(where === undefined ? {} : { where }) };
      const expected = transposed(await world.selected(name, asked));
      const rows = await fed(asked);
      if (shuffle === 'NONE') expect(rows).toEqual(expected);
      else expect(rows).not.toEqual(expected);
      expect([...rows].sort()).toEqual([...expected].sort());
    }
  },
);

test('groups that went by SQL are counted, each once', () => {
  const before = feeds.counts;
  expect(before.bySql).toBeGreaterThan(0);
  expect(feeds.groups.sqlDecodes.groups).toBe(before.bySql);
  expect(feeds.groups.sqlDecodes.list().map(({ reason }) => reason)).toEqual(['Columns without field ids']);
});
