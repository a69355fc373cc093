import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { currentSchema, currentSnapshot } from '../../src/iceberg/metadata.ts';
import { nanosColumns } from '../../src/tables/parquet-footer.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

async function footer(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  return bytes.subarray(bytes.length - 8 - bytes.readUInt32LE(bytes.length - 8), bytes.length - 8);
}

async function onlyFile(name: string): Promise<string> {
  const { metadata } = await warehouse.load(name);
  const plan = await planSnapshot(warehouse.tables.files, metadata, currentSnapshot(metadata) ?? null, {
    schema: currentSchema(metadata),
  });
  return fileURLToPath(plan.tasks[0]?.file.filePath ?? '');
}

test('instants of nanoseconds are marked as such in their files, nested ones too, and read to the last digit', async () => {
  const name = 'raw.nanos';
  const columns = [
    { name: 'naive', type: 'timestamp_ns' },
    { name: 'zoned', type: 'timestamptz_ns' },
    { name: 'inside', type: 'list<struct<at: timestamptz_ns, text: string>>' },
  ];
  await warehouse.create(name, { columns, formatVersion: 3 });
  const at = 'make_timestamp_ns(1709210096000000001)';
  await warehouse.append(name, `SELECT ${at} AS naive, ${at} AS zoned, [{'at': ${at}, 'text': 't'}] AS inside`);
  const path = await onlyFile(name);
  expect(nanosColumns(await footer(path)).map(({ fieldId, isInstant }) => ({ fieldId, isInstant }))).toEqual([
    { fieldId: 1, isInstant: false },
    { fieldId: 2, isInstant: true },
    { fieldId: 5, isInstant: true },
  ]);
  const types = await warehouse.select(
    `SELECT DISTINCT typeof(zoned) AS zoned, typeof(naive) AS naive FROM read_parquet('${path}')`,
  );
  expect(types).toEqual([{ zoned: 'TIMESTAMP WITH TIME ZONE', naive: 'TIMESTAMP_NS' }]);
  const rows = await warehouse.rows(
    name,
    'SELECT epoch_ns(naive)::VARCHAR AS naive, epoch_ns(zoned)::VARCHAR AS zoned, epoch_ns(inside[1].at)::VARCHAR AS inside FROM t',
  );
  const nanos = '1709210096000000001';
  expect(rows).toEqual([{ naive: nanos, zoned: nanos, inside: nanos }]);
});

test('a file whose footer is cut off is refused by name', async () => {
  const name = 'raw.broken_nanos';
  await warehouse.create(name, { columns: [{ name: 'zoned', type: 'timestamptz_ns' }], formatVersion: 3 });
  await warehouse.append(name, 'SELECT make_timestamp_ns(1) AS zoned');
  const path = await onlyFile(name);
  const bytes = await readFile(path);
  await writeFile(path, Buffer.concat([bytes.subarray(0, 20), bytes.subarray(-8)]));
  await expect(warehouse.rows(name)).rejects.toMatchObject({
    code: 'FAILED_PRECONDITION',
    message: expect.stringContaining('.parquet cannot be read'),
  });
});
