import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { mavenJar } from '../../test/environment/maven.ts';
import { pythonEnvironment } from '../../test/environment/python.ts';
import { PythonSession } from '../../test/peers/python-session.ts';

/** Iceberg's Java library, planning tables by their metadata files. */
export class JavaPlanner {
  readonly #python: PythonSession;

  private constructor(python: PythonSession) {
    this.#python = python;
  }

  static async start(): Promise<JavaPlanner> {
    const jar = mavenJar('org.apache.iceberg', 'iceberg-spark-runtime-3.5_2.12', '1.11.0');
    const python = pythonEnvironment(fileURLToPath(new URL('../../test/python/spark.lock', import.meta.url)));
    const directory = await mkdtemp(join(tmpdir(), 'icecore-bench-java-'));
    const prelude = `
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[2]").config("spark.jars", "${jar}").config("spark.driver.memory", "2g")
builder = builder.config("spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1").config("spark.driver.bindAddress", "127.0.0.1")
spark = builder.config("spark.local.dir", "${directory}").getOrCreate()
spark.sparkContext.setLogLevel("OFF")
iceberg = spark._jvm.org.apache.iceberg
io = iceberg.hadoop.HadoopFileIO(spark._jsc.hadoopConfiguration())
def plan(location, where):
    table = iceberg.BaseTable(iceberg.StaticTableOperations(location, io), "table")
    tasks = table.newScan().filter(iceberg.expressions.ExpressionParser.fromJson(where)).planFiles()
    count = iceberg.relocated.com.google.common.collect.Iterables.size(tasks)
    tasks.close()
    return count
`;
    return new JavaPlanner(await PythonSession.start(python, prelude, { directory }));
  }

  /** How many files match a filter, in the JSON of the REST protocol. Nothing is kept from one call to the next. */
  async plan(metadataLocation: string, filter: unknown): Promise<number> {
    return Number(await this.#python.value(`plan("${metadataLocation}", ${JSON.stringify(JSON.stringify(filter))})`));
  }

  async stop(): Promise<void> {
    await this.#python.stop();
  }
}
