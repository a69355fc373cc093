import assert from 'node:assert/strict';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSnapshot } from '../../src/iceberg/metadata.ts';
import { type ColumnChange, evolveSchema } from '../../src/tables/actions/evolve-schema.ts';
import { setPartitioning } from '../../src/tables/actions/set-partitioning.ts';
import { setRef } from '../../src/tables/actions/set-ref.ts';
import { compactTable } from '../../src/tables/compact-table.ts';
import type { TableDefinition } from '../../src/tables/new-table.ts';
import type { RowsToWrite } from '../../src/tables/prepared-write.ts';
import type { TableAction } from '../../src/tables/table-action.ts';
import { writeRows } from '../../src/tables/write-rows.ts';
import type { ForeignLake } from './foreign-lake.ts';

/** A feature of the format, shown by a table that Icecore makes. */
export interface OwnFeature {
  readonly feature: string;
  readonly table: string;
  readonly make: (lake: ForeignLake) => Promise<void>;
  /** Has types that Spark 3.5 has not. */
  readonly isUnknownToSpark?: boolean;
  /** What else has to be equal. */
  readonly check?: (lake: ForeignLake) => Promise<void>;
}

async function create(lake: ForeignLake, table: string, definition: TableDefinition): Promise<void> {
  const transaction = lake.tables.transaction();
  transaction.create(parseIdentifier(table), definition);
  await transaction.commit();
}

async function change(lake: ForeignLake, table: string, ...actions: readonly TableAction[]): Promise<void> {
  const transaction = lake.tables.transaction();
  for (const action of actions) transaction.change(parseIdentifier(table), action);
  await transaction.commit();
}

/** Writes the rows of a SELECT. */
async function write(lake: ForeignLake, table: string, select: string, more: Partial<RowsToWrite> = {}): Promise<void> {
  const rows = { relation: async () => `(${select})` };
  await writeRows(lake.tables, { identifier: parseIdentifier(table), rows, mode: 'APPEND', ...more });
}

const columns: TableDefinition['columns'] = [
  { name: 'id', type: 'long', required: true },
  { name: 'a_boolean', type: 'boolean' },
  { name: 'an_int', type: 'int' },
  { name: 'a_float', type: 'float' },
  { name: 'a_double', type: 'double' },
  { name: 'd9', type: 'decimal(9, 2)' },
  { name: 'd18', type: 'decimal(18, 4)' },
  { name: 'd38', type: 'decimal(38, 10)' },
  { name: 'a_date', type: 'date' },
  { name: 'naive', type: 'timestamp' },
  { name: 'zoned', type: 'timestamptz' },
  { name: 'a_string', type: 'string' },
  { name: 'a_binary', type: 'binary' },
  { name: 'point', type: 'struct<x: double, label: string, at: timestamptz>' },
  { name: 'a_list', type: 'list<int>' },
  { name: 'a_map', type: 'map<string, decimal(20, 3)>' },
  { name: 'deep', type: 'list<struct<m: map<long, list<struct<q: float, r: date>>>>>' },
];

