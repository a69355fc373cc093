import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { Lakehouse } from './lakehouse.ts';
import { makePinnedTable } from './pinned-table.ts';
import { keyOf, RestServer } from './rest-server.ts';
import { SparkSession } from './spark-session.ts';

describeWith(['python3', 'java', 'mvn'], 'Spark over the REST catalog', () => {
  let server: RestServer;
  let lakehouse: Lakehouse;
  let spark: SparkSession;
  beforeAll(async () => {
    server = await RestServer.start();
    lakehouse = new Lakehouse(server.api('keeper'));
    const directory = await mkdtemp(join(server.directory, 'spark-'));
    const catalog = { uri: server.catalogUri, credential: `keeper:${keyOf('keeper')}`, 'cache-enabled': 'false' };
    spark = await SparkSession.start(directory, catalog);
    await spark.sql('CREATE NAMESPACE shared');
  });
  afterAll(async () => {
    await spark?.stop();
    await server?.stop();
  });

  test('creates, appends, merges, updates, deletes and evolves; GraphQL shows each', async () => {
    await spark.sql(`CREATE TABLE shared.trips (id BIGINT NOT NULL, city STRING, at TIMESTAMP, fare DECIMAL(9, 2), tags ARRAY<STRING>)
      USING iceberg PARTITIONED BY (days(at)) TBLPROPERTIES ('made-by' = 'spark', 'format-version' = '2')`);
    await spark.sql(`INSERT INTO shared.trips VALUES
      (1, 'oslo', TIMESTAMP '2026-01-01 10:00:00', 12.50, array('a', 'b')),
      (2, 'rome', TIMESTAMP '2026-01-02 10:00:00', 7.25, array()),
      (9007199254740993, NULL, NULL, NULL, NULL)`);
    await spark.sql(`MERGE INTO shared.trips t
      USING (SELECT * FROM VALUES (2, 'roma'), (3, 'pisa') AS s(id, city)) s ON t.id = s.id
      WHEN MATCHED THEN UPDATE SET city = s.city
      WHEN NOT MATCHED THEN INSERT (id, city, at, fare, tags) VALUES (s.id, s.city, TIMESTAMP '2026-01-03 10:00:00', 1.00, NULL)`);
    await spark.sql("UPDATE shared.trips SET fare = fare * 2 WHERE city = 'oslo'");
    await spark.sql("DELETE FROM shared.trips WHERE city = 'pisa'");
    expect(await lakehouse.columns('shared.trips')).toEqual([
      'id long required',
      'city string',
      'at timestamptz',
      'fare decimal(9, 2)',
      'tags list<string>',
    ]);
    expect(await lakehouse.partitioning('shared.trips')).toEqual(['day(at)']);
    expect(await lakehouse.properties('shared.trips')).toMatchObject({ 'made-by': 'spark' });
    expect(await lakehouse.operations('shared.trips')).toEqual(['append', 'overwrite', 'overwrite', 'delete']);
    expect(await lakehouse.rows('shared.trips')).toEqual([
      { id: '1', city: 'oslo', at: '2026-01-01T10:00:00Z', fare: '25.00', tags: ['a', 'b'] },
      { id: '2', city: 'roma', at: '2026-01-02T10:00:00Z', fare: '7.25', tags: [] },
      { id: '9007199254740993', city: null, at: null, fare: null, tags: null },
    ]);

    await spark.sql('ALTER TABLE shared.trips ADD COLUMN rider STRUCT<name: STRING, age: INT> AFTER city');
    await spark.sql('ALTER TABLE shared.trips ADD COLUMN rider.since DATE');
    await spark.sql('ALTER TABLE shared.trips RENAME COLUMN fare TO price');
    await spark.sql('ALTER TABLE shared.trips ALTER COLUMN price TYPE DECIMAL(12, 2)');
    await spark.sql('ALTER TABLE shared.trips ALTER COLUMN id DROP NOT NULL');
    await spark.sql('ALTER TABLE shared.trips DROP COLUMN tags');
    await spark.sql('ALTER TABLE shared.trips DROP PARTITION FIELD days(at)');
    await spark.sql('ALTER TABLE shared.trips ADD PARTITION FIELD bucket(4, id)');
    await spark.sql('ALTER TABLE shared.trips WRITE ORDERED BY city DESC NULLS LAST');
    await spark.sql("ALTER TABLE shared.trips SET TBLPROPERTIES ('note' = 'evolved')");
    await spark.sql("ALTER TABLE shared.trips UNSET TBLPROPERTIES ('made-by')");
    await spark.sql(`INSERT INTO shared.trips (id, city, rider, at, price)
      VALUES (4, 'bern', named_struct('name', 'ada', 'age', 36, 'since', DATE '2001-02-03'), TIMESTAMP '2026-01-04 10:00:00', 1234567890.12)`);
    expect(await lakehouse.columns('shared.trips')).toEqual([
      'id long',
      'city string',
      'rider struct<name: string, age: int, since: date>',
      'at timestamptz',
      'price decimal(12, 2)',
    ]);
    expect(await lakehouse.partitioning('shared.trips')).toEqual(['bucket[4](id)']);
    expect(await lakehouse.properties('shared.trips')).toMatchObject({ note: 'evolved' });
    expect(await lakehouse.properties('shared.trips')).not.toHaveProperty('made-by');
    expect(await lakehouse.sql('SELECT id, rider, price FROM shared.trips ORDER BY id LIMIT 3')).toEqual([
      { id: '1', rider: null, price: '25.00' },
      { id: '2', rider: null, price: '7.25' },
      { id: '4', rider: { name: 'ada', age: 36, since: '2001-02-03' }, price: '1234567890.12' },
    ]);
  });

  test('writes every type it has, in Parquet and Avro, and partitions of any value; GraphQL reads them', async () => {
    await spark.sql(`CREATE TABLE shared.types (b BOOLEAN, i INT, l BIGINT, f FLOAT, d DOUBLE, de DECIMAL(38, 10), da DATE, ts TIMESTAMP,
      tn TIMESTAMP_NTZ, s STRING, bi BINARY, li ARRAY<DOUBLE>, m MAP<STRING, BIGINT>,
      st STRUCT<a: INT, b: ARRAY<STRUCT<c: STRING>>>) USING iceberg`);
    await spark.sql(`INSERT INTO shared.types VALUES
      (true, -2147483648, -9223372036854775808, CAST('NaN' AS FLOAT), CAST('-Infinity' AS DOUBLE),
       -1234567890123456789012345678.0123456789, DATE '1582-10-15', TIMESTAMP '1900-01-01 00:00:00.000001',
       TIMESTAMP_NTZ '2262-04-11 23:47:16.854775', 'né 🛫', X'DEADBEEF', array(1.5, null), map('a', 1, 'b', null),
       named_struct('a', 1, 'b', array(named_struct('c', 'x'), null))),
      (null, null, null, null, null, null, null, null, null, null, null, null, null, null)`);
    const [none, full] = await lakehouse.rows('shared.types');
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
    await spark.sql(`CREATE TABLE shared.types_in_avro USING iceberg ${avro} AS SELECT * FROM shared.types`);
    expect(await lakehouse.rows('shared.types_in_avro')).toEqual([none, full]);

    const cities = ['a/b c%20é', 'a=b&c+d', '?#%', '..', '', 'x\'y"z'];
    await spark.sql('CREATE TABLE shared.cities (city STRING, n INT) USING iceberg PARTITIONED BY (city)');
    const given = JSON.stringify([...cities.map((city, n) => [city, n]), ['', 9]]);
    await spark.python(`spark.createDataFrame(${given}, "city STRING, n INT").writeTo("shared.cities").append()`);
    await spark.sql('INSERT INTO shared.cities VALUES (NULL, 10)');
    expect((await lakehouse.rows('shared.cities')).length).toBe(8);
    const upserted = cities.map((city, n) => ({ city, n: n + 100 }));
    await lakehouse.write('shared.cities', upserted, { mode: 'UPSERT', keys: ['city'] });
    expect(await spark.sql('SELECT count(*), count(DISTINCT city), min(n) FROM shared.cities')).toEqual([[7, 6, 10]]);
    for (const { city, n } of upserted) {
      const quoted = city.replaceAll("'", "\\'");
      expect(await spark.sql(`SELECT n FROM shared.cities WHERE city = '${quoted}'`)).toEqual([[n]]);
    }
  });

  test('deletes by position are read by GraphQL, and tables that GraphQL writes by Spark', async () => {
    await spark.sql(`CREATE TABLE shared.positions (id BIGINT, name STRING) USING iceberg
      TBLPROPERTIES ('write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read', 'format-version' = '2')`);
    await spark.sql("INSERT INTO shared.positions SELECT id, concat('row ', id) FROM range(100)");
    await spark.sql('DELETE FROM shared.positions WHERE id % 10 = 3');
    await spark.sql("UPDATE shared.positions SET name = 'changed' WHERE id = 50");
    const rows = await lakehouse.rows('shared.positions');
    expect(rows.length).toBe(90);
    expect(rows).toContainEqual({ id: '50', name: 'changed' });
    expect(await spark.sql('SELECT count(*) FROM shared.positions.delete_files')).not.toEqual([[0]]);

    await lakehouse.write(
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
    await lakehouse.write('shared.positions', [{ id: '51' }], { mode: 'DELETE', keys: ['id'] });
    expect(await spark.sql('SELECT count(*), max(id) FROM shared.positions')).toEqual([[90, 200]]);
    expect(await spark.sql('SELECT id, name FROM shared.positions WHERE id IN (50, 51, 200) ORDER BY id')).toEqual([
      [50, 'by Icecore'],
      [200, 'new'],
    ]);
  });

  test('writes tables of format version 3: GraphQL reads their deletion vectors, and rows keep their ids when it writes', async () => {
    await spark.sql(`CREATE TABLE shared.third (id BIGINT, name STRING) USING iceberg
      TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read', 'write.update.mode' = 'merge-on-read')`);
    await spark.sql("INSERT INTO shared.third SELECT id, concat('row ', id) FROM range(10)");
    await spark.sql('DELETE FROM shared.third WHERE id = 3');
    await spark.sql("UPDATE shared.third SET name = 'changed' WHERE id = 5");
    expect(await spark.sql('SELECT DISTINCT file_format FROM shared.third.delete_files')).toEqual([['PUFFIN']]);
    const rows = await lakehouse.rows('shared.third');
    expect(rows.length).toBe(9);
    expect(rows).toContainEqual({ id: '5', name: 'changed' });
    const ids = 'SELECT id, _row_id FROM shared.third WHERE id IN (4, 5, 6) ORDER BY id';
    const before = await spark.sql(ids);
    await lakehouse.write('shared.third', [{ id: '5', name: 'again' }], { mode: 'UPSERT', keys: ['id'] });
    await lakehouse.write('shared.third', [{ id: '20', name: 'new' }]);
    const after = await spark.sql(ids);
    expect([after[0], after[2]]).toEqual([before[0], before[2]]);
    expect(await spark.sql('SELECT count(*), count(DISTINCT _row_id) FROM shared.third')).toEqual([[10, 10]]);
    expect(await spark.sql('SELECT name FROM shared.third WHERE id IN (5, 20) ORDER BY id')).toEqual([['again'], ['new']]);
    await spark.sql('DELETE FROM shared.third WHERE id = 20');
    expect((await lakehouse.rows('shared.third')).length).toBe(9);
  });

  test('makes, writes and reads branches and tags, and travels in time, as GraphQL does', async () => {
    await lakehouse.create({ name: 'shared.branches', columns: [{ name: 'id', type: 'long' }] });
    const first = await lakehouse.write('shared.branches', [{ id: '1' }]);
    await spark.sql('ALTER TABLE shared.branches CREATE TAG one RETAIN 30 DAYS');
    await spark.sql('ALTER TABLE shared.branches CREATE BRANCH audit WITH SNAPSHOT RETENTION 5 SNAPSHOTS');
    await spark.sql('INSERT INTO shared.branches.branch_audit VALUES (2)');
    await lakehouse.write('shared.branches', [{ id: '3' }], { branch: 'audit' });
    const second = await lakehouse.write('shared.branches', [{ id: '4' }]);
    await lakehouse.ask('mutation ($input: SetSnapshotRefInput!) { setSnapshotRef(input: $input) { ref { name } } }', {
      table: 'shared.branches',
      name: 'by-graphql',
      type: 'TAG',
      snapshotId: second,
    });
    const refs = await lakehouse.refs('shared.branches');
    expect(refs).toMatchObject({ 'TAG one': first, 'TAG by-graphql': second, 'BRANCH main': second });
    const known = await spark.sql('SELECT type, name, CAST(snapshot_id AS STRING) FROM shared.branches.refs');
    expect(Object.fromEntries(known.map(([type, name, id]: string[]) => [`${type} ${name}`, id]))).toEqual(refs);
    expect(await spark.sql("SELECT id FROM shared.branches VERSION AS OF 'audit' ORDER BY id")).toEqual([[1], [2], [3]]);
    expect(await spark.sql("SELECT id FROM shared.branches VERSION AS OF 'by-graphql' ORDER BY id")).toEqual([[1], [4]]);
    expect(await spark.sql(`SELECT id FROM shared.branches VERSION AS OF ${first}`)).toEqual([[1]]);
    const [[committed]] = await spark.sql(
      `SELECT CAST(committed_at AS STRING) FROM shared.branches.snapshots WHERE snapshot_id = ${first}`,
    );
    expect(await spark.sql(`SELECT id FROM shared.branches TIMESTAMP AS OF '${committed}'`)).toEqual([[1]]);
    expect(await lakehouse.rows('shared.branches', { ref: 'audit' })).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    await spark.sql('ALTER TABLE shared.branches DROP BRANCH audit');
    await spark.sql('ALTER TABLE shared.branches DROP TAG one');
    expect(Object.keys(await lakehouse.refs('shared.branches')).toSorted()).toEqual(['BRANCH main', 'TAG by-graphql']);
  });

  test('makes tables of queries, replaces, renames and drops them', async () => {
    await spark.sql(
      'CREATE TABLE shared.made USING iceberg PARTITIONED BY (parity) AS SELECT id, id % 2 AS parity FROM range(10)',
    );
    expect((await lakehouse.rows('shared.made')).length).toBe(10);
    await spark.sql("CREATE OR REPLACE TABLE shared.made USING iceberg AS SELECT 'only' AS word");
    expect(await lakehouse.rows('shared.made')).toEqual([{ word: 'only' }]);
    expect((await lakehouse.snapshots('shared.made')).length).toBe(2);
    await spark.sql("INSERT OVERWRITE shared.made SELECT * FROM VALUES ('other')");
    await spark.sql('ALTER TABLE shared.made RENAME TO shared.renamed');
    expect(await lakehouse.rows('shared.renamed')).toEqual([{ word: 'other' }]);
    expect(await lakehouse.has('shared.made')).toBe(false);
    await spark.sql('DROP TABLE shared.renamed PURGE');
    expect(await lakehouse.has('shared.renamed')).toBe(false);
    await spark.sql("CREATE NAMESPACE shared.nested WITH DBPROPERTIES ('team' = 'ice')");
    expect(await spark.sql('SHOW NAMESPACES IN shared')).toEqual([['shared.nested']]);
    await spark.sql('CREATE TABLE shared.nested.deep USING iceberg AS SELECT 1 AS one');
    expect(await lakehouse.rows('shared.nested.deep')).toEqual([{ one: 1 }]);
    expect(await spark.refusal('DROP NAMESPACE shared.nested')).toMatch(/not empty/i);
    await spark.sql('DROP TABLE shared.nested.deep');
    await spark.sql('DROP NAMESPACE shared.nested');
    expect(await spark.sql('SHOW NAMESPACES IN shared')).toEqual([]);
  });

  test('makes, replaces, alters, lists and drops views', async () => {
    await spark.sql('CREATE TABLE shared.viewed USING iceberg AS SELECT id FROM range(5)');
    await spark.sql(
      "CREATE VIEW shared.large (id COMMENT 'of five') COMMENT 'the larger ones' AS SELECT id FROM shared.viewed WHERE id > 2",
    );
    expect(await spark.sql('SELECT id FROM shared.large ORDER BY id')).toEqual([[3], [4]]);
    await spark.sql('CREATE OR REPLACE VIEW shared.large AS SELECT id FROM shared.viewed WHERE id > 3');
    await spark.sql("ALTER VIEW shared.large SET TBLPROPERTIES ('note' = 'kept')");
    expect(await spark.sql('SELECT id FROM shared.large')).toEqual([[4]]);
    expect((await spark.sql('SHOW VIEWS IN shared')).map((row: unknown[]) => row[1])).toEqual(['large']);
    expect(await spark.sql('SHOW TBLPROPERTIES shared.large (note)')).toEqual([['note', 'kept']]);
    expect(await spark.refusal('CREATE VIEW shared.viewed AS SELECT 1 AS one')).toMatch(/already exists/i);
    expect(await spark.refusal('CREATE TABLE shared.large (id INT) USING iceberg')).toMatch(/already exists/i);
    await spark.sql('ALTER VIEW shared.large RENAME TO shared.largest');
    expect(await spark.sql('SELECT id FROM shared.largest')).toEqual([[4]]);
    await spark.sql('DROP VIEW shared.largest');
    expect(await spark.sql('SHOW VIEWS IN shared')).toEqual([]);
  });

  test('runs the procedures that maintain a table', async () => {
    await spark.sql('CREATE TABLE shared.kept (id BIGINT) USING iceberg');
    for (const id of [1, 2, 3, 4]) await spark.sql(`INSERT INTO shared.kept VALUES (${id})`);
    const before = await lakehouse.snapshots('shared.kept');
    const third = before[2]?.snapshotId;
    await spark.sql(`CALL lake.system.rollback_to_snapshot('shared.kept', ${third})`);
    expect(await lakehouse.sql('SELECT count(*) AS n FROM shared.kept')).toEqual([{ n: '3' }]);
    await spark.sql(`CALL lake.system.set_current_snapshot('shared.kept', ${before[3]?.snapshotId})`);
    expect(await lakehouse.sql('SELECT count(*) AS n FROM shared.kept')).toEqual([{ n: '4' }]);
    const [[rewritten, added]] = await spark.sql(
      "CALL lake.system.rewrite_data_files(table => 'shared.kept', options => map('min-input-files', '2'))",
    );
    expect([rewritten, added]).toEqual([4, 1]);
    await spark.sql("CALL lake.system.rewrite_manifests('shared.kept')");
    expect(await lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await spark.sql(
      "CALL lake.system.expire_snapshots(table => 'shared.kept', older_than => TIMESTAMP '2100-01-01', retain_last => 1)",
    );
    expect((await lakehouse.snapshots('shared.kept')).length).toBe(1);
    expect(await lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await spark.sql("CALL lake.system.remove_orphan_files(table => 'shared.kept')");
    const [[statistics]] = await spark.sql("CALL lake.system.compute_table_stats('shared.kept')");
    expect(statistics).toMatch(/\.stats$/);
    await spark.sql(
      'CREATE TABLE shared.parts USING iceberg PARTITIONED BY (parity) AS SELECT id, id % 2 AS parity FROM range(4)',
    );
    await spark.sql("CALL lake.system.compute_partition_stats('shared.parts')");
    expect((await lakehouse.rows('shared.parts')).length).toBe(4);
    expect(await lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    const [[metadata]] = await spark.sql('SELECT file FROM shared.kept.metadata_log_entries ORDER BY timestamp DESC LIMIT 1');
    await spark.sql('DROP TABLE shared.kept');
    await spark.sql(`CALL lake.system.register_table('shared.back', '${metadata}')`);
    expect(await lakehouse.rows('shared.back')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await spark.sql('ALTER TABLE shared.back CREATE BRANCH ahead');
    await spark.sql('INSERT INTO shared.back.branch_ahead VALUES (5)');
    await spark.sql("CALL lake.system.fast_forward('shared.back', 'main', 'ahead')");
    expect((await lakehouse.rows('shared.back')).length).toBe(5);
  });

  test('cannot expire what a training set holds, nor take its pin away', async () => {
    const { held, later } = await makePinnedTable(lakehouse);
    await spark.sql(
      "CALL lake.system.expire_snapshots(table => 'shared.pinned', older_than => TIMESTAMP '2100-01-01', retain_last => 1)",
    );
    expect((await lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
    expect(await spark.sql(`SELECT visitors FROM shared.pinned VERSION AS OF ${held}`)).toEqual([[1]]);
    const forced = `CALL lake.system.expire_snapshots(table => 'shared.pinned', snapshot_ids => array(${held}))`;
    await spark.refusal(forced);
    expect(await spark.refusal('ALTER TABLE shared.pinned DROP TAG `training-set/pinned/v1`')).toMatch(
      /training-set\/pinned\/v1/,
    );
    expect((await lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
  });

  test('stages a write for review and publishes it, and takes files over that are there already', async () => {
    await spark.sql("CREATE TABLE shared.reviewed (id BIGINT) USING iceberg TBLPROPERTIES ('write.wap.enabled' = 'true')");
    await spark.sql('INSERT INTO shared.reviewed VALUES (1)');
    await spark.python('spark.conf.set("spark.wap.id", "review")');
    await spark.sql('INSERT INTO shared.reviewed VALUES (2)');
    await spark.python('spark.conf.unset("spark.wap.id")');
    await lakehouse.write('shared.reviewed', [{ id: '3' }]);
    expect(await lakehouse.rows('shared.reviewed')).toEqual([{ id: '1' }, { id: '3' }]);
    await spark.sql("CALL lake.system.publish_changes('shared.reviewed', 'review')");
    expect(await lakehouse.rows('shared.reviewed')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);

    const files = `file://${server.directory}/warehouse/delivered`;
    await spark.python(`spark.range(3).selectExpr("id", "concat('n', id) AS name").write.parquet("${files}")`);
    await spark.sql('CREATE TABLE shared.taken (id BIGINT, name STRING) USING iceberg');
    await spark.sql(`CALL lake.system.add_files(table => 'shared.taken', source_table => '\`parquet\`.\`${files}\`')`);
    expect(await lakehouse.rows('shared.taken')).toEqual([0, 1, 2].map((id) => ({ id: String(id), name: `n${id}` })));
  });

  test('streams into a table, and reads what changed between two snapshots', async () => {
    await lakehouse.create({ name: 'shared.stream', columns: [{ name: 'value', type: 'long' }] });
    const first = await lakehouse.write('shared.stream', [{ value: '-1' }]);
    await spark.python(`
rate = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 5).option("startTimestamp", 1).load()
query = (rate.selectExpr("value").writeStream.format("iceberg").outputMode("append").trigger(availableNow=True)
    .option("checkpointLocation", "${server.directory}/checkpoint").toTable("shared.stream"))
query.awaitTermination(120)
`);
    const streamed = (await lakehouse.rows('shared.stream')).length;
    expect(streamed).toBeGreaterThan(1);
    await lakehouse.write('shared.stream', [{ value: '-1' }], { mode: 'DELETE', keys: ['value'] });
    const changes = `CALL lake.system.create_changelog_view(table => 'shared.stream', changelog_view => 'changes',
      options => map('start-snapshot-id', '${first}'))`;
    await spark.sql(changes);
    expect(await spark.sql("SELECT value FROM changes WHERE _change_type = 'DELETE'")).toEqual([[-1]]);
    expect(await spark.sql("SELECT count(*) FROM changes WHERE _change_type = 'INSERT'")).toEqual([[streamed - 1]]);
  });

  test("may read Icecore's own tables and write none", async () => {
    const [[entries]] = await spark.sql('SELECT count(*) FROM icecore.audit_log');
    expect(entries).toBeGreaterThan(0);
    expect(await spark.refusal('DELETE FROM icecore.audit_log')).toMatch(/Forbidden|Icecore's own/);
    expect(await spark.refusal('DROP TABLE icecore.audit_log')).toMatch(/Forbidden|Icecore's own/);
    expect(await spark.refusal('CREATE TABLE icecore.mine (id INT) USING iceberg')).toMatch(/Forbidden|Icecore's own/);
  });

  test('and Icecore write one table for a minute, and neither loses a row', async () => {
    // Spark gives up after four conflicts where nothing else is said, and the other writer does not rest.
    await spark.sql(`CREATE TABLE shared.both (writer STRING, n BIGINT) USING iceberg
      TBLPROPERTIES ('commit.retry.num-retries' = '200', 'commit.retry.min-wait-ms' = '5', 'commit.retry.max-wait-ms' = '50')`);
    const untilMs = Date.now() + 60_000;
    const writeIcecore = async (): Promise<number> => {
      let written = 0;
      for (; Date.now() < untilMs; written += 1)
        await lakehouse.write('shared.both', [{ writer: 'icecore', n: String(written) }]);
      return written;
    };
    const writeSpark = async (): Promise<number> => {
      let written = 0;
      for (; Date.now() < untilMs; written += 1) await spark.sql(`INSERT INTO shared.both VALUES ('spark', ${written})`);
      return written;
    };
    const [byIcecore, bySpark] = await Promise.all([writeIcecore(), writeSpark()]);
    expect(byIcecore).toBeGreaterThan(0);
    expect(bySpark).toBeGreaterThan(0);
    const counted = [
      ['icecore', byIcecore, byIcecore],
      ['spark', bySpark, bySpark],
    ];
    const count =
      'SELECT writer, count(*) AS rows, count(DISTINCT n) AS different FROM shared.both GROUP BY writer ORDER BY writer';
    expect(await spark.sql(count)).toEqual(counted);
    expect(await lakehouse.sql(count)).toEqual(
      counted.map(([writer, rows, different]) => ({ writer, rows: String(rows), different: String(different) })),
    );
  });
});
