import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWith } from '../environment/tool.ts';
import { type SparkLake, startSparkLake } from './spark-lake.ts';
import { testNames } from './spark-names.ts';
import { testRows } from './spark-rows.ts';
import { testUpkeep } from './spark-upkeep.ts';
import { testVersions } from './spark-versions.ts';

describeWith(['python3', 'java', 'mvn'], 'Spark over the REST catalog', () => {
  let lake: SparkLake;
  beforeAll(async () => {
    lake = await startSparkLake();
  });
  afterAll(() => lake?.stop());

  testRows(() => lake);
  testVersions(() => lake);
  testNames(() => lake);
  testUpkeep(() => lake);

  test('and Icecore write one table for a minute, and neither loses a row', async () => {
    // Spark gives up after four conflicts where nothing else is said. It takes about a tenth of a second from reading the table to its commit:
    // a writer that never rests would be there first each time.
    const { lakehouse, spark } = lake;
    await spark.sql(`CREATE TABLE shared.both (writer STRING, n BIGINT) USING iceberg
      TBLPROPERTIES ('commit.retry.num-retries' = '1000', 'commit.retry.min-wait-ms' = '5', 'commit.retry.max-wait-ms' = '50')`);
    const untilMs = Date.now() + 60_000;
    const writeIcecore = async (): Promise<number> => {
      let written = 0;
      for (; Date.now() < untilMs; written += 1) {
        await lakehouse.write('shared.both', [{ writer: 'icecore', n: String(written) }]);
        await pause(200);
      }
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
