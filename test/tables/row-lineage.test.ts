import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import { openScan, scanRelation } from '../../src/tables/scan-relation.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

interface Row {
  readonly id: number;
  readonly value: number;
  readonly rowId: bigint;
  readonly updated: bigint;
}

async function rowsOf(name: string): Promise<readonly Row[]> {
  const table = await warehouse.load(name);
  const schema = currentSchema(table.metadata);
  const plan = await planSnapshot(warehouse.tables.files, table.metadata, currentSnapshot(table.metadata) ?? null, { schema });
  const scan = await openScan(warehouse.tables, { table, withLineage: true }, schema, plan);
  try {
    const rows = await warehouse.select(
      `SELECT id, value, _row_id::VARCHAR AS row_id, _last_updated_sequence_number::VARCHAR AS updated FROM ${scan.sql} ORDER BY id`,
    );
    return (rows as readonly Record<string, unknown>[]).map((row) => ({
      id: Number(row.id),
      value: Number(row.value),
      rowId: BigInt(String(row.row_id)),
      updated: BigInt(String(row.updated)),
    }));
  } finally {
    scan.release();
  }
}

type Step = { readonly kind: 'UPSERT' | 'DELETE'; readonly ids: readonly number[] } | { readonly kind: 'COMPACT' };

const ids = fc.uniqueArray(fc.nat(12), { minLength: 1, maxLength: 5 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constantFrom('UPSERT' as const, 'UPSERT' as const, 'DELETE' as const), ids }),
  fc.constant({ kind: 'COMPACT' as const }),
);

const mode = fc.constantFrom('copy-on-write', 'merge-on-read');

let tables = 0;

test('a row keeps its id whatever file it moves to, and knows when it was changed last', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 2, maxLength: 7 }), mode, mode, async (steps, deleteMode, mergeMode) => {
      const name = `raw.lineage_${tables++}`;
      const identifier = parseIdentifier(name);
      await warehouse.create(name, {
        columns: [
          { name: 'id', type: 'int' },
          { name: 'value', type: 'int' },
        ],
        formatVersion: 3,
        properties: { 'write.delete.mode': deleteMode, 'write.merge.mode': mergeMode },
      });
      const model = new Map<number, Row>();
      for (const [at, change] of steps.entries()) {
        const { lastSequenceNumber: before } = (await warehouse.load(name)).metadata;
        if (change.kind === 'COMPACT') await compactTable(warehouse.tables, { identifier });
        else {
          const json = change.ids.map((id) => (change.kind === 'DELETE' ? { id } : { id, value: at }));
          await writeRows(warehouse.tables, { identifier, rows: { json }, mode: change.kind, keys: ['id'] });
        }
        const found = await rowsOf(name);
        const taken = new Set<bigint>([...model.values()].map(({ rowId }) => rowId));
        if (change.kind === 'DELETE') for (const id of change.ids) model.delete(id);
        if (change.kind === 'UPSERT') {
          for (const id of change.ids) {
            const now = found.find((row) => row.id === id);
            const old = model.get(id);
            expect(now).toMatchObject({ value: at, updated: before + 1n });
            if (now === undefined) continue;
            if (old !== undefined) expect(now.rowId).toBe(old.rowId);
            else expect(taken.has(now.rowId)).toBe(false);
            model.set(id, now);
          }
        }
        expect(found).toEqual([...model.values()].toSorted((a, b) => a.id - b.id));
      }
      const rowIds = [...model.values()].map(({ rowId }) => rowId);
      expect(new Set(rowIds).size).toBe(rowIds.length);
      const next = (await warehouse.load(name)).metadata.nextRowId ?? 0n;
      expect(rowIds.every((rowId) => rowId < next)).toBe(true);
    }),
    { numRuns: 20 },
  );
});

test('rows of a table that was upgraded have ids from its first commit in version 3 on', async () => {
  const name = 'raw.upgraded';
  await warehouse.create(name, {
    columns: [
      { name: 'id', type: 'int' },
      { name: 'value', type: 'int' },
    ],
  });
  await warehouse.append(name, 'SELECT i::INT AS id, 0 AS value FROM range(3) r(i)');
  const transaction = warehouse.tables.transaction();
  transaction.change(parseIdentifier(name), {
    name: 'upgrade',
    apply: async () => ({ updates: [{ action: 'upgrade-format-version', formatVersion: 3 }], requirements: [] }),
  });
  await transaction.commit();
  const { metadata } = await warehouse.load(name);
  const none = await scanRelation(warehouse.tables, {
    table: await warehouse.load(name),
    snapshot: currentSnapshot(metadata) ?? null,
    withLineage: true,
  });
  expect(await warehouse.select(`SELECT DISTINCT _row_id, _last_updated_sequence_number FROM ${none.sql}`)).toEqual([
    { _row_id: null, _last_updated_sequence_number: null },
  ]);
  none.release();
  await warehouse.append(name, 'SELECT i::INT AS id, 0 AS value FROM range(3, 5) r(i)');
  const rows = await rowsOf(name);
  expect(rows.map(({ rowId }) => rowId).toSorted((a, b) => Number(a - b))).toEqual([0n, 1n, 2n, 3n, 4n]);
  expect(rows.map(({ updated }) => updated)).toEqual([1n, 1n, 1n, 2n, 2n]);
  await compactTable(warehouse.tables, { identifier: parseIdentifier(name) });
  expect(await rowsOf(name)).toEqual(rows);
});
