import type { ForeignFeature } from './foreign-feature.ts';
import type { ForeignLake } from './foreign-lake.ts';

const mergeOnRead =
  "'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'write.merge.mode' = 'merge-on-read'";

/** Rows in a few files and partitions, then deletes, updates and merges, some of them on what is deleted already. */
function changes(table: string, properties: string): ForeignFeature['make'] {
  return async (lake) => {
    await lake.sql(
      `CREATE TABLE ${table} (id BIGINT, part STRING, value DOUBLE) USING iceberg PARTITIONED BY (part) TBLPROPERTIES (${properties})`,
      `INSERT INTO ${table} SELECT id, CASE WHEN id % 7 = 0 THEN NULL ELSE concat('p', id % 3) END, id / 2 FROM range(200)`,
      `INSERT INTO ${table} SELECT id, 'p1', NULL FROM range(200, 230)`,
      `DELETE FROM ${table} WHERE id % 5 = 0`,
      `DELETE FROM ${table} WHERE part = 'p2' AND id < 50 OR value IS NULL AND id % 2 = 0`,
      `UPDATE ${table} SET value = -value WHERE id % 11 = 0`,
      `MERGE INTO ${table} t USING (SELECT id, 'p9' AS part, 1.5D AS value FROM range(190, 240)) s ON t.id = s.id
        WHEN MATCHED AND s.id % 2 = 0 THEN DELETE WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *`,
      `INSERT INTO ${table} SELECT id, 'p1', 0.25D FROM range(0, 30)`,
      `DELETE FROM ${table} WHERE part IS NULL AND id > 100`,
    );
  };
}

const json = (value: unknown) => `json.loads(r'''${JSON.stringify(value)}''')`;

interface EqualityDelete {
  readonly rows: readonly Readonly<Record<string, unknown>>[];
  readonly columns: readonly string[];
  readonly more?: string;
}

async function deleteEqual(lake: ForeignLake, table: string, { rows, columns, more = '' }: EqualityDelete): Promise<void> {
  await lake.java(`equality_delete('${table}', ${json(rows)}, ${json(columns)}${more})`);
}

function equalityDeletes(
  table: string,
  version: number,
  format: 'PARQUET' | 'AVRO',
  dataFormat = 'parquet',
): ForeignFeature['make'] {
  const more = `, file_format='${format}'`;
  return async (lake) => {
    await lake.sql(
      `CREATE TABLE ${table} (id BIGINT, name STRING, price DECIMAL(10, 2), day DATE, score DOUBLE, raw BINARY) USING iceberg
        TBLPROPERTIES ('format-version' = '${version}', 'write.format.default' = '${dataFormat}')`,
      `INSERT INTO ${table} SELECT id, IF(id % 4 = 0, NULL, concat('n', id % 5)), CAST(id AS DECIMAL(10, 2)) / 4, date_add(DATE '1969-12-25', CAST(id AS INT) % 9),
        CASE id % 6 WHEN 0 THEN CAST('NaN' AS DOUBLE) WHEN 1 THEN -0.0D WHEN 2 THEN NULL ELSE id / 3 END, unhex(hex(id)) FROM range(120)`,
    );
    await deleteEqual(lake, table, { rows: [{ id: 3 }, { id: 77 }, { id: 100000 }], columns: ['id'], more });
    // Nulls in the key, and several columns.
    const rows = [
      { name: null, day: '1969-12-31' },
      { name: 'n1', day: '1970-01-01' },
      { name: 'n2', day: null },
    ];
    await deleteEqual(lake, table, { rows, columns: ['name', 'day'], more });
    await deleteEqual(lake, table, {
      rows: [
        { name: null, price: '2.00' },
        { name: 'n3', price: '0.75' },
      ],
      columns: ['price', 'name'],
      more,
    });
    // What was written after is not deleted, by sequence number.
    await lake.sql(
      `INSERT INTO ${table} VALUES (3, 'again', 0.75, DATE '1970-01-01', 3.5, X'00'), (77, NULL, NULL, NULL, NULL, NULL)`,
    );
    await deleteEqual(lake, table, { rows: [{ raw: '000000000000002a' }, { raw: '2a' }], columns: ['raw'], more });
    await lake.sql(`INSERT INTO ${table} VALUES (1000, 'n1', 1.00, DATE '1970-01-01', 0.0, NULL)`);
  };
}