const everyRow = `
  SELECT (-9223372036854775808)::BIGINT AS id, true AS a_boolean, (-2147483648)::INT AS an_int, 'NaN'::FLOAT AS a_float, '-Infinity'::DOUBLE AS a_double,
    -9999999.99::DECIMAL(9, 2) AS d9, -99999999999999.9999::DECIMAL(18, 4) AS d18, '-9999999999999999999999999999.9999999999'::DECIMAL(38, 10) AS d38,
    DATE '0001-01-01' AS a_date, TIMESTAMP '0001-01-01 00:00:00' AS naive, TIMESTAMPTZ '0001-01-01 00:00:00+00' AS zoned, '' AS a_string, ''::BLOB AS a_binary,
    {'x': 'NaN'::DOUBLE, 'label': '', 'at': TIMESTAMPTZ '1969-12-31 23:59:59.999999+00'} AS point, []::INT[] AS a_list, MAP {}::MAP(VARCHAR, DECIMAL(20, 3)) AS a_map,
    []::STRUCT(m MAP(BIGINT, STRUCT(q FLOAT, r DATE)[]))[] AS deep
  UNION ALL SELECT 9223372036854775807, false, 2147483647, 'Infinity'::FLOAT, '-0.0'::DOUBLE, 9999999.99, 99999999999999.9999, '9999999999999999999999999999.9999999999'::DECIMAL(38, 10),
    DATE '9999-12-31', TIMESTAMP '9999-12-31 23:59:59.999999', TIMESTAMPTZ '9999-12-31 23:59:59.999999+00', 'a' || chr(0) || chr(65533) || chr(65535) || chr(1114111) || ' é🛫"''', from_hex('00ff7f80'),
    {'x': NULL, 'label': NULL, 'at': NULL}, [1, NULL, -1], MAP {'': 0.001, 'é': NULL}, [NULL, {'m': NULL}, {'m': MAP {1: [NULL, {'q': '-0.0'::FLOAT, 'r': DATE '1969-12-31'}], 2: NULL, 3: []}}]
  UNION ALL SELECT 3, NULL, 0, '-0.0'::FLOAT, 'NaN'::DOUBLE, 0.01, 0.0001, 0.0000000001, DATE '1970-01-01', TIMESTAMP '1969-12-31 23:59:59.999999', TIMESTAMPTZ '1970-01-01 00:00:00+00', repeat('á', 300), from_hex(repeat('ab', 300)), NULL, NULL, NULL, NULL
  UNION ALL SELECT 4, ${Array.from({ length: 16 }, () => 'NULL').join(', ')}`;

function everyType(table: string, formatVersion: 1 | 2 | 3): OwnFeature {
  return {
    feature: `Every type of Spark, nested too: v${formatVersion}`,
    table,
    make: async (lake) => {
      await create(lake, table, { columns, formatVersion });
      await write(lake, table, everyRow);
    },
  };
}

const libraryRow = `SELECT 1::BIGINT AS id, TIME '23:59:59.999999' AS a_time, 'f79c3e09-677c-4bbd-a479-3f349cb785e7'::UUID AS a_uuid, [TIME '00:00:00', NULL] AS times
  UNION ALL SELECT 2, NULL, NULL, NULL UNION ALL SELECT 3, TIME '00:00:00', '00000000-0000-0000-0000-000000000000'::UUID, []`;
const libraryColumns = [
  { name: 'id', type: 'long' },
  { name: 'a_time', type: 'time' },
  { name: 'a_uuid', type: 'uuid' },
  { name: 'times', type: 'list<time>' },
];

/** Upserts, deletes, an overwrite and a compaction, by a table's modes. */
function changed(feature: string, table: string, formatVersion: 1 | 2 | 3, mode: string): OwnFeature {
  return {
    feature,
    table,
    make: async (lake) => {
      await create(lake, table, {
        columns: [
          { name: 'id', type: 'long' },
          { name: 'part', type: 'string' },
          { name: 'value', type: 'double' },
        ],
        partitionBy: [{ column: 'part', transform: 'identity' }],
        formatVersion,
        properties: { 'write.delete.mode': mode, 'write.merge.mode': mode, 'write.update.mode': mode },
      });
      const made = (from: number, to: number, value: string) =>
        `SELECT id, CASE WHEN id % 5 = 0 THEN NULL ELSE 'p' || id % 3 END AS part, ${value}::DOUBLE AS value FROM range(${from}, ${to}) r(id)`;
      const upsert = { mode: 'UPSERT', keys: ['id'] } as const;
      await write(lake, table, made(0, 100, 'id / 4'));
      await write(lake, table, made(90, 110, "'NaN'"), upsert);
      await write(lake, table, 'SELECT id FROM range(0, 100, 7) r(id)', { mode: 'DELETE', keys: ['id'] });
      await write(lake, table, made(5, 25, '-0.0'), upsert);
      await write(lake, table, 'SELECT id FROM range(1, 100, 9) r(id)', { mode: 'DELETE', keys: ['id'] });
    },
    check: async (lake) => {
      if (formatVersion < 3) return;
      const theirs = await lake.sparkRows(`SELECT *, _row_id, _last_updated_sequence_number FROM ${table}`);
      assert.deepEqual(await lake.ourRows(table, { withLineage: true }), theirs);
    },
  };
}

