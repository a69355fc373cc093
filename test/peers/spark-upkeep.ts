import { expect, test } from 'vitest';
import type { SparkLake } from './spark-lake.ts';

/** The procedures that maintain a table. */
export function testUpkeep(lake: () => SparkLake): void {
  test('runs the procedures that maintain a table', async () => {
    await lake().spark.sql('CREATE TABLE shared.kept (id BIGINT) USING iceberg');
    for (const id of [1, 2, 3, 4]) await lake().spark.sql(`INSERT INTO shared.kept VALUES (${id})`);
    const before = await lake().lakehouse.snapshots('shared.kept');
    const third = before[2]?.snapshotId;
    await lake().spark.sql(`CALL lake.system.rollback_to_snapshot('shared.kept', ${third})`);
    expect(await lake().lakehouse.sql('SELECT count(*) AS n FROM shared.kept')).toEqual([{ n: '3' }]);
    await lake().spark.sql(`CALL lake.system.set_current_snapshot('shared.kept', ${before[3]?.snapshotId})`);
    expect(await lake().lakehouse.sql('SELECT count(*) AS n FROM shared.kept')).toEqual([{ n: '4' }]);
    const [[rewritten, added]] = await lake().spark.sql(
      "CALL lake.system.rewrite_data_files(table => 'shared.kept', options => map('min-input-files', '2'))",
    );
    expect([rewritten, added]).toEqual([4, 1]);
    await lake().spark.sql("CALL lake.system.rewrite_manifests('shared.kept')");
    expect(await lake().lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await lake().spark.sql(
      "CALL lake.system.expire_snapshots(table => 'shared.kept', older_than => TIMESTAMP '2100-01-01', retain_last => 1)",
    );
    expect((await lake().lakehouse.snapshots('shared.kept')).length).toBe(1);
    expect(await lake().lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await lake().spark.sql("CALL lake.system.remove_orphan_files(table => 'shared.kept')");
    const [[statistics]] = await lake().spark.sql("CALL lake.system.compute_table_stats('shared.kept')");
    expect(statistics).toMatch(/\.stats$/);
    await lake().spark.sql(
      'CREATE TABLE shared.parts USING iceberg PARTITIONED BY (parity) AS SELECT id, id % 2 AS parity FROM range(4)',
    );
    await lake().spark.sql("CALL lake.system.compute_partition_stats('shared.parts')");
    expect((await lake().lakehouse.rows('shared.parts')).length).toBe(4);
    expect(await lake().lakehouse.rows('shared.kept')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    const [[metadata]] = await lake().spark.sql(
      'SELECT file FROM shared.kept.metadata_log_entries ORDER BY timestamp DESC LIMIT 1',
    );
    await lake().spark.sql('DROP TABLE shared.kept');
    await lake().spark.sql(`CALL lake.system.register_table('shared.back', '${metadata}')`);
    expect(await lake().lakehouse.rows('shared.back')).toEqual(['1', '2', '3', '4'].map((id) => ({ id })));
    await lake().spark.sql('ALTER TABLE shared.back CREATE BRANCH ahead');
    await lake().spark.sql('INSERT INTO shared.back.branch_ahead VALUES (5)');
    await lake().spark.sql("CALL lake.system.fast_forward('shared.back', 'main', 'ahead')");
    expect((await lake().lakehouse.rows('shared.back')).length).toBe(5);
  });
}
