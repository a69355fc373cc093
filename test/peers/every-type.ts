import type { Api } from '../../demo/api.ts';

/** A table with every type of format version 2, nested ones too, written in commits with changes of its schema and partitions between. */
export const everyTypeTable = 'raw.every_type';

const columns = [
  { name: 'id', type: 'long', required: true },
  { name: 'a_boolean', type: 'boolean' },
  { name: 'an_int', type: 'int' },
  { name: 'a_float', type: 'float' },
  { name: 'a_double', type: 'double' },
  { name: 'small_decimal', type: 'decimal(9,2)' },
  { name: 'large_decimal', type: 'decimal(38,10)' },
  { name: 'a_date', type: 'date' },
  { name: 'a_time', type: 'time' },
  { name: 'a_timestamp', type: 'timestamp' },
  { name: 'a_timestamptz', type: 'timestamptz' },
  { name: 'a_string', type: 'string' },
  { name: 'a_uuid', type: 'uuid' },
  { name: 'a_binary', type: 'binary' },
  { name: 'a_list', type: 'list<double>' },
  { name: 'a_map', type: 'map<string, long>' },
  { name: 'a_struct', type: 'struct<name: string, at: timestamp, tags: list<string>>' },
];

const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
const alter = 'mutation ($input: AlterTableInput!) { alterTable(input: $input) { table { name } } }';
const write = 'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }';

export async function writeEveryType(api: Api): Promise<void> {
  const partitionBy = [{ column: 'a_date', transform: 'month' }];
  await api.ask(create, { input: { name: everyTypeTable, columns, partitionBy } });
  const append = (json: readonly unknown[]) => api.ask(write, { input: { table: everyTypeTable, rows: { json } } });
  await append([fullRow('1', 0), fullRow('-9223372036854775808', 1), { id: '3' }]);
  await api.ask(alter, {
    input: {
      name: everyTypeTable,
      changes: [
        { addColumn: { name: 'added', type: 'string' } },
        { renameColumn: { from: 'an_int', to: 'a_wider_int' } },
        { widenColumn: { name: 'a_wider_int', type: 'long' } },
        { dropColumn: 'a_boolean' },
        { setPartitioning: [{ column: 'a_string', transform: 'bucket[4]' }] },
      ],
    },
  });
  const { an_int, a_boolean, ...rest } = fullRow('9223372036854775807', 2);
  await append([
    { ...rest, added: 'here', a_wider_int: '5000000000' },
    { id: '5', added: '' },
  ]);
  await api.ask(write, { input: { table: everyTypeTable, mode: 'DELETE', keys: ['id'], rows: { json: [{ id: '3' }] } } });
}

function fullRow(id: string, nth: number): Record<string, unknown> {
  return {
    id,
    a_boolean: nth % 2 === 0,
    an_int: nth === 0 ? -2147483648 : 2147483647,
    a_float: [0.5, 'NaN', '-Infinity'][nth],
    a_double: ['NaN', 1e300, 'Infinity'][nth],
    small_decimal: ['-1234567.89', '0.00', '9999999.99'][nth],
    large_decimal: ['-1234567890123456789012345678.0123456789', '0.0000000001', '1.0000000000'][nth],
    a_date: ['1969-12-31', '2001-02-28', '2024-02-29'][nth],
    a_time: ['00:00:00', '23:59:59.999999', '12:00:00.000001'][nth],
    a_timestamp: ['1969-12-31T23:59:59.999999', '2001-02-28T00:00:00', '2262-04-11T23:47:16.854775'][nth],
    a_timestamptz: ['1969-12-31T23:59:59.999999Z', '2001-02-28T00:00:00Z', '2024-02-29T12:34:56.000001Z'][nth],
    a_string: ['', "quote ' and né 🛫", 'x'.repeat(300)][nth],
    a_uuid: [
      '00000000-0000-0000-0000-000000000000',
      'f79c3e09-677c-4bbd-a479-3f349cb785e7',
      'ffffffff-ffff-ffff-ffff-ffffffffffff',
    ][nth],
    a_binary: ['', 'AA==', '3q2+7w=='][nth],
    a_list: [[], [1.5, null, -0.25], [1e-9]][nth],
    a_map: [
      [],
      [
        ['one', '1'],
        ['none', null],
      ],
      [['max', '9223372036854775807']],
    ][nth],
    a_struct: [
      { name: null, at: null, tags: null },
      { name: 'ada', at: '2001-02-28T00:00:00.5', tags: ['a', null, ''] },
      { name: '', at: '1969-07-20T20:17:40', tags: [] },
    ][nth],
  };
}
