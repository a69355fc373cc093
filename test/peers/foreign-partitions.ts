import type { ForeignFeature } from './foreign-feature.ts';

const columns =
  'id BIGINT, i INT, l BIGINT, de DECIMAL(12, 3), da DATE, naive TIMESTAMP_NTZ, zoned TIMESTAMP, s STRING, b BINARY, bo BOOLEAN, d DOUBLE';

/** Around zero, around 1970, and nulls. */
const rows = `SELECT id, CAST(id - 20 AS INT), (id - 20) * 1000000007L, CAST(id - 20 AS DECIMAL(12, 3)) / 8, date_add(DATE '1970-01-01', CAST((id - 20) * 97 AS INT)),
    CAST(timestamp_micros((id - 20) * 2600000000001L) AS TIMESTAMP_NTZ), timestamp_micros((id - 20) * 1800000000000L - 1), concat(IF(id % 2 = 0, 'é🛫', 'a'), id, 'x/y=z&%'),
    unhex(lpad(hex(id * 7919), 8, '0')), id % 2 = 0, CASE id % 5 WHEN 0 THEN CAST('NaN' AS DOUBLE) WHEN 1 THEN -0.0D ELSE id / 4 END FROM range(41)
  UNION ALL SELECT 100, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
  UNION ALL SELECT 101, NULL, 1, NULL, DATE '0001-01-01', NULL, TIMESTAMP '9999-12-31 23:59:59.999999', '', X'', NULL, CAST('-Infinity' AS DOUBLE)`;

const filters = [
  'i = -1',
  'i < -3',
  'l >= 0',
  'de > -0.5 AND de < 0.5',
  "da < DATE '1970-01-01'",
  "da = DATE '1969-12-31' OR da IS NULL",
  "naive >= '1969-12-31T00:00:00' AND naive < '1970-02-01T00:00:00'",
  "s LIKE 'é%'",
  "s = 'a1x/y=z&%'",
  'bo = true',
  'd IS NULL',
  'i IN (1, -20, 7) OR s IS NULL',
];

const transforms: Readonly<Record<string, string>> = {
  identity: 'i, de, da, s, bo',
  identities: 'l, naive, zoned, b',
  bucket: 'bucket(3, i), bucket(4, l), bucket(3, de), bucket(2, da)',
  buckets: 'bucket(3, naive), bucket(4, zoned), bucket(3, s), bucket(2, b)',
  truncate: 'truncate(10, i), truncate(1000000000, l), truncate(500, de)',
  truncates: 'truncate(3, s), truncate(2, b)',
  calendar: 'years(da), months(naive), days(zoned)',
  calendars: 'hours(naive), years(zoned), months(da)',
  hours: 'hours(zoned), days(naive)',
  days: 'days(da), years(naive), months(zoned)',
};

export const partitionFeatures: readonly ForeignFeature[] = [
  ...Object.entries(transforms).map(
    ([name, fields]) =>
      ({
        feature: `Partitions by ${fields}`,
        tables: [`foreign.by_${name}`],
        filters,
        make: async (lake) => {
          await lake.sql(
            `CREATE TABLE foreign.by_${name} (${columns}) USING iceberg PARTITIONED BY (${fields})`,
            `INSERT INTO foreign.by_${name} ${rows}`,
          );
        },
      }) satisfies ForeignFeature,
  ),
  {
    feature: 'Partition evolution: fields added, replaced, dropped and added again: v2',
    tables: ['foreign.respecified'],
    filters,
    make: async (lake) => {
      const table = 'foreign.respecified';
      const part = (at: number) => `INSERT INTO ${table} SELECT * FROM (${rows}) WHERE id % 7 = ${at}`;
      await lake.sql(
        `CREATE TABLE ${table} (${columns}) USING iceberg TBLPROPERTIES ('write.delete.mode' = 'merge-on-read')`,
        part(0),
        `ALTER TABLE ${table} ADD PARTITION FIELD months(da) AS da_part`,
        part(1),
        `ALTER TABLE ${table} REPLACE PARTITION FIELD da_part WITH days(da) AS da_day`,
        part(2),
        `ALTER TABLE ${table} ADD PARTITION FIELD bucket(4, s)`,
        part(3),
        `ALTER TABLE ${table} DROP PARTITION FIELD da_day`,
        part(4),
        `ALTER TABLE ${table} ADD PARTITION FIELD bo`,
        `ALTER TABLE ${table} RENAME COLUMN bo TO flag`,
        part(5),
        `ALTER TABLE ${table} DROP PARTITION FIELD s_bucket_4`,
        `ALTER TABLE ${table} ADD PARTITION FIELD days(da) AS da_day`,
        part(6),
        `DELETE FROM ${table} WHERE i % 3 = 0`,
        `ALTER TABLE ${table} RENAME COLUMN flag TO bo`,
      );
    },
  },
  {
    feature: 'Partition evolution: dropped fields become void: v1',
    tables: ['foreign.void'],
    filters,
    make: async (lake) => {
      const table = 'foreign.void';
      await lake.sql(
        `CREATE TABLE ${table} (${columns}) USING iceberg PARTITIONED BY (i, truncate(2, s)) TBLPROPERTIES ('format-version' = '1')`,
        `INSERT INTO ${table} SELECT * FROM (${rows}) WHERE id % 2 = 0`,
        `ALTER TABLE ${table} DROP PARTITION FIELD i`,
        `INSERT INTO ${table} SELECT * FROM (${rows}) WHERE id % 2 = 1`,
        `ALTER TABLE ${table} ADD PARTITION FIELD days(zoned)`,
        `INSERT INTO ${table} SELECT * FROM (${rows}) WHERE id % 3 = 1`,
        `ALTER TABLE ${table} SET TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read')`,
        `DELETE FROM ${table} WHERE id % 4 = 0`,
      );
    },
  },
  {
    feature: 'Partition source columns widened and dropped after',
    tables: ['foreign.widened_source'],
    filters: ['i = -1', 'i > 2147483647', 'i IS NULL', 'de > 1'],
    make: async (lake) => {
      const table = 'foreign.widened_source';
      await lake.sql(
        `CREATE TABLE ${table} (${columns}) USING iceberg PARTITIONED BY (bucket(4, i), truncate(100, de), s)`,
        `INSERT INTO ${table} ${rows}`,
        `ALTER TABLE ${table} ALTER COLUMN i TYPE BIGINT`,
        `ALTER TABLE ${table} ALTER COLUMN de TYPE DECIMAL(30, 3)`,
        `ALTER TABLE ${table} DROP PARTITION FIELD s`,
        `INSERT INTO ${table} SELECT id + 200, i + 5000000000, l, de + 12345678901234567890, da, naive, zoned, s, b, bo, d FROM ${table} WHERE id < 10`,
      );
    },
  },
];
