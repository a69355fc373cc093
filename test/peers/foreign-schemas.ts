import type { ForeignFeature } from './foreign-feature.ts';

const insides = 'STRUCT<a: INT, b: STRING, inner: STRUCT<x: FLOAT, y: INT>>';

/** Ever other columns, with rows of each time, and of none of some. */
function evolved(table: string, properties: string): ForeignFeature['make'] {
  return async (lake) => {
    await lake.sql(
      `CREATE TABLE ${table} (id BIGINT, i INT, f FLOAT, d DECIMAL(9, 2), gone STRING, kept STRING) USING iceberg TBLPROPERTIES (${properties})`,
      `INSERT INTO ${table} VALUES (1, -2147483648, 1.1, -1.25, 'old', 'k1'), (2, NULL, NULL, NULL, NULL, NULL)`,
      `ALTER TABLE ${table} ADD COLUMN added DATE AFTER id`,
      `INSERT INTO ${table} VALUES (3, DATE '2001-02-03', 5, CAST('NaN' AS FLOAT), 2.50, 'old', 'k3')`,
      `ALTER TABLE ${table} DROP COLUMN gone`,
      `ALTER TABLE ${table} RENAME COLUMN kept TO renamed`,
      `ALTER TABLE ${table} ALTER COLUMN i TYPE BIGINT`,
      `ALTER TABLE ${table} ALTER COLUMN f TYPE DOUBLE`,
      `ALTER TABLE ${table} ALTER COLUMN d TYPE DECIMAL(20, 2)`,
      `INSERT INTO ${table} VALUES (4, NULL, 9223372036854775807, 1e300, 123456789012345678.99, 'r4')`,
      `ALTER TABLE ${table} ADD COLUMN gone STRING FIRST`,
      `INSERT INTO ${table} VALUES ('new', 5, DATE '1969-12-31', 6, -0.0, 0.01, 'r5')`,
      `ALTER TABLE ${table} RENAME COLUMN i TO kept`,
      `ALTER TABLE ${table} ALTER COLUMN renamed AFTER id`,
      `ALTER TABLE ${table} DROP COLUMN added`,
      `ALTER TABLE ${table} RENAME COLUMN f TO i`,
      `INSERT INTO ${table} (gone, id, renamed, kept, i, d) VALUES ('newer', 6, 'r6', 7, 2.5, NULL)`,
    );
  };
}

/** The same inside of structs, lists and maps; a struct in a list in a map in the end. */
function evolvedInside(table: string, properties: string): ForeignFeature['make'] {
  return async (lake) => {
    const value = (n: number) =>
      `named_struct('a', ${n}, 'b', 'b${n}', 'inner', named_struct('x', CAST(${n} AS FLOAT) / 3, 'y', ${n}))`;
    await lake.sql(
      `CREATE TABLE ${table} (id INT, s ${insides}, l ARRAY<${insides}>, m MAP<STRING, ${insides}>, deep MAP<INT, ARRAY<STRUCT<s: ${insides}>>>, plain ARRAY<INT>, keyed MAP<INT, FLOAT>)
        USING iceberg TBLPROPERTIES (${properties})`,
      `INSERT INTO ${table} VALUES
        (1, ${value(1)}, array(${value(2)}, NULL, ${value(3)}), map('k', ${value(4)}, 'none', NULL), map(1, array(named_struct('s', ${value(5)}), NULL), 2, NULL), array(1, NULL), map(1, 1.5)),
        (2, NULL, NULL, NULL, NULL, NULL, NULL),
        (3, named_struct('a', NULL, 'b', NULL, 'inner', NULL), array(), map(), map(), array(), map())`,
    );
    for (const at of ['s', 'l.element', 'm.value', 'deep.value.element.s']) {
      await lake.sql(
        `ALTER TABLE ${table} ADD COLUMN ${at}.added DOUBLE FIRST`,
        `ALTER TABLE ${table} ADD COLUMN ${at}.inner.z ARRAY<STRING>`,
        `ALTER TABLE ${table} DROP COLUMN ${at}.b`,
        `ALTER TABLE ${table} ADD COLUMN ${at}.b STRING AFTER a`,
        `ALTER TABLE ${table} RENAME COLUMN ${at}.inner.y TO w`,
        `ALTER TABLE ${table} ALTER COLUMN ${at}.inner.x TYPE DOUBLE`,
        `ALTER TABLE ${table} ALTER COLUMN ${at}.a TYPE BIGINT`,
        `ALTER TABLE ${table} ALTER COLUMN ${at}.inner.w FIRST`,
        `ALTER TABLE ${table} ADD COLUMN ${at}.whole STRUCT<p: INT, q: MAP<STRING, INT>>`,
      );
    }
    await lake.sql(
      `ALTER TABLE ${table} ALTER COLUMN plain.element TYPE BIGINT`,
      `ALTER TABLE ${table} ALTER COLUMN keyed.value TYPE DOUBLE`,
    );
    const now = (n: number) =>
      `named_struct('added', ${n}.5D, 'a', ${n}0000000000L, 'b', 'new${n}', 'inner', named_struct('w', ${n}, 'x', ${n} / 7D, 'z', array('z', NULL)), 'whole', named_struct('p', ${n}, 'q', map('q', ${n})))`;
    await lake.sql(
      `INSERT INTO ${table} VALUES (4, ${now(1)}, array(${now(2)}, NULL), map('k', ${now(3)}), map(3, array(named_struct('s', ${now(4)}))), array(9223372036854775807), map(2, 1e300D))`,
      `ALTER TABLE ${table} DROP COLUMN s.inner`,
      `ALTER TABLE ${table} ADD COLUMN s.inner STRUCT<x: INT>`,
      `ALTER TABLE ${table} DROP COLUMN m.value.whole.p`,
      `ALTER TABLE ${table} RENAME COLUMN s TO t`,
      `ALTER TABLE ${table} ADD COLUMN s ${insides} AFTER id`,
      `INSERT INTO ${table} SELECT 5, s, t, l, m, deep, plain, keyed FROM ${table} WHERE id = 4`,
    );
  };
}

