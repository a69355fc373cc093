import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { Trino } from '../environment/trino.ts';
import { Lakehouse } from './lakehouse.ts';
import { makePinnedTable } from './pinned-table.ts';
import { keyOf, RestServer } from './rest-server.ts';

describeWith(['python3', 'mvn'], 'Trino over the REST catalog', () => {
  let server: RestServer;
  let lakehouse: Lakehouse;
  let trino: Trino;
  beforeAll(async () => {
    server = await RestServer.start();
    lakehouse = new Lakehouse(server.api('keeper'));
    trino = await Trino.start({
      directory: join(server.directory, 'trino'),
      catalogs: {
        lake: {
          'connector.name': 'iceberg',
          'iceberg.catalog.type': 'rest',
          'iceberg.rest-catalog.uri': server.catalogUri,
          'iceberg.rest-catalog.warehouse': 'main',
          'iceberg.rest-catalog.security': 'OAUTH2',
          'iceberg.rest-catalog.oauth2.credential': `keeper:${keyOf('keeper')}`,
          'iceberg.rest-catalog.nested-namespace-enabled': 'true',
          'iceberg.register-table-procedure.enabled': 'true',
          'fs.hadoop.enabled': 'true',
        },
      },
    });
    await trino.query('CREATE SCHEMA lake.shared');
  });
  afterAll(async () => {
    await trino?.stop();
    await server?.stop();
  });

  test('makes tables of queries, inserts, merges, updates and deletes; GraphQL shows each', async () => {
    await trino.query(`CREATE TABLE lake.shared.trips WITH (partitioning = ARRAY['day(at)'], format_version = 2) AS
      SELECT * FROM (VALUES
        (BIGINT '1', 'oslo', TIMESTAMP '2026-01-01 10:00:00 UTC', DECIMAL '12.50', ARRAY['a', 'b']),
        (BIGINT '9007199254740993', NULL, NULL, NULL, NULL)) AS t (id, city, at, fare, tags)`);
    await trino.query(`INSERT INTO lake.shared.trips (id, city, at) VALUES
      (2, 'rome', TIMESTAMP '2026-01-02 10:00:00 UTC'), (3, 'pisa', TIMESTAMP '2026-01-02 11:00:00 UTC')`);
    await trino.query("DELETE FROM lake.shared.trips WHERE city = 'pisa'");
    await trino.query("UPDATE lake.shared.trips SET city = 'roma' WHERE id = 2");
    await trino.query(`MERGE INTO lake.shared.trips t USING (VALUES (1, DECIMAL '25.00')) AS s (id, fare) ON t.id = s.id
      WHEN MATCHED THEN UPDATE SET fare = s.fare`);
    expect(await lakehouse.columns('shared.trips')).toEqual([
      'id long',
      'city string',
      'at timestamptz',
      'fare decimal(4, 2)',
      'tags list<string>',
    ]);
    expect(await lakehouse.partitioning('shared.trips')).toEqual(['day(at)']);
    expect(await lakehouse.rows('shared.trips')).toEqual([
      { id: '1', city: 'oslo', at: '2026-01-01T10:00:00Z', fare: '25.00', tags: ['a', 'b'] },
      { id: '2', city: 'roma', at: '2026-01-02T10:00:00Z', fare: null, tags: null },
      { id: '9007199254740993', city: null, at: null, fare: null, tags: null },
    ]);
  });

  test('reads what GraphQL wrote, its snapshots, and travels in time', async () => {
    await lakehouse.create({
      name: 'shared.visits',
      columns: [
        { name: 'site', type: 'string' },
        { name: 'visitors', type: 'long' },
      ],
      partitionBy: [{ column: 'site' }],
    });
    const first = await lakehouse.write('shared.visits', [
      { site: 'here', visitors: '1' },
      { site: 'there', visitors: '2' },
    ]);
    const second = await lakehouse.write('shared.visits', [{ site: 'here', visitors: '10' }], { mode: 'UPSERT', keys: ['site'] });
    expect(await trino.query('SELECT * FROM lake.shared.visits ORDER BY site')).toEqual([
      ['here', 10],
      ['there', 2],
    ]);
    expect(await trino.query(`SELECT visitors FROM lake.shared.visits FOR VERSION AS OF ${first} WHERE site = 'here'`)).toEqual([
      [1],
    ]);
    const snapshots = await trino.query(
      'SELECT CAST(snapshot_id AS varchar) FROM lake.shared."visits$snapshots" ORDER BY committed_at',
    );
    expect(snapshots).toEqual([[first], [second]]);
    const [[committed] = []] = await trino.query(
      'SELECT CAST(committed_at AS varchar) FROM lake.shared."visits$snapshots" ORDER BY committed_at LIMIT 1',
    );
    const asOf = `FOR TIMESTAMP AS OF TIMESTAMP '${committed}'`;
    expect(await trino.query(`SELECT visitors FROM lake.shared.visits ${asOf} WHERE site = 'here'`)).toEqual([[1]]);
    expect(await trino.query('SELECT name, type FROM lake.shared."visits$refs"')).toEqual([['main', 'BRANCH']]);
    expect(await trino.query('SHOW TABLES FROM lake.shared')).toEqual([['trips'], ['visits']]);
  });

  test('evolves, maintains, renames and drops tables', async () => {
    await trino.query('CREATE TABLE lake.shared.kept (id integer)');
    for (const id of [1, 2, 3]) await trino.query(`INSERT INTO lake.shared.kept VALUES ${id}`);
    await trino.query('ALTER TABLE lake.shared.kept ADD COLUMN note varchar');
    await trino.query('ALTER TABLE lake.shared.kept RENAME COLUMN note TO remark');
    await trino.query('ALTER TABLE lake.shared.kept ALTER COLUMN id SET DATA TYPE bigint');
    await trino.query("ALTER TABLE lake.shared.kept SET PROPERTIES partitioning = ARRAY['bucket(id, 4)']");
    await trino.query("COMMENT ON COLUMN lake.shared.kept.remark IS 'free'");
    await trino.query('ALTER TABLE lake.shared.kept EXECUTE optimize');
    await trino.query('ANALYZE lake.shared.kept');
    const statistics = await trino.query('SHOW STATS FOR lake.shared.kept');
    expect(statistics.find(([column]) => column === 'id')?.[2]).toBe(3);
    await trino.query("ALTER TABLE lake.shared.kept EXECUTE expire_snapshots(retention_threshold => '7d')");
    await trino.query("ALTER TABLE lake.shared.kept EXECUTE remove_orphan_files(retention_threshold => '7d')");
    expect(await lakehouse.columns('shared.kept')).toEqual(['id long', 'remark string']);
    expect(await lakehouse.partitioning('shared.kept')).toEqual(['bucket[4](id)']);
    expect(await lakehouse.sql('SELECT id FROM shared.kept ORDER BY id')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    await trino.query('ALTER TABLE lake.shared.kept RENAME TO lake.shared.moved');
    expect(await lakehouse.has('shared.kept')).toBe(false);
    expect((await lakehouse.rows('shared.moved')).length).toBe(3);
    await trino.query('DROP TABLE lake.shared.moved');
    expect(await lakehouse.has('shared.moved')).toBe(false);
  });

  test('writes every type it has, replaces tables, nests namespaces, and takes a table out of the catalog and in again', async () => {
    await trino.query(`CREATE TABLE lake.shared.types AS SELECT true b, 1 i, BIGINT '9007199254740993' l, REAL '1.5' f, nan() d,
      DATE '1582-10-15' da, TIME '12:34:56.123456' t, TIMESTAMP '2001-01-01 00:00:00.000001' tn,
      TIMESTAMP '2001-01-01 00:00:00.000001 UTC' ts, 'né' s, X'DEAD' bi, UUID '12151fd2-7586-11e9-8f9e-2a86e4085a59' u,
      MAP(ARRAY['a'], ARRAY[1]) m, CAST(ROW(1, ARRAY['x']) AS ROW(a INTEGER, b ARRAY(VARCHAR))) r`);
    expect(await lakehouse.rows('shared.types')).toEqual([
      {
        b: true,
        i: 1,
        l: '9007199254740993',
        f: 1.5,
        d: 'NaN',
        da: '1582-10-15',
        t: '12:34:56.123456',
        tn: '2001-01-01T00:00:00.000001',
        ts: '2001-01-01T00:00:00.000001Z',
        s: 'né',
        bi: '3q0=',
        u: '12151fd2-7586-11e9-8f9e-2a86e4085a59',
        m: [['a', 1]],
        r: { a: 1, b: ['x'] },
      },
    ]);
    await trino.query('CREATE SCHEMA lake."shared.deep"');
    await trino.query('CREATE TABLE lake."shared.deep".made AS SELECT 1 AS one');
    await trino.query('CREATE OR REPLACE TABLE lake."shared.deep".made AS SELECT \'x\' AS two');
    expect(await lakehouse.rows('shared.deep.made')).toEqual([{ two: 'x' }]);
    const [[file] = []] = await trino.query(
      'SELECT file FROM lake."shared.deep"."made$metadata_log_entries" ORDER BY timestamp DESC LIMIT 1',
    );
    const place = String(file).replace(/\/metadata\/[^/]*$/, '');
    await trino.query("CALL lake.system.unregister_table('shared.deep', 'made')");
    expect(await lakehouse.has('shared.deep.made')).toBe(false);
    await trino.query(`CALL lake.system.register_table('shared.deep', 'back', '${place}')`);
    expect(await lakehouse.rows('shared.deep.back')).toEqual([{ two: 'x' }]);
  });

  test('cannot drop a table that a training set holds', async () => {
    const { held, later } = await makePinnedTable(lakehouse);
    await expect(trino.query('DROP TABLE lake.shared.pinned')).rejects.toThrow(/pinned by training-set\/pinned\/v1/);
    await trino.query("ALTER TABLE lake.shared.pinned EXECUTE expire_snapshots(retention_threshold => '7d')");
    expect((await lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
  });

  test('makes, replaces, lists and drops views', async () => {
    await trino.query('CREATE VIEW lake.shared.large AS SELECT site FROM lake.shared.visits WHERE visitors > 5');
    expect(await trino.query('SELECT * FROM lake.shared.large')).toEqual([['here']]);
    await trino.query('CREATE OR REPLACE VIEW lake.shared.large AS SELECT site FROM lake.shared.visits WHERE visitors < 5');
    expect(await trino.query('SELECT * FROM lake.shared.large')).toEqual([['there']]);
    await trino.query('ALTER VIEW lake.shared.large RENAME TO lake.shared.small');
    expect(await trino.query("SELECT table_name FROM lake.information_schema.views WHERE table_schema = 'shared'")).toEqual([
      ['small'],
    ]);
    await trino.query('DROP VIEW lake.shared.small');
    expect(await trino.query("SELECT table_name FROM lake.information_schema.views WHERE table_schema = 'shared'")).toEqual([]);
  });

  test("reads Icecore's own tables and writes none", async () => {
    const [[entries] = []] = await trino.query('SELECT count(*) FROM lake.icecore.audit_log');
    expect(entries).toBeGreaterThan(0);
    await expect(trino.query('DELETE FROM lake.icecore.audit_log WHERE true')).rejects.toThrow();
    await expect(trino.query('DROP TABLE lake.icecore.audit_log')).rejects.toThrow();
    await expect(trino.query('CREATE TABLE lake.icecore.mine (id integer)')).rejects.toThrow();
  });
});