export const deleteFeatures: readonly ForeignFeature[] = [
  {
    feature: 'Position deletes: v2, Parquet',
    tables: ['foreign.positions'],
    make: changes('foreign.positions', `'format-version' = '2', ${mergeOnRead}`),
  },
  {
    feature: 'Position deletes by partition, not by file',
    tables: ['foreign.positions_by_partition'],
    make: changes(
      'foreign.positions_by_partition',
      `'format-version' = '2', 'write.delete.granularity' = 'partition', ${mergeOnRead}`,
    ),
  },
  {
    feature: 'Position deletes: v2, data and deletes in Avro',
    tables: ['foreign.positions_avro'],
    make: changes(
      'foreign.positions_avro',
      `'format-version' = '2', 'write.format.default' = 'avro', 'write.delete.format.default' = 'avro', ${mergeOnRead}`,
    ),
  },
  {
    feature: 'Deletion vectors: v3',
    tables: ['foreign.vectors'],
    make: changes('foreign.vectors', `'format-version' = '3', ${mergeOnRead}`),
  },
  {
    feature: 'Deletion vectors over data in Avro: v3',
    tables: ['foreign.vectors_avro'],
    make: changes('foreign.vectors_avro', `'format-version' = '3', 'write.format.default' = 'avro', ${mergeOnRead}`),
  },
  {
    feature: 'Position deletes, then deletion vectors over them: v2 made v3',
    tables: ['foreign.upgraded'],
    make: async (lake) => {
      await changes('foreign.upgraded', `'format-version' = '2', ${mergeOnRead}`)(lake);
      await lake.sql(
        "ALTER TABLE foreign.upgraded SET TBLPROPERTIES ('format-version' = '3')",
        'DELETE FROM foreign.upgraded WHERE id % 13 = 0',
        "UPDATE foreign.upgraded SET part = 'p1' WHERE id % 17 = 1",
      );
    },
  },
  {
    feature: 'Deletion vectors of many rows: runs, arrays and bitmaps',
    tables: ['foreign.long_vectors'],
    make: async (lake) => {
      await lake.sql(
        `CREATE TABLE foreign.long_vectors (id BIGINT) USING iceberg TBLPROPERTIES ('format-version' = '3', ${mergeOnRead})`,
        'INSERT INTO foreign.long_vectors SELECT /*+ COALESCE(1) */ id FROM range(0, 204800, 1, 1)',
        // Of each 65536 positions: a run; a run and every second; runs with gaps; a few far apart.
        `DELETE FROM foreign.long_vectors WHERE id BETWEEN 10 AND 99990 OR id BETWEEN 100000 AND 120000 AND id % 2 = 0
          OR id BETWEEN 120001 AND 180000 OR id BETWEEN 180001 AND 196607 AND id % 997 > 0 OR id > 196607 AND id % 997 = 0`,
      );
    },
  },
  {
    feature: 'Equality deletes, global, by one and several columns, with nulls: v2',
    tables: ['foreign.equal'],
    make: equalityDeletes('foreign.equal', 2, 'PARQUET'),
  },
  {
    feature: 'Equality deletes: v3',
    tables: ['foreign.equal_v3'],
    make: equalityDeletes('foreign.equal_v3', 3, 'PARQUET'),
  },
  {
    feature: 'Equality deletes in Avro over data in Avro',
    tables: ['foreign.equal_avro'],
    make: equalityDeletes('foreign.equal_avro', 2, 'AVRO', 'avro'),
  },
  {
    feature: 'Equality deletes in partitions, global ones of an unpartitioned spec, both over a changed spec',
    tables: ['foreign.equal_partitioned'],
    make: async (lake) => {
      const table = 'foreign.equal_partitioned';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, part STRING) USING iceberg TBLPROPERTIES ('format-version' = '2')`,
        `INSERT INTO ${table} SELECT id, concat('p', id % 3) FROM range(30)`,
        `ALTER TABLE ${table} ADD PARTITION FIELD part`,
        `INSERT INTO ${table} SELECT id, IF(id % 4 = 0, NULL, concat('p', id % 3)) FROM range(0, 60)`,
      );
      await deleteEqual(lake, table, {
        rows: [{ id: 1 }, { id: 4 }, { id: 31 }],
        columns: ['id'],
        more: ", partition='part=p1'",
      });
      await deleteEqual(lake, table, {
        rows: [{ id: 4 }, { id: 8 }, { id: 5 }],
        columns: ['id'],
        more: ", partition='part=__HIVE_DEFAULT_PARTITION__'",
      });
      // Of the spec without fields: of all partitions.
      await deleteEqual(lake, table, { rows: [{ id: 7 }, { id: 16 }, { id: 20 }], columns: ['id'], more: ', spec_id=0' });
      await lake.sql(`INSERT INTO ${table} VALUES (7, 'p1'), (20, NULL)`);
    },
  },
  {
    feature: 'Equality deletes by columns that are renamed and widened later, and by columns added after the rows',
    tables: ['foreign.equal_renamed'],
    make: async (lake) => {
      const table = 'foreign.equal_renamed';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, a INT, c INT) USING iceberg TBLPROPERTIES ('format-version' = '2')`,
        `INSERT INTO ${table} SELECT id, CAST(id % 10 AS INT), CAST(id AS INT) FROM range(70)`,
      );
      await deleteEqual(lake, table, { rows: [{ a: 3 }], columns: ['a'] });
      await deleteEqual(lake, table, { rows: [{ c: 11 }, { c: 12 }], columns: ['c'] });
      await lake.sql(
        `ALTER TABLE ${table} RENAME COLUMN a TO alpha`,
        `ALTER TABLE ${table} ALTER COLUMN c TYPE BIGINT`,
        `ALTER TABLE ${table} ADD COLUMN b STRING`,
        `INSERT INTO ${table} VALUES (100, 3, 11, 'b2')`,
      );
      const rows = [
        { b: 'b2', alpha: 3 },
        { b: null, alpha: 5 },
      ];
      await deleteEqual(lake, table, { rows, columns: ['b', 'alpha'] });
      await lake.sql(`INSERT INTO ${table} VALUES (101, 5, 11, NULL)`);
    },
  },
  {
    // The Java library cannot read such a table.
    feature: 'Equality deletes by a column that is dropped later',
    tables: ['foreign.equal_dropped'],
    measure: "SELECT id, CAST(NULL AS STRING) AS b FROM range(30) WHERE id % 7 != 2 UNION ALL SELECT 100, 'b2'",
    make: async (lake) => {
      const table = 'foreign.equal_dropped';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, b STRING) USING iceberg TBLPROPERTIES ('format-version' = '2')`,
        `INSERT INTO ${table} SELECT id, concat('b', id % 7) FROM range(30)`,
      );
      await deleteEqual(lake, table, { rows: [{ b: 'b2' }], columns: ['b'] });
      await lake.sql(
        `ALTER TABLE ${table} DROP COLUMN b`,
        `ALTER TABLE ${table} ADD COLUMN b STRING`,
        `INSERT INTO ${table} VALUES (100, 'b2')`,
      );
    },
  },
  {
    feature: 'Equality deletes by a field inside of a struct',
    tables: ['foreign.equal_inside'],
    make: async (lake) => {
      const table = 'foreign.equal_inside';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, s STRUCT<x: INT, t: STRUCT<y: STRING>>) USING iceberg TBLPROPERTIES ('format-version' = '2')`,
        `INSERT INTO ${table} SELECT id, IF(id % 9 = 0, NULL, named_struct('x', CAST(id % 4 AS INT), 't', named_struct('y', concat('y', id % 5)))) FROM range(70)`,
      );
      await deleteEqual(lake, table, { rows: [{ s: { x: 3 } }], columns: ['s.x'] });
      const rows = [
        { id: 10, s: { t: { y: 'y0' } } },
        { id: 11, s: { t: { y: null } } },
      ];
      await deleteEqual(lake, table, { rows, columns: ['id', 's.t.y'] });
      await lake.sql(`INSERT INTO ${table} VALUES (100, named_struct('x', 3, 't', named_struct('y', 'y0')))`);
    },
  },
  {
    feature: 'Position and equality deletes together, and rows that come back',
    tables: ['foreign.both_deletes'],
    make: async (lake) => {
      const table = 'foreign.both_deletes';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, name STRING) USING iceberg TBLPROPERTIES ('format-version' = '2', ${mergeOnRead})`,
        `INSERT INTO ${table} SELECT id, concat('n', id) FROM range(50)`,
        `DELETE FROM ${table} WHERE id % 3 = 0`,
      );
      await deleteEqual(lake, table, { rows: [{ id: 1 }, { id: 3 }, { id: 4 }], columns: ['id'] });
      await lake.sql(
        `INSERT INTO ${table} VALUES (1, 'back'), (3, 'back')`,
        `UPDATE ${table} SET name = 'changed' WHERE id IN (1, 2)`,
      );
      await deleteEqual(lake, table, { rows: [{ name: 'changed' }], columns: ['name'] });
    },
  },
];
