import { expect, test } from 'vitest';
import { makePinnedTable } from './pinned-table.ts';
import type { SparkLake } from './spark-lake.ts';

/** Branches, tags and time, changes between snapshots, and what holds a snapshot. */
export function testVersions(lake: () => SparkLake): void {
  test('makes, writes and reads branches and tags, and travels in time, as GraphQL does', async () => {
    await lake().lakehouse.create({ name: 'shared.branches', columns: [{ name: 'id', type: 'long' }] });
    const first = await lake().lakehouse.write('shared.branches', [{ id: '1' }]);
    await lake().spark.sql('ALTER TABLE shared.branches CREATE TAG one RETAIN 30 DAYS');
    await lake().spark.sql('ALTER TABLE shared.branches CREATE BRANCH audit WITH SNAPSHOT RETENTION 5 SNAPSHOTS');
    await lake().spark.sql('INSERT INTO shared.branches.branch_audit VALUES (2)');
    await lake().lakehouse.write('shared.branches', [{ id: '3' }], { branch: 'audit' });
    const second = await lake().lakehouse.write('shared.branches', [{ id: '4' }]);
    await lake().lakehouse.ask('mutation ($input: SetSnapshotRefInput!) { setSnapshotRef(input: $input) { ref { name } } }', {
      table: 'shared.branches',
      name: 'by-graphql',
      type: 'TAG',
      snapshotId: second,
    });
    const refs = await lake().lakehouse.refs('shared.branches');
    expect(refs).toMatchObject({ 'TAG one': first, 'TAG by-graphql': second, 'BRANCH main': second });
    const known = await lake().spark.sql('SELECT type, name, CAST(snapshot_id AS STRING) FROM shared.branches.refs');
    expect(Object.fromEntries(known.map(([type, name, id]: string[]) => [`${type} ${name}`, id]))).toEqual(refs);
    expect(await lake().spark.sql("SELECT id FROM shared.branches VERSION AS OF 'audit' ORDER BY id")).toEqual([[1], [2], [3]]);
    expect(await lake().spark.sql("SELECT id FROM shared.branches VERSION AS OF 'by-graphql' ORDER BY id")).toEqual([[1], [4]]);
    expect(await lake().spark.sql(`SELECT id FROM shared.branches VERSION AS OF ${first}`)).toEqual([[1]]);
    const [[committed]] = await lake().spark.sql(
      `SELECT CAST(committed_at AS STRING) FROM shared.branches.snapshots WHERE snapshot_id = ${first}`,
    );
    expect(await lake().spark.sql(`SELECT id FROM shared.branches TIMESTAMP AS OF '${committed}'`)).toEqual([[1]]);
    expect(await lake().lakehouse.rows('shared.branches', { ref: 'audit' })).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);
    await lake().spark.sql('ALTER TABLE shared.branches DROP BRANCH audit');
    await lake().spark.sql('ALTER TABLE shared.branches DROP TAG one');
    expect(Object.keys(await lake().lakehouse.refs('shared.branches')).toSorted()).toEqual(['BRANCH main', 'TAG by-graphql']);
  });

  test('stages a write for review and publishes it, and takes files over that are there already', async () => {
    await lake().spark.sql("CREATE TABLE shared.reviewed (id BIGINT) USING iceberg TBLPROPERTIES ('write.wap.enabled' = 'true')");
    await lake().spark.sql('INSERT INTO shared.reviewed VALUES (1)');
    await lake().spark.python('spark.conf.set("spark.wap.id", "review")');
    await lake().spark.sql('INSERT INTO shared.reviewed VALUES (2)');
    await lake().spark.python('spark.conf.unset("spark.wap.id")');
    await lake().lakehouse.write('shared.reviewed', [{ id: '3' }]);
    expect(await lake().lakehouse.rows('shared.reviewed')).toEqual([{ id: '1' }, { id: '3' }]);
    await lake().spark.sql("CALL lake.system.publish_changes('shared.reviewed', 'review')");
    expect(await lake().lakehouse.rows('shared.reviewed')).toEqual([{ id: '1' }, { id: '2' }, { id: '3' }]);

    const files = `file://${lake().directory}/warehouse/delivered`;
    await lake().spark.python(`spark.range(3).selectExpr("id", "concat('n', id) AS name").write.parquet("${files}")`);
    await lake().spark.sql('CREATE TABLE shared.taken (id BIGINT, name STRING) USING iceberg');
    await lake().spark.sql(`CALL lake.system.add_files(table => 'shared.taken', source_table => '\`parquet\`.\`${files}\`')`);
    expect(await lake().lakehouse.rows('shared.taken')).toEqual([0, 1, 2].map((id) => ({ id: String(id), name: `n${id}` })));
  });

  test('streams into a table, and reads what changed between two snapshots', async () => {
    await lake().lakehouse.create({ name: 'shared.stream', columns: [{ name: 'value', type: 'long' }] });
    const first = await lake().lakehouse.write('shared.stream', [{ value: '-1' }]);
    await lake().spark.python(`
rate = spark.readStream.format("rate-micro-batch").option("rowsPerBatch", 5).option("startTimestamp", 1).load()
query = (rate.selectExpr("value").writeStream.format("iceberg").outputMode("append").trigger(availableNow=True)
    .option("checkpointLocation", "${lake().directory}/checkpoint").toTable("shared.stream"))
query.awaitTermination(120)
`);
    const streamed = (await lake().lakehouse.rows('shared.stream')).length;
    expect(streamed).toBeGreaterThan(1);
    await lake().lakehouse.write('shared.stream', [{ value: '-1' }], { mode: 'DELETE', keys: ['value'] });
    const changes = `CALL lake.system.create_changelog_view(table => 'shared.stream', changelog_view => 'changes',
      options => map('start-snapshot-id', '${first}'))`;
    await lake().spark.sql(changes);
    expect(await lake().spark.sql("SELECT value FROM changes WHERE _change_type = 'DELETE'")).toEqual([[-1]]);
    expect(await lake().spark.sql("SELECT count(*) FROM changes WHERE _change_type = 'INSERT'")).toEqual([[streamed - 1]]);
    await lake().spark.python('spark.catalog.dropTempView("changes")');
  });

  test('cannot expire what a training set holds, nor take its pin away', async () => {
    const { held, later } = await makePinnedTable(lake().lakehouse);
    await lake().spark.sql(
      "CALL lake.system.expire_snapshots(table => 'shared.pinned', older_than => TIMESTAMP '2100-01-01', retain_last => 1)",
    );
    expect((await lake().lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
    expect(await lake().spark.sql(`SELECT visitors FROM shared.pinned VERSION AS OF ${held}`)).toEqual([[1]]);
    const forced = `CALL lake.system.expire_snapshots(table => 'shared.pinned', snapshot_ids => array(${held}))`;
    await lake().spark.refusal(forced);
    expect(await lake().spark.refusal('ALTER TABLE shared.pinned DROP TAG `training-set/pinned/v1`')).toMatch(
      /training-set\/pinned\/v1/,
    );
    expect((await lake().lakehouse.snapshots('shared.pinned')).map(({ snapshotId }) => snapshotId)).toEqual([held, later]);
  });
}
