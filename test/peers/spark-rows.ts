import { expect, test } from 'vitest';
import type { SparkLake } from './spark-lake.ts';

/** What Spark writes row by row, against what GraphQL shows of it. */
export function testRows(lake: () => SparkLake): void {
  test('creates, appends, merges, updates, deletes and evolves; GraphQL shows each', async () => {
    await lake().spark.sql(`CREATE TABLE shared.trips (id BIGINT NOT NULL, city STRING, at TIMESTAMP, fare DECIMAL(9, 2), tags ARRAY<STRING>)
      USING iceberg PARTITIONED BY (days(at)) TBLPROPERTIES ('made-by' = 'spark', 'format-version' = '2')`);
    await lake().spark.sql(`INSERT INTO shared.trips VALUES
      (1, 'oslo', TIMESTAMP '2026-01-01 10:00:00', 12.50, array('a', 'b')),
      (2, 'rome', TIMESTAMP '2026-01-02 10:00:00', 7.25, array()),
      (9007199254740993, NULL, NULL, NULL, NULL)`);
    await lake().spark.sql(`MERGE INTO shared.trips t
      USING (SELECT * FROM VALUES (2, 'roma'), (3, 'pisa') AS s(id, city)) s ON t.id = s.id
      WHEN MATCHED THEN UPDATE SET city = s.city
      WHEN NOT MATCHED THEN INSERT (id, city, at, fare, tags) VALUES (s.id, s.city, TIMESTAMP '2026-01-03 10:00:00', 1.00, NULL)`);
    await lake().spark.sql("UPDATE shared.trips SET fare = fare * 2 WHERE city = 'oslo'");
    await lake().spark.sql("DELETE FROM shared.trips WHERE city = 'pisa'");
    expect(await lake().lakehouse.columns('shared.trips')).toEqual([
      'id long required',
      'city string',
      'at timestamptz',
      'fare decimal(9, 2)',
      'tags list<string>',
    ]);
    expect(await lake().lakehouse.partitioning('shared.trips')).toEqual(['day(at)']);
    expect(await lake().lakehouse.properties('shared.trips')).toMatchObject({ 'made-by': 'spark' });
    expect(await lake().lakehouse.operations('shared.trips')).toEqual(['append', 'overwrite', 'overwrite', 'delete']);
    expect(await lake().lakehouse.rows('shared.trips')).toEqual([
      { id: '1', city: 'oslo', at: '2026-01-01T10:00:00Z', fare: '25.00', tags: ['a', 'b'] },
      { id: '2', city: 'roma', at: '2026-01-02T10:00:00Z', fare: '7.25', tags: [] },
      { id: '9007199254740993', city: null, at: null, fare: null, tags: null },
    ]);

    await lake().spark.sql('ALTER TABLE shared.trips ADD COLUMN rider STRUCT<name: STRING, age: INT> AFTER city');
    await lake().spark.sql('ALTER TABLE shared.trips ADD COLUMN rider.since DATE');
    await lake().spark.sql('ALTER TABLE shared.trips RENAME COLUMN fare TO price');
    await lake().spark.sql('ALTER TABLE shared.trips ALTER COLUMN price TYPE DECIMAL(12, 2)');
    await lake().spark.sql('ALTER TABLE shared.trips ALTER COLUMN id DROP NOT NULL');
    await lake().spark.sql('ALTER TABLE shared.trips DROP COLUMN tags');
    await lake().spark.sql('ALTER TABLE shared.trips DROP PARTITION FIELD days(at)');
    await lake().spark.sql('ALTER TABLE shared.trips ADD PARTITION FIELD bucket(4, id)');
    await lake().spark.sql('ALTER TABLE shared.trips WRITE ORDERED BY city DESC NULLS LAST');
    await lake().spark.sql("ALTER TABLE shared.trips SET TBLPROPERTIES ('note' = 'evolved')");
    await lake().spark.sql("ALTER TABLE shared.trips UNSET TBLPROPERTIES ('made-by')");
    await lake().spark.sql(`INSERT INTO shared.trips (id, city, rider, at, price)
      VALUES (4, 'bern', named_struct('name', 'ada', 'age', 36, 'since', DATE '2001-02-03'), TIMESTAMP '2026-01-04 10:00:00', 1234567890.12)`);
    expect(await lake().lakehouse.columns('shared.trips')).toEqual([
      'id long',
      'city string',
      'rider struct<name: string, age: int, since: date>',
      'at timestamptz',
      'price decimal(12, 2)',
    ]);
    expect(await lake().lakehouse.partitioning('shared.trips')).toEqual(['bucket[4](id)']);
    expect(await lake().lakehouse.properties('shared.trips')).toMatchObject({ note: 'evolved' });
    expect(await lake().lakehouse.properties('shared.trips')).not.toHaveProperty('made-by');
    expect(await lake().lakehouse.sql('SELECT id, rider, price FROM shared.trips ORDER BY id LIMIT 3')).toEqual([
      { id: '1', rider: null, price: '25.00' },
      { id: '2', rider: null, price: '7.25' },
      { id: '4', rider: { name: 'ada', age: 36, since: '2001-02-03' }, price: '1234567890.12' },
    ]);
  });

  test('writes every type it has, in Parquet and Avro, and partitions of any value; GraphQL reads them', async () => {
    await lake().spark.sql(`CREATE TABLE shared.types (b BOOLEAN, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(38, 10), da DATE, ts TIMESTAMP,
      tn TIMESTAMP_NTZ, s STRING, bi BINARY, li ARRAY<DOUBLE>, m MAP<STRING, BIGINT>,
      st STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>) USING iceberg`);
    await lake().spark.sql(`INSERT INTO shared.types VALUES
      (true, -2147483648, -9223372036854775808, CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE),
       -1234567890123456789012345678.0123456789, DATE '1582-10-15', TIMESTAMP '1900-01-01 00:00:00.000001',
       TIMESTAMP_NTZ '2262-04-11 23:47:16.854775', 'né 🛫', X'DEADBEEF', array(1.5, null), map('a', 1, 'b', null),
       named_struct('a', 1, 'b', array(named_struct('c', 'x'), null))),
      (null, null, null, null, null, null, null, null, null, null, null, null, null, null)`);
    const [none, full] = await lake().lakehouse.rows('shared.types');
    expect(Object.values(none as object)).toEqual(Array(14).fill(null));
    expect(full).toEqual({
      b: true,
      i: -2147483648,
      l: '-9223372036854775808',
      f: 'NaN',
      d: '-Infinity',
      de: '-1234567890123456789012345678.0123456789',
      da: '1582-10-15',
      ts: '1900-01-01T00:00:00.000001Z',
      tn: '2262-04-11T23:47:16.854775',
      s: 'né 🛫',
      bi: '3q2+7w==',
      li: [1.5, null],
      m: [
        ['a', '1'],
        ['b', null],
      ],
      st: { a: 1, b: [{ c: 'x' }, null] },
    });
    const avro = "TBLPROPERTIES ('write.format.default' = 'avro')";
    await lake().spark.sql(`CREATE TABLE shared.types_in_avro USING iceberg ${avro} AS SELECT * FROM shared.types`);
    expect(await lake().lakehouse.rows('shared.types_in_avro')).toEqual([none, full]);

    const cities = ['a/b c%20é', 'a=b&c+d', '?#%', '..', '', 'x\'y"z'];
    await lake().spark.sql('CREATE TABLE shared.cities (city STRING, n INT) USING iceberg PARTITIONED BY (city)');
    const given = JSON.stringify([...cities.map((city, n) => [city, n]), ['', 9]]);
    await lake().spark.python(`spark.createDataFrame(${given}, "city STRING, n INT").writeTo("shared.cities").append()`);
    await lake().spark.sql('INSERT INTO shared.cities VALUES (NULL, 10)');
    expect((await lake().lakehouse.rows('shared.cities')).length).toBe(8);
    const upserted = cities.map((city, n) => ({ city, n: n + 100 }));
    await lake().lakehouse.write('shared.cities', upserted, { mode: 'UPSERT', keys: ['city'] });
    expect(await lake().spark.sql('SELECT count(*), count(DISTINCT city), min(n) FROM shared.cities')).toEqual([[7, 6, 10]]);
    for (const { city, n } of upserted) {
      const quoted = city.replaceAll("'", "\\'");
      expect(await lake().spark.sql(`SELECT n FROM shared.cities WHERE city = '${quoted}'`)).toEqual([[n]]);
    }
  });

  test('deletes by position are read by GraphQL, and tables that GraphQL writes by Spark', async () => {
    await lake().spark.sql(`CREATE TABLE shared.positions (id BIGINT, name STRING) USING iceberg
      TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'format-version' = '2')`);
    await lake().spark.sql("INSERT INTO shared.positions SELECT id, concat('row ', id) FROM range(100)");
    await lake().spark.sql('DELETE FROM shared.positions WHERE id % 10 = 3');
    await lake().spark.sql("UPDATE shared.positions SET name = 'changed' WHERE id = 50");
    const rows = await lake().lakehouse.rows('shared.positions');
    expect(rows.length).toBe(90);
    expect(rows).toContainEqual({ id: '50', name: 'changed' });
    expect(await lake().spark.sql('SELECT count(*) FROM shared.positions.delete_files')).not.toEqual([[0]]);

    await lake().lakehouse.write(
      'shared.positions',
      [
        { id: '50', name: 'by Icecore' },
        { id: '200', name: 'new' },
      ],
      {
        mode: 'UPSERT',
        keys: ['id'],
      },
    );
    await lake().lakehouse.write('shared.positions', [{ id: '51' }], { mode: 'DELETE', keys: ['id'] });
    expect(await lake().spark.sql('SELECT count(*), max(id) FROM shared.positions')).toEqual([[90, 200]]);
    expect(await lake().spark.sql('SELECT id, name FROM shared.positions WHERE id IN (50, 51, 200) ORDER BY id')).toEqual([
      [50, 'by Icecore'],
      [200, 'new'],
    ]);
  });

  test('writes tables of format version 3: GraphQL reads their deletion vectors, and rows keep their ids when it writes', async () => {
    await lake().spark.sql(`CREATE TABLE shared.third (id BIGINT, name STRING) USING iceberg
      TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read')`);
    await lake().spark.sql("INSERT INTO shared.third SELECT id, concat('row ', id) FROM range(10)");
    await lake().spark.sql('DELETE FROM shared.third WHERE id = 3');
    await lake().spark.sql("UPDATE shared.third SET name = 'changed' WHERE id = 5");
    expect(await lake().spark.sql('SELECT DISTINCT file_format FROM shared.third.delete_files')).toEqual([['PUFFIN']]);
    const rows = await lake().lakehouse.rows('shared.third');
    expect(rows.length).toBe(9);
    expect(rows).toContainEqual({ id: '5', name: 'changed' });
    const ids = 'SELECT id, _row_id FROM shared.third WHERE id IN (4, 5, 6) ORDER BY id';
    const before = await lake().spark.sql(ids);
    await lake().lakehouse.write('shared.third', [{ id: '5', name: 'again' }], { mode: 'UPSERT', keys: ['id'] });
    await lake().lakehouse.write('shared.third', [{ id: '20', name: 'new' }]);
    const after = await lake().spark.sql(ids);
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    expect(await lake().spark.sql('SELECT count(*), count(DISTINCT _row_id) FROM shared.third')).toEqual([[10, 10]]);
    expect(await lake().spark.sql('SELECT name FROM shared.third WHERE id IN (5, 20) ORDER BY id')).toEqual([['again'], ['new']]);
    await lake().spark.sql('DELETE FROM shared.third WHERE id = 20');
    expect((await lake().lakehouse.rows('shared.third')).length).toBe(9);
  });
}