const fieldDefaults = [
  ['a_boolean', 'Types.BooleanType.get()', 'lit(True)'],
  ['an_int', 'Types.IntegerType.get()', 'lit(-7)'],
  ['a_long', 'Types.LongType.get()', 'lit(9223372036854775807)'],
  ['a_float', 'Types.FloatType.get()', 'lit(1.1)'],
  ['a_double', 'Types.DoubleType.get()', 'lit(-0.1)'],
  ['a_decimal', 'Types.DecimalType.of(20, 3)', "lit('-12345.678')"],
  ['a_date', 'Types.DateType.get()', "lit('1969-12-30')"],
  ['naive', 'Types.TimestampType.withoutZone()', "lit('1969-12-31T23:59:59.999999')"],
  ['zoned', 'Types.TimestampType.withZone()', "lit('2024-02-29T12:34:56.000001+02:00')"],
  ['a_string', 'Types.StringType.get()', `lit("it's a 'quote' \\u00e9 \\U0001f6eb")`],
  ['a_binary', 'Types.BinaryType.get()', "lit(jvm.java.nio.ByteBuffer.wrap(b'\\x00\\xff'))"],
] as const;

export const schemaFeatures: readonly ForeignFeature[] = [
  {
    feature: 'Columns added, dropped, added again, renamed, reordered, promoted: v2',
    tables: ['foreign.evolved'],
    make: evolved('foreign.evolved', "'format-version' = '2'"),
  },
  { feature: 'The same: v1', tables: ['foreign.evolved_v1'], make: evolved('foreign.evolved_v1', "'format-version' = '1'") },
  {
    feature: 'The same: v3, Avro',
    tables: ['foreign.evolved_avro'],
    make: evolved('foreign.evolved_avro', "'format-version' = '3', 'write.format.default' = 'avro'"),
  },
  {
    feature: 'The same inside structs, lists and maps: v2',
    tables: ['foreign.inside'],
    pyicebergDiffers: 'and columns inside of maps by name where they were renamed or added again',
    make: evolvedInside('foreign.inside', "'format-version' = '2'"),
  },
  {
    feature: 'The same inside structs, lists and maps: Avro',
    tables: ['foreign.inside_avro'],
    make: evolvedInside('foreign.inside_avro', "'format-version' = '2', 'write.format.default' = 'avro'"),
  },
  {
    feature: 'Initial defaults, in structs too, then other write defaults: v3',
    tables: ['foreign.defaults'],
    make: async (lake) => {
      const table = 'foreign.defaults';
      await lake.sql(
        `CREATE TABLE ${table} (id INT, s STRUCT<a: INT>, l ARRAY<STRUCT<a: INT>>) USING iceberg TBLPROPERTIES ('format-version' = '3')`,
        `INSERT INTO ${table} VALUES (1, named_struct('a', 1), array(named_struct('a', 1), NULL)), (2, NULL, NULL)`,
      );
      const added = fieldDefaults.map(
        ([name, type, value]) => `u = u.addColumn('${name}', ${type}, 'given', ${value}.to(${type}))`,
      );
      await lake.java(`
Types = iceberg.types.Types
lit = iceberg.expressions.Expressions.lit
u = load('${table}').updateSchema()
${added.join('\n')}
u = u.addColumn('s', 'b', Types.StringType.get(), None, lit('inside'))
u = u.addColumn('l.element', 'b', Types.LongType.get(), None, lit(5).to(Types.LongType.get()))
u = u.addRequiredColumn('needed', Types.StringType.get(), None, lit('needed'))
u.commit()
`);
      await lake.sql(
        `INSERT INTO ${table} SELECT 3, named_struct('a', 2, 'b', 'own'), array(named_struct('a', 2, 'b', NULL)), ${fieldDefaults.map(() => 'NULL').join(', ')}, 'own'`,
      );
      await lake.java(
        `load('${table}').updateSchema().updateColumnDefault('an_int', lit(8)).renameColumn('a_long', 'long').commit()`,
      );
      await lake.sql(`INSERT INTO ${table} SELECT * FROM ${table} WHERE id = 1`);
    },
  },
  {
    feature: 'Files without ids, by name mapping; partition values that are in no file',
    tables: ['foreign.added_files', 'foreign.renamed_files'],
    make: async (lake) => {
      const at = `file://${lake.server.directory}/warehouse/hive`;
      await lake.java(`
import shutil
shutil.rmtree('${lake.server.directory}/warehouse/hive', ignore_errors=True)
frame = spark.sql("""SELECT id, concat('n', id) AS name, CAST(id AS INT) AS small, named_struct('a', id, 'b', array(CAST(id AS FLOAT))) AS s, map('k', named_struct('v', id)) AS m,
  IF(id % 4 = 0, NULL, concat('p ', id % 3)) AS part, date_add(DATE '1969-12-30', CAST(id AS INT) % 3) AS day, CAST(id % 2 AS INT) AS n FROM range(24)""")
frame.write.partitionBy('part', 'day', 'n').parquet('${at}')
`);
      for (const table of ['foreign.added_files', 'foreign.renamed_files']) {
        await lake.sql(
          `CREATE TABLE ${table} (id BIGINT, name STRING, small INT, s STRUCT<a: BIGINT, b: ARRAY<FLOAT>>, m MAP<STRING, STRUCT<v: BIGINT>>, part STRING, day DATE, n INT)
            USING iceberg PARTITIONED BY (part, day, n)`,
          `CALL lake.system.add_files(table => '${table}', source_table => '\`parquet\`.\`${at}\`')`,
          `INSERT INTO ${table} SELECT 100, 'own', 7, named_struct('a', 1, 'b', NULL), NULL, 'p 1', DATE '2001-01-01', NULL`,
        );
      }
      const table = 'foreign.renamed_files';
      await lake.sql(
        `ALTER TABLE ${table} RENAME COLUMN name TO title`,
        `ALTER TABLE ${table} RENAME COLUMN s.a TO alpha`,
        `ALTER TABLE ${table} ADD COLUMN s.c INT`,
        `ALTER TABLE ${table} ADD COLUMN m.value.w STRING`,
        `ALTER TABLE ${table} RENAME COLUMN day TO on_day`,
        `ALTER TABLE ${table} ALTER COLUMN small TYPE BIGINT`,
        `ALTER TABLE ${table} ADD COLUMN name STRING`,
        `INSERT INTO ${table} SELECT 101, 'own', 7, named_struct('alpha', 1, 'b', NULL, 'c', 1), map('k', named_struct('v', 1, 'w', 'w')), 'p 1', DATE '2001-01-01', NULL, 'named'`,
      );
    },
  },
];
