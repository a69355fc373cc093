import assert from 'node:assert/strict';
import type { ForeignFeature } from './foreign-feature.ts';
import type { ForeignLake } from './foreign-lake.ts';

interface LoggedSnapshot {
  readonly id: string;
  readonly micros: string;
}

/** A table at each of its snapshots by id, and at each instant of its log, by Spark and by Icecore. */
async function expectSameHistory(lake: ForeignLake, table: string): Promise<void> {
  const snapshots = await lake.sparkRows(`SELECT CAST(snapshot_id AS STRING) AS id FROM ${table}.snapshots`);
  assert.ok(snapshots.length > 1);
  for (const row of snapshots) {
    const { id } = JSON.parse(row) as LoggedSnapshot;
    const theirs = await lake.sparkRows(`SELECT * FROM ${table} VERSION AS OF ${id}`);
    assert.deepEqual(await lake.ourRows(table, { asOf: { snapshotId: BigInt(id) } }), theirs, `${table} at ${id}`);
  }
  const log = await lake.sparkRows(`SELECT CAST(unix_micros(made_current_at) AS STRING) AS micros FROM ${table}.history`);
  for (const row of log) {
    const { micros } = JSON.parse(row) as LoggedSnapshot;
    const theirs = await lake.sparkRows(`SELECT * FROM ${table} TIMESTAMP AS OF timestamp_micros(${micros})`);
    assert.deepEqual(await lake.ourRows(table, { asOf: { timestampMicros: BigInt(micros) } }), theirs, `${table} at ${micros}`);
  }
}

async function expectSameRefs(lake: ForeignLake, table: string, refs: readonly string[]): Promise<void> {
  for (const ref of refs) {
    const theirs = await lake.sparkRows(`SELECT * FROM ${table} VERSION AS OF '${ref}'`);
    assert.deepEqual(await lake.ourRows(table, { asOf: { ref } }), theirs, `${table} at ${ref}`);
  }
}

export const historyFeatures: readonly ForeignFeature[] = [
  {
    feature: 'Branches, tags and time travel by id and instant, with the columns of then; rollback',
    tables: ['foreign.history'],
    make: async (lake) => {
      const table = 'foreign.history';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, name STRING) USING iceberg`,
        `INSERT INTO ${table} VALUES (1, 'one')`,
        `ALTER TABLE ${table} CREATE TAG first RETAIN 30 DAYS`,
        `ALTER TABLE ${table} ADD COLUMN added INT FIRST`,
        `INSERT INTO ${table} VALUES (5, 2, 'two')`,
        `ALTER TABLE ${table} CREATE BRANCH side`,
        `ALTER TABLE ${table} RENAME COLUMN name TO title`,
        `INSERT INTO ${table}.branch_side VALUES (6, 3, 'side')`,
        `DELETE FROM ${table} WHERE id = 1`,
        `ALTER TABLE ${table} CREATE TAG second`,
        `INSERT INTO ${table} VALUES (7, 4, 'gone')`,
        `ALTER TABLE ${table} DROP COLUMN added`,
      );
      await lake.sql(`CALL lake.system.rollback_to_snapshot('${table}', ${await previousSnapshot(lake, table)})`);
      await lake.sql(`INSERT INTO ${table} VALUES (8, 'after')`);
    },
    check: async (lake) => {
      await expectSameHistory(lake, 'foreign.history');
      await expectSameRefs(lake, 'foreign.history', ['first', 'side', 'second', 'main']);
    },
  },
  {
    feature: 'Write, audit, publish: by branch, and by a staged snapshot that is picked',
    tables: ['foreign.wap'],
    make: async (lake) => {
      const table = 'foreign.wap';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT) USING iceberg TBLPROPERTIES ('write.wap.enabled' = 'true')`,
        `INSERT INTO ${table} VALUES (1)`,
      );
      await lake.java("spark.conf.set('spark.wap.branch', 'audit')");
      await lake.sql(`INSERT INTO ${table} VALUES (2)`);
      await lake.java("spark.conf.unset('spark.wap.branch')");
      await lake.sql(`INSERT INTO ${table} VALUES (3)`);
      await lake.java("spark.conf.set('spark.wap.id', 'w1')");
      await lake.sql(`INSERT INTO ${table} VALUES (4)`);
      await lake.java("spark.conf.unset('spark.wap.id')");
      await lake.sql(`INSERT INTO ${table} VALUES (5)`, `CALL lake.system.publish_changes('${table}', 'w1')`);
    },
    check: (lake) => expectSameRefs(lake, 'foreign.wap', ['main', 'audit']),
  },
  {
    feature: 'Gzipped metadata, merged manifests, rewritten files and manifests, statistics in Puffin, expired snapshots',
    tables: ['foreign.maintained'],
    make: async (lake) => {
      const table = 'foreign.maintained';
      await lake.sql(
        `CREATE TABLE ${table} (id BIGINT, part STRING) USING iceberg PARTITIONED BY (part) TBLPROPERTIES ('write.metadata.compression-codec' = 'gzip',
          'commit.manifest.min-count-to-merge' = '2', 'write.delete.mode' = 'merge-on-read', 'write.metadata.delete-after-commit.enabled' = 'true', 'write.metadata.previous-versions-max' = '2')`,
      );
      for (const at of [0, 1, 2, 3])
        await lake.sql(`INSERT INTO ${table} SELECT id, concat('p', id % 2) FROM range(${at * 10}, ${at * 10 + 10})`);
      await lake.sql(
        `DELETE FROM ${table} WHERE id % 6 = 1`,
        `CALL lake.system.compute_table_stats(table => '${table}')`,
        `CALL lake.system.rewrite_position_delete_files('${table}')`,
        `CALL lake.system.rewrite_data_files(table => '${table}', options => map('min-input-files', '2'), where => "part = 'p0'")`,
        `CALL lake.system.rewrite_manifests('${table}')`,
        `CALL lake.system.expire_snapshots(table => '${table}', older_than => TIMESTAMP '2100-01-01', retain_last => 2)`,
        `INSERT OVERWRITE ${table} SELECT id + 100, part FROM ${table} WHERE part = 'p1'`,
      );
    },
    check: (lake) => expectSameHistory(lake, 'foreign.maintained'),
  },
];

async function previousSnapshot(lake: ForeignLake, table: string): Promise<string> {
  const [row] = await lake.sparkRows(
    `SELECT CAST(parent_id AS STRING) AS id FROM ${table}.history ORDER BY made_current_at DESC LIMIT 1`,
  );
  return (JSON.parse(row ?? '{}') as LoggedSnapshot).id;
}
