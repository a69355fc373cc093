import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../../src/iceberg/identifier.ts';
import { compactTable } from '../../../src/tables/compact-table.ts';
import { writeRows } from '../../../src/tables/write-rows.ts';
import { FeedTables } from '../feed/feed-table.ts';

let world: FeedTables;
beforeAll(async () => {
  world = await FeedTables.open();
});
afterAll(() => world.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'part', type: 'string' },
  { name: 'value', type: 'double' },
];

const key = fc.nat({ max: 9000 });
const step = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('append' as const), from: key, count: fc.integer({ min: 1, max: 6000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('groups' as const), from: key, count: fc.integer({ min: 1, max: 6000 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('delete' as const), ids: fc.array(key, { minLength: 1, maxLength: 30 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('equality' as const), from: key, count: fc.integer({ min: 1, max: 500 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
);
const literal = fc.nat({ max: 9000 });
const filter = fc.oneof(
  fc.constant(null),
  fc.tuple(fc.constantFrom('<', '>=', '=', '<>'), literal).map(([operator, at]) => `id ${operator} ${at}`),
  literal.map((at) => `part = 'p1' AND id > ${at}`),
  literal.map((at) => `value IS NULL OR id < ${at} AND NOT part = 'p2'`),
  fc.constant('isnan(value)'),
  fc.tuple(fc.constantFrom('<', '<=', '>', '>=', '<>'), literal).map(([operator, at]) => `value ${operator} ${at / 3}`),
  fc.constantFrom("part LIKE 'p1%'", "part > 'p0'", 'value IS NOT NULL AND NOT isnan(value)'),
  fc.array(literal, { minLength: 1, maxLength: 4 }).map((all) => `id IN (${all.join(', ')})`),
);
let made = 0;

test('whatever happened to a table, its groups give the rows of one SELECT in its order', async () => {
  const history = fc.record({
    formatVersion: fc.constantFrom(2 as const, 3 as const),
    isParted: fc.boolean(),
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    filters: fc.array(filter, { minLength: 1, maxLength: 3 }),
    asked: fc.shuffledSubarray(['id', 'part', 'value'], { minLength: 1 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ formatVersion, isParted, steps, filters, asked }) => {
      const name = `raw.history_${made++}`;
      const modes = ['delete', 'merge', 'update'].map((verb) => [`write.${verb}.mode`, 'merge-on-read']);
      const partitionBy = isParted ? [{ column: 'part', transform: 'identity' }] : [];
      await world.warehouse.create(name, { columns, formatVersion, partitionBy, properties: Object.fromEntries(modes) });
      for (const each of steps) {
        switch (each.kind) {
          case 'append':
            await world.warehouse.append(name, rows(each.from, each.count, `'p' || range % 3`));
            break;
          case 'groups':
            await world.appendGroups(name, rows(each.from, each.count, "'p0'"), 'id: 1, part: 2, value: 3', {
              partition: isParted ? ['p0'] : [],
            });
            break;
          case 'equality': {
            const local = `${world.warehouse.directory}/equality-${made++}.parquet`;
            const gone = `SELECT range::BIGINT AS id FROM range(${each.from}, ${each.from + each.count})`;
            await world.warehouse.select(`COPY (${gone}) TO '${local}' (FORMAT parquet, FIELD_IDS {id: 1})`);
            const place = { specId: 0, partition: isParted ? ['p0'] : [] };
            await world.appendFile(name, local, { content: 'equality-deletes', equalityIds: [1], recordCount: 1n, ...place });
            break;
          }
          case 'delete': {
            const json = [...new Set(each.ids)].map((id) => ({ id: String(id) }));
            await writeRows(world.warehouse.tables, {
              identifier: parseIdentifier(name),
              rows: { json },
              mode: 'DELETE',
              keys: ['id'],
            });
            break;
          }
          case 'compact':
            await compactTable(world.warehouse.tables, { identifier: parseIdentifier(name) });
        }
      }
      for (const where of filters) {
        const wanted = { columns: asked, ...(where === null ? {} : { where }) };
        const expected = await world.selected(name, wanted);
        expect(await world.cells(name, wanted)).toEqual(expected);
        world.kept = world.restarted();
        const groups = await world.groups(name, wanted);
        expect(groups.matchingRows.reduce((sum, matching) => sum + matching, 0)).toBe(expected[0]?.length ?? 0);
      }
    }),
    { numRuns: 12, seed: 7 },
  );
}, 120_000);

function rows(from: number, count: number, part: string): string {
  return `SELECT range::BIGINT AS id, ${part} AS part,
    CASE WHEN range % 5 = 0 THEN NULL WHEN range % 7 = 0 THEN 'NaN'::DOUBLE ELSE range / 3 END AS value FROM range(${from}, ${from + count})`;
}
