import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pythonEnvironment } from '../environment/python.ts';
import { describeWith } from '../environment/tool.ts';
import { isOf, readmeExamples } from '../python/readme-examples.ts';
import { PythonSession } from './python-session.ts';
import { pythonPath, TrainingLake } from './training-lake.ts';

const lock = new URL('../python/spark-training.lock', import.meta.url).pathname;

function prelude(url: string, directory: string): string {
  return `
import icecore.spark
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[2]").config("spark.ui.enabled", "false").config("spark.driver.memory", "1g")
builder = builder.config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
builder = builder.config("spark.local.dir", "${directory}").config("spark.sql.shuffle.partitions", "2")
spark = builder.config("spark.sql.session.timeZone", "UTC").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
def read(**more):
    return icecore.spark.read_training(spark, **{"table": "raw.points", "url": "${url}", **more})
def ordered(data):
    return [[row.n, row.icecore_position] for row in data.orderBy("icecore_position").collect()]
`;
}

describeWith(['python3', 'java'], 'Spark reads training data', () => {
  let lake: TrainingLake;
  let directory: string;
  let python: PythonSession;
  beforeAll(async () => {
    lake = await TrainingLake.start();
    directory = await mkdtemp(join(tmpdir(), 'icecore-spark-'));
    const environment = { PYTHONPATH: pythonPath, PYSPARK_PYTHON: pythonEnvironment(lock), ICECORE_URL: lake.url };
    python = await PythonSession.start(pythonEnvironment(lock), prelude(lake.url, directory), { directory, environment });
  });
  afterAll(async () => {
    await python?.stop();
    await lake?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test.each([
    ['plan', 'WINDOWED', 5],
    ['plan', 'FULL', 5],
    ['plan', 'NONE', 5],
    ['feed', 'WINDOWED', 4],
    ['feed', 'FULL', 6],
  ])("each row once over the %s, and ORDER BY the position is the feed's order under %s", async (via, shuffle, parts) => {
    const { rows, partitions } = await python.value(`
data = read(via="${via}", shuffle="${shuffle}", seed=11, epoch=2, lanes=4, partitions=6, columns=["n"])
{"partitions": data.rdd.getNumPartitions(), "rows": ordered(data)}
`);
    const order = await lake.order({ shuffle, seed: '11', epoch: 2, lanes: 4 });
    expect(order).toHaveLength(lake.numbers.length);
    expect(rows).toEqual(order.map((n, position) => [n, position]));
    // Two files of ten a part; a lane a part; so many runs as were asked for.
    expect(partitions).toBe(parts);
  });

  test('values, nulls and types; a filter; the rest of an epoch; the snapshot that it was begun at', async () => {
    const { types, wrong, kinds } = await python.value(`
import datetime, math
data = read()
found = data.collect()
def right(row):
    at = datetime.datetime(2001, 1, 1) + datetime.timedelta(seconds=row.n)
    kind = None if row.n % 4 == 0 else f"kind {row.n % 3}"
    return (row.x3, row.kind, row.at) == (row.n % 5, kind, at) and math.isclose(row.x1, math.sin(row.n), abs_tol=1e-9)
{"types": [list(each) for each in data.dtypes], "wrong": [str(row) for row in found if not right(row)],
 "kinds": sorted([row["kind"] or "", row["count"]] for row in data.groupBy("kind").count().collect())}
`);
    expect(wrong).toEqual([]);
    expect(types).toEqual([
      ['n', 'bigint'],
      ['x1', 'double'],
      ['x2', 'float'],
      ['x3', 'int'],
      ['y', 'double'],
      ['kind', 'string'],
      ['at', 'timestamp'],
      ['icecore_position', 'bigint'],
    ]);
    expect(kinds.map(([kind]: [string]) => kind)).toEqual(['', 'kind 0', 'kind 1', 'kind 2']);
    const filtered = await lake.order({ where: "x3 = 2 AND kind = 'kind 1'", seed: '4' });
    expect(await python.value(`ordered(read(where="x3 = 2 AND kind = 'kind 1'", seed=4))`)).toEqual(
      filtered.map((n, position) => [n, position]),
    );

    const whole = await lake.order({ seed: '8' });
    await python.value(`
import icecore.arrow
reader = icecore.arrow.read_training(table="raw.points", url="${lake.url}", seed=8, batch_size=200)
next(reader), next(reader)
rest, by_feed = read(cursor=reader.cursor), read(cursor=reader.cursor, via="feed")
reader.close()
`);
    await lake.append();
    for (const data of ['rest', 'by_feed']) {
      expect(await python.value(`ordered(${data})`)).toEqual(whole.slice(400).map((n, index) => [n, index + 400]));
    }
    expect(await python.value('[data.count(), read().count(), read(where="n < 0").count()]')).toEqual([
      lake.numbers.length,
      lake.numbers.length + 1,
      0,
    ]);
    expect(await python.refusal('read(table="raw.point")')).toContain('Did you mean raw.points?');
  });

  test('every type, as Spark has it', async () => {
    await lake.addEveryColumn();
    const { types, rows, wrong } = await python.value(`
import datetime, uuid
import icecore.arrow
def plain(value):
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, datetime.datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, datetime.time):
        return ((value.hour * 60 + value.minute) * 60 + value.second) * 1000000 + value.microsecond
    return bytes(value) if isinstance(value, bytearray) else str(value) if isinstance(value, uuid.UUID) else value
def expected(row):
    return {**row, "by": None if row["by"] is None else dict(row["by"])}
read_rows = icecore.arrow.read_training(table="raw.every", shuffle="NONE", batch_size=1000)
given = {row["n"]: plain(expected(row)) for batch in read_rows for row in batch.to_pylist()}
found, wrong = 0, []
for via in ("feed", "plan"):
    data = read(table="raw.every", via=via)
    for row in data.drop("icecore_position").collect():
        found += 1
        values = plain(row.asDict(recursive=True))
        if values != given[row.n]:
            wrong.append([via, str({name: [values[name], given[row.n][name]] for name in values if values[name] != given[row.n][name]})])
{"types": [kind for _, kind in data.dtypes], "rows": found, "wrong": wrong[:3]}
`);
    expect(wrong).toEqual([]);
    expect(rows).toBe(1000);
    expect(types).toEqual([
      ...['bigint', 'boolean', 'int', 'float', 'double', 'date', 'bigint', 'timestamp_ntz', 'timestamp', 'decimal(9,2)'],
      ...['decimal(38,10)', 'string', 'string', 'string', 'binary', 'array<string>', 'struct<a:int,b:string>'],
      ...['array<struct<a:int,b:array<bigint>>>', 'map<string,bigint>', 'string', 'bigint'],
    ]);
  });

  test('the examples of python/README.md', async () => {
    await lake.addReadmeTable();
    const examples = readmeExamples().filter((example) => isOf('spark', example));
    expect(examples).toHaveLength(1);
    for (const example of examples) await python.value(`${example}\nNone`);
  });
});