const partitionColumns = [
  { name: 'id', type: 'long' },
  { name: 'i', type: 'int' },
  { name: 'l', type: 'long' },
  { name: 'de', type: 'decimal(12, 3)' },
  { name: 'da', type: 'date' },
  { name: 'naive', type: 'timestamp' },
  { name: 'zoned', type: 'timestamptz' },
  { name: 's', type: 'string' },
  { name: 'b', type: 'binary' },
  { name: 'bo', type: 'boolean' },
];
const partitionRows = `SELECT id, (id - 20)::INT AS i, (id - 20) * 1000000007 AS l, ((id - 20) / 8)::DECIMAL(12, 3) AS de, DATE '1970-01-01' + ((id - 20) * 97)::INT AS da,
    make_timestamp((id - 20) * 2600000000001) AS naive, make_timestamp((id - 20) * 1800000000000 - 1)::TIMESTAMPTZ AS zoned,
    (CASE WHEN id % 2 = 0 THEN 'é🛫' ELSE 'a' END) || id || 'x/y=z&%' AS s, encode(id || 'é') AS b, id % 2 = 0 AS bo FROM range(41) r(id)
  UNION ALL SELECT 100, ${Array.from({ length: 9 }, () => 'NULL').join(', ')}`;

/** Spark prunes by the partition values that Icecore wrote. */
const partitionFilters = [
  'i = -1',
  'i < -3',
  'l >= 0',
  'de > -0.5 AND de < 0.5',
  "da < DATE '1970-01-01'",
  "da = DATE '1970-01-01' OR da IS NULL",
  "naive >= CAST('1969-12-31 00:00:00' AS TIMESTAMP_NTZ) AND naive < CAST('1970-02-01 00:00:00' AS TIMESTAMP_NTZ)",
  "zoned < TIMESTAMP '1969-12-31 23:59:59.999999'",
  "s LIKE 'é%'",
  "s = 'a1x/y=z&%'",
  'bo = true',
];

function partitioned(name: string, fields: readonly (readonly [column: string, transform: string])[]): OwnFeature {
  const table = `foreign.own_by_${name}`;
  return {
    feature: `Partitions by ${fields.map(([column, transform]) => `${transform}(${column})`).join(', ')}`,
    table,
    make: async (lake) => {
      const partitionBy = fields.map(([column, transform]) => ({ column, transform }));
      await create(lake, table, { columns: partitionColumns, partitionBy });
      await write(lake, table, partitionRows);
    },
    check: async (lake) => {
      const all = await lake.sparkRowsWhere(table, partitionFilters);
      for (const [at, filter] of partitionFilters.entries()) {
        assert.deepEqual(await lake.sparkRows(`SELECT * FROM ${table} WHERE ${filter}`), all[at], filter);
      }
    },
  };
}

