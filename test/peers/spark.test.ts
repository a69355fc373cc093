import { afterAll, beforeAll, expect, test } from 'vitest';
import { mavenJar } from '../environment/maven.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { DemoStore } from './demo-store.ts';
import { everyTypeTable } from './every-type.ts';
import { expectSameRows, type PeerReader } from './same-rows.ts';

const lock = new URL('../python/spark.lock', import.meta.url).pathname;

describeWith(['python3', 'java', 'mvn'], "Spark with Iceberg's own runtime", () => {
  let store: DemoStore;
  let spark: PeerReader;
  beforeAll(async () => {
    const jar = mavenJar('org.apache.iceberg', 'iceberg-spark-runtime-3.5_2.12', '1.11.0');
    spark = { name: 'spark', python: pythonEnvironment(lock), script: 'spark_rows.py', argument: jar };
    store = await DemoStore.make();
  });
  afterAll(() => store?.close());

  test('reads the tables that the demo leaves with the rows that Icecore gives, and one at each of its snapshots', async () => {
    // Spark 3.5 has no type for a time of day.
    const tables = store.currentTables().filter(({ table }) => table.name !== everyTypeTable);
    expect(tables.map(({ table }) => table.name)).toEqual(expect.arrayContaining(['raw.flights', 'icecore.audit_log']));
    await expectSameRows(store, spark, [...tables, ...store.history('icecore.runs')]);
  });
});
