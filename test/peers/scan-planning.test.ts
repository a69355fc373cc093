import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { printExpressionJson } from '../../src/iceberg/expression-json.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { cellsOf, type SampleRow, samplePredicate, sampleSchema } from '../iceberg/predicate-sample.ts';
import { PythonSession } from './python-session.ts';
import { keyOf, RestServer } from './rest-server.ts';
import { SparkSession } from './spark-session.ts';

const lock = new URL('../python/pyiceberg.lock', import.meta.url).pathname;

/** `planned` has its scans planned by the server; the other client plans by itself. */
function pyicebergPrelude(uri: string): string {
  return `
import datetime, decimal
from pyiceberg.catalog import load_catalog
from pyiceberg.expressions import *
lake = load_catalog("lake", type="rest", uri="${uri}", token="${keyOf('keeper')}")
planned = load_catalog("planned", type="rest", uri="${uri}", token="${keyOf('keeper')}", **{"scan-planning-mode": "server"})
assert planned.supports_server_side_planning() and not lake.supports_server_side_planning()
def paths(catalog, table, where):
    tasks = catalog.load_table(table).scan(row_filter=where).plan_files()
    return sorted((task.file.file_path, sorted(file.file_path for file in task.delete_files)) for task in tasks)
def rows(catalog, table, where):
    scan = catalog.load_table(table).scan(row_filter=where)
    return [sorted(scan.to_arrow().to_pylist(), key=str), scan.count()]
`;
}

/** The plan of a scan as the reference's own client has it: from its own planning, or from a server's. */
const sparkPrelude = `
jvm = spark._jvm
def plan_of(catalog, table, where, snapshot=None, start=None):
    loaded = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, catalog + "." + table)
    if start is not None:
        scan = loaded.newIncrementalAppendScan().fromSnapshotExclusive(start).toSnapshot(snapshot)
    else:
        scan = loaded.newScan()
        if snapshot is not None:
            scan = scan.useSnapshot(snapshot)
    scan = scan.filter(jvm.org.apache.iceberg.expressions.ExpressionParser.fromJson(where)).includeColumnStats()
    tasks = scan.planFiles()
    iterator = tasks.iterator()
    found = []
    while iterator.hasNext():
        task = iterator.next()
        deletes = task.deletes()
        files = sorted([deletes.get(at).location(), deletes.get(at).contentOffset()] for at in range(deletes.size()))
        file = task.file()
        residual = jvm.org.apache.iceberg.expressions.ExpressionParser.toJson(task.residual())
        found.append([file.location(), file.partition().toString(), file.recordCount(), file.fileSizeInBytes(), file.specId(), files, residual])
    tasks.close()
    return sorted(found, key=str)
def plans_where_java_can(table, where):
    try:
        own = plan_of("lake", table, where)
    except Exception:
        return None
    return [own, plan_of("planned", table, where)]
def plans(table, where, **of):
    return [plan_of("lake", table, where, **of), plan_of("planned", table, where, **of)]
`;

