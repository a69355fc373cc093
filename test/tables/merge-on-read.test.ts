import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'int' },
  { name: 'part', type: 'string' },
  { name: 'value', type: 'int' },
];
const properties = { 'write.delete.mode': 'merge-on-read', 'write.merge.mode': 'merge-on-read' };
const ids = fc.uniqueArray(fc.nat(20), { minLength: 1, maxLength: 8 });
const step = fc.record({ kind: fc.constantFrom('UPSERT' as const, 'DELETE' as const, 'COMPACT' as const), ids });

let tables = 0;

async function planOf(name: string) {
  const { metadata } = await warehouse.load(name);
  const plan = await planSnapshot(warehouse.tables.files, metadata, currentSnapshot(metadata) ?? null, {
    schema: currentSchema(metadata),
  });
  return plan.tasks;
}

describe.each([2, 3] as const)('merge on read in format version %i', (formatVersion) => {
  test('ends where a model ends, whatever was upserted, deleted and compacted', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 8 }), async (steps) => {
        const name = `raw.marked_${tables++}`;
        const identifier = parseIdentifier(name);
        await warehouse.create(name, {
          columns,
          partitionBy: [{ column: 'part', transform: 'identity' }],
          formatVersion,
          properties,
        });
        const model = new Map<number, number>();
        for (const [at, change] of steps.entries()) {
          if (change.kind === 'COMPACT') await compactTable(warehouse.tables, { identifier });
          else {
            const json = change.ids.map((id) => (change.kind === 'DELETE' ? { id } : { id, part: `p${id % 2}`, value: at }));
            const outcome = await writeRows(warehouse.tables, { identifier, rows: { json }, mode: change.kind, keys: ['id'] });
            expect(outcome.rowsRemoved).toBe(BigInt(change.ids.filter((id) => model.has(id)).length));
            for (const id of change.ids) {
              if (change.kind === 'DELETE') model.delete(id);
              else model.set(id, at);
            }
          }
          const rows = await warehouse.rows(name, 'SELECT id, value FROM t ORDER BY id');
          expect(rows).toEqual([...model].toSorted(([a], [b]) => a - b).map(([id, value]) => ({ id, value })));
          if (formatVersion === 2) continue;
          // A data file has one vector at most.
          for (const { deletes } of await planOf(name)) expect(deletes.length).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 12 },
    );
  });

  test('writes no data file anew, and says in the summary what it did', async () => {
    const name = `raw.kept_${formatVersion}`;
    const identifier = parseIdentifier(name);
    await warehouse.create(name, { columns, formatVersion, properties });
    await warehouse.append(name, `SELECT i::INT AS id, 'p' AS part, 0 AS value FROM range(100) r(i)`);
    const [before] = await planOf(name);
    const { snapshot } = await writeRows(warehouse.tables, {
      identifier,
      rows: { json: [{ id: 3 }, { id: 50 }] },
      mode: 'DELETE',
      keys: ['id'],
    });
    const [after] = await planOf(name);
    expect(after?.file.filePath).toBe(before?.file.filePath);
    expect(after?.deletes.map(({ fileFormat }) => fileFormat)).toEqual([formatVersion === 3 ? 'puffin' : 'parquet']);
    expect(snapshot.summary).toMatchObject({
      operation: 'delete',
      'added-delete-files': '1',
      'added-position-deletes': '2',
      'total-records': '100',
      'total-position-deletes': '2',
      ...(formatVersion === 3 ? { 'added-dvs': '1' } : { 'added-position-delete-files': '1' }),
    });
    expect(await warehouse.rows(name, 'SELECT count(*)::INT n FROM t WHERE id NOT IN (3, 50)')).toEqual([{ n: 98 }]);
  });
});
