import { expect, test } from 'vitest';
import type { SparkLake } from './spark-lake.ts';

/** Tables, namespaces and views by name. */
export function testNames(lake: () => SparkLake): void {
  test('makes tables of queries, replaces, renames and drops them', async () => {
    await lake().spark.sql(
      'CREATE TABLE shared.made USING iceberg PARTITIONED BY (parity) AS SELECT id, id % 2 AS parity FROM range(10)',
    );
    expect((await lake().lakehouse.rows('shared.made')).length).toBe(10);
    await lake().spark.sql("CREATE OR REPLACE TABLE shared.made USING iceberg AS SELECT 'only' AS word");
    expect(await lake().lakehouse.rows('shared.made')).toEqual([{ word: 'only' }]);
    expect((await lake().lakehouse.snapshots('shared.made')).length).toBe(2);
    await lake().spark.sql("INSERT OVERWRITE shared.made SELECT * FROM VALUES ('other')");
    await lake().spark.sql('ALTER TABLE shared.made RENAME TO shared.renamed');
    expect(await lake().lakehouse.rows('shared.renamed')).toEqual([{ word: 'other' }]);
    expect(await lake().lakehouse.has('shared.made')).toBe(false);
    await lake().spark.sql('DROP TABLE shared.renamed PURGE');
    expect(await lake().lakehouse.has('shared.renamed')).toBe(false);
    await lake().spark.sql("CREATE NAMESPACE shared.nested WITH DBPROPERTIES ('team' = 'ice')");
    expect(await lake().spark.sql('SHOW NAMESPACES IN shared')).toEqual([['shared.nested']]);
    await lake().spark.sql('CREATE TABLE shared.nested.deep USING iceberg AS SELECT 1 AS one');
    expect(await lake().lakehouse.rows('shared.nested.deep')).toEqual([{ one: 1 }]);
    expect(await lake().spark.refusal('DROP NAMESPACE shared.nested')).toMatch(/not empty/i);
    await lake().spark.sql('DROP TABLE shared.nested.deep');
    await lake().spark.sql('DROP NAMESPACE shared.nested');
    expect(await lake().spark.sql('SHOW NAMESPACES IN shared')).toEqual([]);
  });

  test('makes, replaces, alters, lists and drops views', async () => {
    await lake().spark.sql('CREATE TABLE shared.viewed USING iceberg AS SELECT id FROM range(5)');
    await lake().spark.sql(
      "CREATE VIEW shared.large (id COMMENT 'of five') COMMENT 'the larger ones' AS SELECT id FROM shared.viewed WHERE id > 2",
    );
    expect(await lake().spark.sql('SELECT id FROM shared.large ORDER BY id')).toEqual([[3], [4]]);
    await lake().spark.sql('CREATE OR REPLACE VIEW shared.large AS SELECT id FROM shared.viewed WHERE id > 3');
    await lake().spark.sql("ALTER VIEW shared.large SET TBLPROPERTIES ('note' = 'kept')");
    expect(await lake().spark.sql('SELECT id FROM shared.large')).toEqual([[4]]);
    expect((await lake().spark.sql('SHOW VIEWS IN shared')).map((row: unknown[]) => row[1])).toEqual(['large']);
    expect(await lake().spark.sql('SHOW TBLPROPERTIES shared.large (note)')).toEqual([['note', 'kept']]);
    expect(await lake().spark.refusal('CREATE VIEW shared.viewed AS SELECT 1 AS one')).toMatch(/already exists/i);
    expect(await lake().spark.refusal('CREATE TABLE shared.large (id INT) USING iceberg')).toMatch(/already exists/i);
    await lake().spark.sql('ALTER VIEW shared.large RENAME TO shared.largest');
    expect(await lake().spark.sql('SELECT id FROM shared.largest')).toEqual([[4]]);
    await lake().spark.sql('DROP VIEW shared.largest');
    expect(await lake().spark.sql('SHOW VIEWS IN shared')).toEqual([]);
  });

  test("may read Icecore's own tables and write none", async () => {
    const [[entries]] = await lake().spark.sql('SELECT count(*) FROM icecore.audit_log');
    expect(entries).toBeGreaterThan(0);
    expect(await lake().spark.refusal('DELETE FROM icecore.audit_log')).toMatch(/Forbidden|Icecore's own/);
    expect(await lake().spark.refusal('DROP TABLE icecore.audit_log')).toMatch(/Forbidden|Icecore's own/);
    expect(await lake().spark.refusal('CREATE TABLE icecore.mine (id INT) USING iceberg')).toMatch(/Forbidden|Icecore's own/);
  });
}
