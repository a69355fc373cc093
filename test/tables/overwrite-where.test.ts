import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { overwriteWhere } from '../../src/tables/overwrite-where.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
let made = 0;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

const columns = [
  { name: 'id', type: 'long' },
  { name: 'day', type: 'date' },
  { name: 'value', type: 'int' },
];

async function newTable(formatVersion: 2 | 3 = 2, properties: Readonly<Record<string, string>> = {}): Promise<string> {
  const name = `raw.overwritten_${made++}`;
  await warehouse.create(name, { columns, formatVersion, properties });
  for (const from of [0, 10, 20]) await append(name, from);
  return name;
}

async function append(name: string, from: number): Promise<void> {
  await warehouse.append(
    name,
    `SELECT ${from} + i AS id, DATE '2026-01-01' + i::INT AS day, CASE WHEN i % 3 = 0 THEN NULL ELSE i::INT END AS value FROM range(10) r(i)`,
  );
}

async function paths(name: string): Promise<readonly string[]> {
  const { metadata } = await warehouse.load(name);
  const head = currentSnapshot(metadata) ?? null;
  const { tasks } = await planSnapshot(warehouse.tables.files, metadata, head, { schema: currentSchema(metadata) });
  return tasks.map(({ file }) => file.filePath);
}

async function ids(name: string): Promise<readonly unknown[]> {
  return (await warehouse.rows(name, 'SELECT id::INT AS id FROM t ORDER BY id')).map((row) => Object(row).id);
}

describe('an overwrite by filter', () => {
  test('takes whole files out, writes those anew that match in part, and leaves the others', async () => {
    const name = await newTable();
    const before = await paths(name);
    const { rowsRemoved, rowsAdded, snapshot } = await overwriteWhere(warehouse.tables, {
      identifier: parseIdentifier(name),
      where: 'id >= 15',
      rows: { json: [{ id: 100, day: '2026-02-02', value: 1 }] },
    });
    expect({ rowsRemoved, rowsAdded }).toEqual({ rowsRemoved: 15n, rowsAdded: 1n });
    expect(snapshot.summary).toMatchObject({ operation: 'overwrite', 'deleted-data-files': '2', 'total-records': '16' });
    expect(await ids(name)).toEqual([...Array(15).keys(), 100]);
    const after = await paths(name);
    expect(after).toContain(before[0]);
    expect(after).not.toContain(before[1]);
    expect(after).not.toContain(before[2]);
  });

  test('without rows deletes, and keeps rows of which the predicate is not known', async () => {
    const name = await newTable();
    const { rowsRemoved, snapshot } = await overwriteWhere(warehouse.tables, {
      identifier: parseIdentifier(name),
      where: 'value > 0',
    });
    expect(rowsRemoved).toBe(18n);
    expect(snapshot.summary).toMatchObject({ operation: 'overwrite', 'total-records': '12' });
    const whole = await overwriteWhere(warehouse.tables, { identifier: parseIdentifier(name), where: 'id < 1000' });
    expect(whole.snapshot.summary).toMatchObject({ operation: 'delete', 'total-records': '0' });
    expect(await ids(name)).toEqual([]);
  });

  test('refuses rows that do not satisfy the filter, and changes nothing then', async () => {
    const name = await newTable();
    const rows = { json: [{ id: 3, day: '2026-02-02', value: 1 }] };
    await expect(
      overwriteWhere(warehouse.tables, { identifier: parseIdentifier(name), where: 'id > 5', rows }),
    ).rejects.toMatchObject({ code: 'BAD_USER_INPUT', message: expect.stringContaining('"id > 5"') });
    expect(await ids(name)).toHaveLength(30);
  });

  test.for([2, 3] as const)(
    'leaves the rows that SQL leaves, whatever the filter and deletes before, in version %i',
    async (formatVersion) => {
      const comparison = fc.constantFrom('<', '<=', '=', '>=', '>', '<>');
      const leaf = fc.oneof(
        fc.tuple(comparison, fc.integer({ min: -1, max: 31 })).map(([operator, id]) => `id ${operator} ${id}`),
        fc
          .tuple(comparison, fc.nat(11))
          .map(([operator, day]) => `day ${operator} '2026-01-${String(day + 1).padStart(2, '0')}'`),
        fc.constantFrom('value IS NULL', 'value IS NOT NULL', 'value IN (1, 2, 5)'),
      );
      const filter = fc.oneof(
        leaf,
        fc.tuple(leaf, fc.constantFrom('AND', 'OR'), leaf).map(([a, op, b]) => `${a} ${op} NOT (${b})`),
      );
      const gone = fc.uniqueArray(fc.nat(29), { minLength: 1, maxLength: 12 });
      await fc.assert(
        fc.asyncProperty(filter, gone, async (where, marked) => {
          const name = await newTable(formatVersion, { 'write.delete.mode': 'merge-on-read' });
          const identifier = parseIdentifier(name);
          await writeRows(warehouse.tables, {
            identifier,
            rows: { json: marked.map((id) => ({ id })) },
            mode: 'DELETE',
            keys: ['id'],
          });
          const kept = await warehouse.rows(name, `SELECT * FROM t WHERE (${where}) IS NOT TRUE ORDER BY id`);
          const { rowsRemoved } = await overwriteWhere(warehouse.tables, { identifier, where });
          expect(await warehouse.rows(name, 'SELECT * FROM t ORDER BY id')).toEqual(kept);
          expect(rowsRemoved).toBe(BigInt(30 - marked.length - kept.length));
        }),
        { numRuns: 8 },
      );
    },
  );

  test.for([
    ['serializable', 2],
    ['snapshot', 1],
  ] as const)('under %s isolation is computed %i times where rows of its filter come meanwhile', async ([level, times]) => {
    const name = await newTable(2, { 'write.delete.isolation-level': level });
    const run = async (where: string, from: number) => {
      let computed = 0;
      const record = async () => {
        if (computed++ === 0) await append(name, from);
      };
      await overwriteWhere(warehouse.tables, { identifier: parseIdentifier(name), where, record });
      return computed;
    };
    expect(await run('id BETWEEN 5 AND 7', 100)).toBe(1);
    expect(await run('id BETWEEN 2 AND 12', 5)).toBe(times);
  });

  test('an isolation level that is none is refused by its property', async () => {
    const name = await newTable(2, { 'write.delete.isolation-level': 'none' });
    await expect(overwriteWhere(warehouse.tables, { identifier: parseIdentifier(name), where: 'id = 1' })).rejects.toMatchObject({
      code: 'FAILED_PRECONDITION',
      message: expect.stringContaining('write.delete.isolation-level'),
    });
  });
});