export const ownFeatures: readonly OwnFeature[] = [
  everyType('foreign.own_types_v1', 1),
  everyType('foreign.own_types_v2', 2),
  everyType('foreign.own_types_v3', 3),
  {
    feature: 'time, uuid: v2',
    table: 'foreign.own_library',
    isUnknownToSpark: true,
    make: async (lake) => {
      await create(lake, 'foreign.own_library', { columns: libraryColumns });
      await write(lake, 'foreign.own_library', libraryRow);
    },
  },
  {
    feature: 'Nanoseconds, unknown: v3',
    table: 'foreign.own_nanos',
    isUnknownToSpark: true,
    make: async (lake) => {
      const table = 'foreign.own_nanos';
      await create(lake, table, {
        columns: [
          { name: 'id', type: 'long' },
          { name: 'nanos', type: 'timestamp_ns' },
          { name: 'zoned', type: 'timestamptz_ns' },
          { name: 'nothing', type: 'unknown' },
        ],
        formatVersion: 3,
      });
      await write(
        lake,
        table,
        'SELECT 1::BIGINT AS id, make_timestamp_ns(-1) AS nanos, make_timestamp_ns(1709210096000000001) AS zoned UNION ALL SELECT 2, NULL, make_timestamp_ns(9223372036854775806)',
      );
    },
  },
  changed('Upserts and deletes, copy-on-write: v2', 'foreign.own_cow', 2, 'copy-on-write'),
  changed('Upserts and deletes, position deletes: v2', 'foreign.own_mor', 2, 'merge-on-read'),
  changed('Upserts and deletes with row lineage, copy-on-write: v3', 'foreign.own_cow_v3', 3, 'copy-on-write'),
  changed('Upserts and deletes with row lineage, deletion vectors: v3', 'foreign.own_mor_v3', 3, 'merge-on-read'),
  partitioned('identity', [
    ['i', 'identity'],
    ['de', 'identity'],
    ['da', 'identity'],
    ['s', 'identity'],
    ['bo', 'identity'],
  ]),
  partitioned('identities', [
    ['l', 'identity'],
    ['naive', 'identity'],
    ['zoned', 'identity'],
    ['b', 'identity'],
  ]),
  partitioned('bucket', [
    ['i', 'bucket[3]'],
    ['l', 'bucket[4]'],
    ['de', 'bucket[3]'],
    ['da', 'bucket[2]'],
  ]),
  partitioned('buckets', [
    ['naive', 'bucket[3]'],
    ['zoned', 'bucket[4]'],
    ['s', 'bucket[3]'],
    ['b', 'bucket[2]'],
  ]),
  partitioned('truncate', [
    ['i', 'truncate[10]'],
    ['l', 'truncate[1000000000]'],
    ['de', 'truncate[500]'],
    ['s', 'truncate[3]'],
    ['b', 'truncate[2]'],
  ]),
  partitioned('calendar', [
    ['da', 'year'],
    ['naive', 'month'],
    ['zoned', 'day'],
  ]),
  partitioned('hours', [
    ['naive', 'hour'],
    ['zoned', 'year'],
    ['da', 'month'],
  ]),
  {
    feature: 'Columns evolved, nested ones too, and partitions; then compaction',
    table: 'foreign.own_evolved',
    make: async (lake) => {
      const table = 'foreign.own_evolved';
      await create(lake, table, {
        columns: [
          { name: 'id', type: 'int' },
          { name: 'gone', type: 'string' },
          { name: 's', type: 'struct<a: int, b: string, inner: struct<x: float>>' },
          { name: 'l', type: 'list<struct<a: int, b: string>>' },
        ],
      });
      await write(
        lake,
        table,
        "SELECT 1::INT AS id, 'old' AS gone, {'a': 1::INT, 'b': 'b', 'inner': {'x': 1.5::FLOAT}} AS s, [{'a': 1::INT, 'b': 'b'}, NULL] AS l",
      );
      const changes: readonly ColumnChange[] = [
        { kind: 'widen', column: 'id', type: 'long' },
        { kind: 'drop', column: 'gone' },
        { kind: 'add', column: { name: 'gone', type: 'int' } },
        { kind: 'drop', column: 's.b' },
        { kind: 'add', column: { name: 's.b', type: 'date' } },
        { kind: 'rename', from: 's.a', to: 'alpha' },
        { kind: 'widen', column: 's.inner.x', type: 'double' },
        { kind: 'add', column: { name: 's.inner.y', type: 'list<string>' } },
        { kind: 'add', column: { name: 'l.element.c', type: 'long' } },
        { kind: 'rename', from: 'l.element.a', to: 'alpha' },
      ];
      await change(lake, table, evolveSchema(changes));
      const now = (id: number) =>
        `SELECT ${id}::BIGINT AS id, 7::INT AS gone, {'alpha': 2::INT, 'inner': {'x': 1e300::DOUBLE, 'y': ['y', NULL]}, 'b': DATE '1969-12-31'} AS s, [{'alpha': 2::INT, 'b': 'n', 'c': 5::BIGINT}] AS l`;
      await write(lake, table, now(2));
      await change(lake, table, setPartitioning([{ column: 'id', transform: 'bucket[2]' }]));
      await write(lake, table, now(5000000000));
      assert.deepEqual(await lake.sparkRows(table), await lake.ourRows(table));
      await compactTable(lake.tables, { identifier: parseIdentifier(table) });
    },
  },
  {
    feature: 'Overwrite, compaction of partitions with deletes, manifests merged',
    table: 'foreign.own_compacted',
    make: async (lake) => {
      const table = 'foreign.own_compacted';
      await create(lake, table, {
        columns: [
          { name: 'id', type: 'long' },
          { name: 'part', type: 'int' },
        ],
        partitionBy: [{ column: 'part', transform: 'identity' }],
        properties: { 'commit.manifest.min-count-to-merge': '2', 'write.delete.mode': 'merge-on-read' },
      });
      const rows = (from: number) => `SELECT id, (id % 2)::INT AS part FROM range(${from}, ${from + 10}) r(id)`;
      for (const from of [0, 10]) await write(lake, table, rows(from));
      await write(lake, table, rows(100), { mode: 'OVERWRITE' });
      for (const from of [110, 120, 130]) await write(lake, table, rows(from));
      await write(lake, table, 'SELECT id FROM range(0, 200, 3) r(id)', { mode: 'DELETE', keys: ['id'] });
      assert.deepEqual(await lake.sparkRows(table), await lake.ourRows(table));
      await compactTable(lake.tables, { identifier: parseIdentifier(table), where: 'part = 1' });
    },
    check: async (lake) => {
      const snapshots = await lake.sparkRows('SELECT CAST(snapshot_id AS STRING) AS id FROM foreign.own_compacted.snapshots');
      for (const row of snapshots) {
        const { id } = JSON.parse(row) as { readonly id: string };
        const theirs = await lake.sparkRows(`SELECT * FROM foreign.own_compacted VERSION AS OF ${id}`);
        assert.deepEqual(await lake.ourRows('foreign.own_compacted', { asOf: { snapshotId: BigInt(id) } }), theirs, id);
        assert.deepEqual(await lake.pyicebergRows('foreign.own_compacted', id), theirs, `PyIceberg at ${id}`);
      }
    },
  },
  {
    feature: 'Branches and tags',
    table: 'foreign.own_branches',
    make: async (lake) => {
      const table = 'foreign.own_branches';
      await create(lake, table, { columns: [{ name: 'id', type: 'long' }] });
      await write(lake, table, 'SELECT 1::BIGINT AS id');
      const { metadata } = await lake.tables.load(parseIdentifier(table));
      const snapshotId = currentSnapshot(metadata)?.snapshotId ?? 0n;
      await change(lake, table, setRef('side', { snapshotId, type: 'branch' }), setRef('first', { snapshotId, type: 'tag' }));
      await write(lake, table, 'SELECT 2::BIGINT AS id', { branch: 'side' });
      await write(lake, table, 'SELECT 3::BIGINT AS id');
    },
    check: async (lake) => {
      for (const ref of ['side', 'first', 'main']) {
        const ours = await lake.ourRows('foreign.own_branches', { asOf: { ref } });
        assert.deepEqual(await lake.sparkRows(`SELECT * FROM foreign.own_branches VERSION AS OF '${ref}'`), ours, ref);
      }
    },
  },
];
