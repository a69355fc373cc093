import { mavenJar } from '../environment/maven.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { PythonSession } from './python-session.ts';

const lock = new URL('../python/spark.lock', import.meta.url).pathname;

/** A Spark 3.5 with Iceberg's own runtime, its catalog `lake` an Iceberg REST catalog. */
export class SparkSession {
  readonly #python: PythonSession;

  private constructor(python: PythonSession) {
    this.#python = python;
  }

  /** `catalog` are properties of the client, its `uri` among them; `directory` is for Spark's own files. Further jars beside Iceberg's. */
  static async start(
    directory: string,
    catalog: Readonly<Record<string, string>>,
    moreJars: readonly string[] = [],
  ): Promise<SparkSession> {
    const jar = mavenJar('org.apache.iceberg', 'iceberg-spark-runtime-3.5_2.12', '1.11.0');
    const settings: Record<string, string> = {
      'spark.jars': [jar, ...moreJars].join(','),
      'spark.driver.memory': '1g',
      'spark.driver.host': '127.0.0.1',
      'spark.driver.bindAddress': '127.0.0.1',
      'spark.ui.enabled': 'false',
      'spark.local.dir': directory,
      'spark.sql.warehouse.dir': `${directory}/spark-warehouse`,
      'spark.sql.shuffle.partitions': '2',
      'spark.sql.session.timeZone': 'UTC',
      'spark.sql.extensions': 'org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions',
      'spark.sql.catalog.lake': 'org.apache.iceberg.spark.SparkCatalog',
      'spark.sql.catalog.lake.type': 'rest',
      'spark.sql.defaultCatalog': 'lake',
    };
    for (const [name, value] of Object.entries(catalog)) settings[`spark.sql.catalog.lake.${name}`] = value;
    const prelude = `
import json
from pyspark.sql import SparkSession
builder = SparkSession.builder.master("local[2]")
for name, value in json.loads(${JSON.stringify(JSON.stringify(settings))}).items():
    builder = builder.config(name, value)
spark = builder.getOrCreate()
spark.sparkContext.setLogLevel("OFF")
def sql(text):
    return [list(row) for row in spark.sql(text).collect()]
`;
    return new SparkSession(await PythonSession.start(pythonEnvironment(lock), prelude, { directory }));
  }

  /** The rows of a statement. Throws with Spark's own words. */
  // biome-ignore lint/suspicious/noExplicitAny: rows of any shape
  async sql(statement: string): Promise<any> {
    return await this.#python.value(`sql(${JSON.stringify(statement)})`);
  }

  /** Why a statement is refused. Throws where it is not. */
  async refusal(statement: string): Promise<string> {
    return await this.#python.refusal(`sql(${JSON.stringify(statement)})`);
  }

  /** Runs Python in the session, where `spark` is. */
  // biome-ignore lint/suspicious/noExplicitAny: values of any shape
  async python(code: string): Promise<any> {
    return await this.#python.value(code);
  }

  async stop(): Promise<void> {
    await this.#python.stop();
  }
}