describeWith(['python3', 'java', 'mvn'], 'Scans planned by the server', () => {
  let server: RestServer;
  let spark: SparkSession;
  let python: PythonSession;
  beforeAll(async () => {
    server = await RestServer.start();
    const directory = await mkdtemp(join(server.directory, 'spark-'));
    const client = { uri: server.catalogUri, 'header.Authorization': `Bearer ${keyOf('keeper')}`, 'cache-enabled': 'false' };
    spark = await SparkSession.start(directory, client);
    const planned = { ...client, type: 'rest', 'scan-planning-mode': 'server' };
    const conf = ['', ...Object.keys(planned).map((name) => `.${name}`)].map((name) => `spark.sql.catalog.planned${name}`);
    const values = ['org.apache.iceberg.spark.SparkCatalog', ...Object.values(planned)];
    for (const [index, name] of conf.entries()) await spark.python(`spark.conf.set("${name}", "${values[index]}")`);
    await spark.python(sparkPrelude);
    await spark.sql('CREATE NAMESPACE shared');
    python = await PythonSession.start(pythonEnvironment(lock), pyicebergPrelude(server.catalogUri), {
      directory: server.directory,
    });
  });
  afterAll(async () => {
    await spark?.stop();
    await python?.stop();
    await server?.stop();
  });

  /** Both plans of the Java client for a filter in JSON; they have to be the same but for residuals. */
  async function samePlan(table: string, filter: unknown, of = ''): Promise<readonly unknown[]> {
    const where = JSON.stringify(JSON.stringify(filter));
    const [own, served] = await spark.python(`plans("${table}", ${where}${of})`);
    const withoutResidual = (plan: readonly (readonly unknown[])[]) => plan.map((task) => task.slice(0, -1));
    expect(withoutResidual(served)).toEqual(withoutResidual(own));
    return served;
  }

  test('Spark and PyIceberg read a table with position deletes, partitions of two specs and nulls: the same rows, from the same files', async () => {
    await spark.sql(`CREATE TABLE shared.events (id BIGINT, kind STRING, at TIMESTAMP, day DATE, price DECIMAL(9, 2), score DOUBLE)
      USING iceberg PARTITIONED BY (kind, days(at))
      TBLPROPERTIES ('format-version' = '2', 'write.delete.mode' = 'merge-on-read', 'write.distribution-mode' = 'none')`);
    const insert = (from: number, to: number) => `INSERT INTO shared.events
      SELECT id, CASE id % 3 WHEN 0 THEN 'a' WHEN 1 THEN 'b' ELSE NULL END, TIMESTAMP '2026-01-01 10:00:00' + make_dt_interval(id % 4),
        DATE '2026-01-01' + CAST(id % 4 AS INT), CAST(id / 7 AS DECIMAL(9, 2)), id / 3 FROM range(${from}, ${to})`;
    await spark.sql(insert(0, 60));
    await spark.sql('DELETE FROM shared.events WHERE id IN (3, 4, 5, 27)');
    await spark.sql('ALTER TABLE shared.events DROP PARTITION FIELD kind');
    await spark.sql('ALTER TABLE shared.events ADD PARTITION FIELD bucket(4, id)');
    await spark.sql(insert(60, 120));
    await spark.sql('DELETE FROM shared.events WHERE id % 10 = 7');
    for (const where of [
      'true',
      "kind = 'a'",
      'kind IS NULL',
      "at >= TIMESTAMP '2026-01-03 00:00:00' AND id < 90",
      "day = DATE '2026-01-02' OR price > 12.50",
      'id IN (3, 8, 61, 67)',
      "score < 1.5 AND NOT (kind = 'b')",
      'system.bucket(4, id) = 2',
      "system.days(at) = DATE '2026-01-02'",
    ]) {
      const own = await spark.sql(
        `SELECT * FROM lake.shared.events WHERE ${where.replaceAll('system.', 'lake.system.')} ORDER BY id`,
      );
      const served = await spark.sql(
        `SELECT * FROM planned.shared.events WHERE ${where.replaceAll('system.', 'planned.system.')} ORDER BY id`,
      );
      expect([where, served]).toEqual([where, own]);
      expect(own.length).toBeGreaterThan(0);
    }
    for (const where of [
      'AlwaysTrue()',
      'EqualTo("kind", "a")',
      'IsNull("kind")',
      'And(GreaterThanOrEqual("at", "2026-01-03T00:00:00+00:00"), LessThan("id", 90))',
      'GreaterThanOrEqual("at", datetime.datetime(2026, 1, 3, tzinfo=datetime.timezone.utc))',
      'Or(EqualTo("day", datetime.date(2026, 1, 2)), GreaterThan("price", decimal.Decimal("12.50")))',
      'In("id", [3, 8, 61, 67])',
      'And(LessThan("score", 1.5), Not(EqualTo("kind", "b")))',
      'StartsWith("kind", "b")',
    ]) {
      const [own, served] = await python.value(`[rows(catalog, "shared.events", ${where}) for catalog in [lake, planned]]`);
      expect([where, served]).toEqual([where, own]);
      const [ownPaths, servedPaths] = await python.value(
        `[paths(catalog, "shared.events", ${where}) for catalog in [lake, planned]]`,
      );
      // The server rules out what PyIceberg does not: never more files, and of each the same deletes.
      expect(ownPaths).toEqual(expect.arrayContaining(servedPaths));
    }
  });

  test('plans are those of the Java library: files, partitions and deletes, at snapshots and between them', async () => {
    const everything = await samePlan('shared.events', true);
    expect(everything.length).toBeGreaterThan(10);
    const leaf = (type: string, term: unknown, value: unknown) => ({ type, term, value });
    const day = { type: 'transform', transform: 'day', term: 'at' };
    for (const filter of [
      leaf('eq', 'kind', 'a'),
      { type: 'is-null', term: 'kind' },
      { type: 'not', child: leaf('eq', 'kind', 'a') },
      { type: 'and', left: leaf('gt', 'id', 40), right: leaf('lt-eq', 'day', '2026-01-02') },
      { type: 'or', left: leaf('starts-with', 'kind', 'b'), right: leaf('gt', 'price', '16.00') },
      { type: 'in', term: 'id', values: [1, 2, 100] },
      leaf('eq', day, '2026-01-03'),
      leaf('lt', 'at', '2026-01-02T00:00:00+00:00'),
    ]) {
      await samePlan('shared.events', filter);
    }
    const snapshots = await spark.sql('SELECT snapshot_id, operation FROM lake.shared.events.snapshots ORDER BY committed_at');
    const [[first], [second], [third]] = snapshots;
    expect((await samePlan('shared.events', true, `, snapshot=${first}`)).length).toBeGreaterThan(0);
    await samePlan('shared.events', leaf('gt', 'id', 20), `, snapshot=${second}`);
    const added = await samePlan('shared.events', true, `, snapshot=${third}, start=${first}`);
    expect(added.length).toBeGreaterThan(0);
  });

  test('plans for random filters hold every file with a matching row, and none that the Java library rules out', async () => {
    await spark.sql(`CREATE TABLE shared.random (i INT, l BIGINT, d DOUBLE, s STRING, day DATE, ts TIMESTAMP, price DECIMAL(9, 2))
      USING iceberg PARTITIONED BY (bucket(2, i), truncate(1, s)) TBLPROPERTIES ('format-version' = '2', 'write.distribution-mode' = 'none')`);
    const insert = (seed: number) => `INSERT INTO shared.random
      SELECT IF(hash(id, 1) % 7 = 0, NULL, hash(id, 2) % 30), IF(hash(id, 3) % 7 = 0, NULL, hash(id, 4) % 30),
        CASE hash(id, 5) % 7 WHEN 0 THEN NULL WHEN 1 THEN DOUBLE('NaN') WHEN 2 THEN DOUBLE('Infinity') ELSE (hash(id, 6) % 30) / 4 END,
        IF(hash(id, 7) % 7 = 0, NULL, substr('abaabba', 1 + pmod(hash(id, 8), 5), pmod(hash(id, 9), 4))),
        IF(hash(id, 10) % 7 = 0, NULL, DATE '1970-01-01' + CAST(hash(id, 11) % 30 AS INT)),
        IF(hash(id, 12) % 7 = 0, NULL, TIMESTAMP '1970-01-01 00:00:00' + make_dt_interval(0, hash(id, 13) % 200)),
        IF(hash(id, 14) % 7 = 0, NULL, CAST((hash(id, 15) % 30) * 7 / 100 AS DECIMAL(9, 2)))
      FROM range(${seed}, ${seed + 30})`;
    await spark.sql(insert(0));
    await spark.sql('ALTER TABLE shared.random REPLACE PARTITION FIELD bucket(2, i) WITH days(ts)');
    await spark.sql(insert(100));
    await spark.sql('ALTER TABLE shared.random REPLACE PARTITION FIELD truncate(1, s) WITH month(day)');
    await spark.sql(insert(200));
    const rows = await spark.sql(`SELECT i, CAST(l AS STRING), CAST(d AS STRING), s, datediff(day, DATE '1970-01-01'),
      CAST(unix_micros(ts) AS STRING), CAST(price * 100 AS INT), _file FROM lake.shared.random`);
    let ruledOut = 0;
    let compared = 0;
    const all = (await samePlan('shared.random', true)).length;
    for (const predicate of fc.sample(samplePredicate, { numRuns: 60, seed: 5 })) {
      const filter = printExpressionJson(predicate);
      const where = JSON.stringify(JSON.stringify(filter));
      // The Java library refuses to ask whether an integer is NaN, or an int is less than 2.5.
      const both = await spark.python(`plans_where_java_can("shared.random", ${where})`);
      if (both === null) continue;
      compared++;
      const [own, served] = both;
      const files = (plan: readonly (readonly unknown[])[]) => plan.map(([path]) => path);
      expect([filter, files(own)]).toEqual([filter, expect.arrayContaining(files(served))]);
      const bound = bindExpression(sampleSchema, predicate);
      const matching = rows.filter((row: readonly unknown[]) => evaluateExpression(bound, cellsOf(sampleRowOf(row))));
      expect([filter, files(served)]).toEqual([
        filter,
        expect.arrayContaining(matching.map((row: readonly unknown[]) => row[7])),
      ]);
      ruledOut += all - served.length;
    }
    expect(compared).toBeGreaterThan(15);
    expect(ruledOut).toBeGreaterThan(all);
  });

  test('deletion vectors and row ids of format version 3', async () => {
    await spark.sql(`CREATE TABLE shared.vectors (id BIGINT, part INT) USING iceberg PARTITIONED BY (part)
      TBLPROPERTIES ('format-version' = '3', 'write.delete.mode' = 'merge-on-read')`);
    await spark.sql('INSERT INTO shared.vectors SELECT id, CAST(id % 2 AS INT) FROM range(0, 40)');
    await spark.sql('DELETE FROM shared.vectors WHERE id IN (1, 2, 3, 8)');
    await spark.sql('DELETE FROM shared.vectors WHERE id = 9');
    const plan = await samePlan('shared.vectors', true);
    expect(JSON.stringify(plan)).toContain('.puffin');
    // The protocol has no place for a file's sequence number, so Spark knows no _last_updated_sequence_number here.
    for (const columns of ['*', 'id, _row_id']) {
      const [own, served] = [await spark.sql(rowsOf('lake', columns)), await spark.sql(rowsOf('planned', columns))];
      expect(served).toEqual(own);
      expect(own.length).toBe(35);
    }
    const [own, served] = await python.value(
      '[rows(catalog, "shared.vectors", EqualTo("part", 1)) for catalog in [lake, planned]]',
    );
    expect(served).toEqual(own);
  });

  test('equality deletes, of one partition and of all', async () => {
    await spark.sql(`CREATE TABLE shared.keyed (id BIGINT, part INT) USING iceberg PARTITIONED BY (part)
      TBLPROPERTIES ('format-version' = '2')`);
    await spark.sql('INSERT INTO shared.keyed SELECT id, CAST(id % 3 AS INT) FROM range(0, 30)');
    await spark.python(`
table = jvm.org.apache.iceberg.spark.Spark3Util.loadIcebergTable(spark._jsparkSession, "lake.shared.keyed")
ids = spark.sparkContext._gateway.new_array(jvm.int, 1)
ids[0] = 1
def equality(path, part):
    builder = jvm.org.apache.iceberg.FileMetadata.deleteFileBuilder(table.spec()).ofEqualityDeletes(ids)
    builder = builder.withPath(table.location() + "/data/" + path).withFileSizeInBytes(100).withRecordCount(1).withFormat("parquet")
    if part is not None:
        builder = builder.withPartitionPath(part)
    return builder.build()
table.newRowDelta().addDeletes(equality("one.parquet", "part=1")).commit()
table.updateSpec().removeField("part").commit()
table.refresh()
table.newRowDelta().addDeletes(equality("all.parquet", None)).commit()
`);
    await spark.sql('INSERT INTO shared.keyed SELECT id, CAST(id % 3 AS INT) FROM range(30, 40)');
    const plan = JSON.stringify(await samePlan('shared.keyed', true));
    expect(plan.match(/one\.parquet/g)?.length).toBe(1);
    expect(plan.match(/all\.parquet/g)?.length).toBe(3);
    await samePlan('shared.keyed', { type: 'eq', term: 'part', value: 2 });
    expect(await python.refusal('paths(planned, "shared.keyed", AlwaysTrue())')).toContain('equality deletes');
  });

  /** In memory as Icecore holds them. */
  function sampleRowOf(row: readonly unknown[]): SampleRow {
    const [i, l, d, s, day, ts, price] = row as readonly (number | string | null)[];
    const long = (value: number | string | null | undefined) => (value === null || value === undefined ? null : BigInt(value));
    return [i ?? null, long(l), d === null ? null : Number(d), s ?? null, day ?? null, long(ts), long(price)];
  }

  function rowsOf(catalog: string, columns: string): string {
    return `SELECT ${columns} FROM ${catalog}.shared.vectors ORDER BY id`;
  }
});
