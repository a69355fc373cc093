import { afterAll, beforeAll, expect, test } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { Warehouse } from './warehouse.ts';

let warehouse: Warehouse;
beforeAll(async () => {
  warehouse = await Warehouse.open();
});
afterAll(() => warehouse.close());

test('rows of files without a column have its initial default, whatever its type', async () => {
  const name = 'raw.defaults';
  await warehouse.create(name, { columns: [{ name: 'id', type: 'long' }], formatVersion: 3 });
  await warehouse.append(name, 'SELECT 1::BIGINT AS id');
  const defaults = [
    ['a_boolean', 'boolean', true, true],
    ['an_int', 'int', -7, -7],
    ['a_long', 'long', 9223372036854775807n, '9223372036854775807'],
    ['a_double', 'double', 0.1, 0.1],
    ['a_decimal', 'decimal(20, 3)', '-12345.678', '-12345.678'],
    ['a_date', 'date', '1969-12-30', '1969-12-30'],
    ['naive', 'timestamp', '1969-12-31T23:59:59.999999', '1969-12-31 23:59:59.999999'],
    ['zoned', 'timestamptz', '2024-02-29T10:34:56.000001+00:00', '2024-02-29 10:34:56.000001+00'],
    ['a_string', 'string', "it's é", "it's é"],
    ['a_binary', 'binary', '00ff5c41', '\\x00\\xFF\\A'],
    ['a_uuid', 'uuid', 'f79c3e09-677c-4bbd-a479-3f349cb785e7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
  ] as const;
  const transaction = warehouse.tables.transaction();
  const added = defaults.map(([column, type, initialDefault]) => ({
    kind: 'add' as const,
    column: { name: column, type, initialDefault },
  }));
  transaction.change(parseIdentifier(name), evolveSchema(added));
  await transaction.commit();
  const row = Object.fromEntries(defaults.map(([column, , , shown]) => [column, shown]));
  expect(await warehouse.rows(name)).toEqual([{ id: '1', ...row }]);
});
