import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { parsePredicate } from '../../src/sql/predicate.ts';
import { predicateSql } from '../../src/sql/predicate-sql.ts';
import { resolveAsOf, schemaAsOf } from '../../src/tables/resolve-as-of.ts';
import { lineageFields } from '../../src/tables/row-lineage.ts';
import { openScan } from '../../src/tables/scan-relation.ts';
import { planSnapshot } from '../../src/tables/snapshot-files.ts';
import type { AsOf } from '../../src/tables/table.ts';
import { pythonEnvironment } from '../environment/python.ts';
import { startTestServer, type TestServer } from '../http/test-server.ts';
import { canonicalJson, canonicalRow } from './canonical-row.ts';
import { PythonSession } from './python-session.ts';
import { SparkSession } from './spark-session.ts';

const pyicebergLock = new URL('../python/pyiceberg.lock', import.meta.url).pathname;

/** Icecore, Spark with Iceberg's Java library, and PyIceberg over the same tables, each reading by itself. */
export class ForeignLake {
  readonly server: TestServer;
  readonly #spark: SparkSession;
  readonly #python: PythonSession;

  private constructor(server: TestServer, spark: SparkSession, python: PythonSession) {
    this.server = server;
    this.#spark = spark;
    this.#python = python;
  }

  /** With the namespace `foreign` in it. */
  static async start(): Promise<ForeignLake> {
    const server = await startTestServer();
    const uri = `${server.origin}/iceberg`;
    const directory = await mkdtemp(join(server.directory, 'spark-'));
    try {
      const [spark, python] = await Promise.all([
        SparkSession.start(directory, { uri, 'cache-enabled': 'false' }),
        PythonSession.start(pythonEnvironment(pyicebergLock), await source('foreign_pyiceberg.py'), { directory }),
      ]);
      await spark.python(await source('foreign_spark.py'));
      await python.value(`catalog = load_catalog('lake', type='rest', uri='${uri}')`);
      await spark.sql('CREATE NAMESPACE foreign');
      return new ForeignLake(server, spark, python);
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.#python.stop();
    await this.#spark.stop();
    await this.server.close();
  }

  get tables() {
    return this.server.icecore.tables;
  }

  /** Runs statements in Spark, one after the other. */
  async sql(...statements: readonly string[]): Promise<void> {
    for (const statement of statements) await this.#spark.sql(statement);
  }

  /** Runs Python beside Spark, where the functions of foreign_spark.py are. */
  // biome-ignore lint/suspicious/noExplicitAny: values of any shape
  async java(code: string): Promise<any> {
    return await this.#spark.python(code);
  }

  /** Runs Python with PyIceberg, whose `catalog` it is. */
  // biome-ignore lint/suspicious/noExplicitAny: values of any shape
  async pyiceberg(code: string): Promise<any> {
    return await this.#python.value(code);
  }

  /** The rows that Icecore reads, as canonical text, in its order. */
  async ourRows(
    name: string,
    options: { readonly asOf?: AsOf; readonly withLineage?: boolean; readonly where?: string } = {},
  ): Promise<readonly string[]> {
    const { asOf, withLineage = false } = options;
    const table = await this.tables.load(parseIdentifier(name));
    const snapshot = resolveAsOf(table, asOf);
    const schema = schemaAsOf(table, asOf, snapshot);
    const where = options.where === undefined ? null : await parsePredicate(this.tables.duckdb, options.where);
    const filter = where === null ? '' : ` WHERE ${predicateSql(schema, bindExpression(schema, where))}`;
    const pruned = where === null ? {} : { where };
    const plan = await planSnapshot(this.tables.files, table.metadata, snapshot, { schema, ...pruned });
    const scan = await openScan(this.tables, { table, withLineage }, schema, plan);
    const fields = withLineage ? [...schema.fields, ...lineageFields] : schema.fields;
    try {
      return await this.tables.duckdb.trusted.use(async (connection) => {
        const reader = await connection.runAndReadAll(`SELECT * FROM ${scan.sql}${filter}`);
        return reader
          .getRows()
          .map((cells) => canonicalRow(cells, fields))
          .toSorted();
      });
    } finally {
      scan.release();
    }
  }

  /** The rows of a query, or of a table, that Spark reads. */
  async sparkRows(query: string): Promise<readonly string[]> {
    const text = query.includes(' ') ? query : `SELECT * FROM ${query}`;
    const rows: readonly string[] = await this.#spark.python(`spark_rows(${JSON.stringify(text)})`);
    return rows.map(canonicalJson).toSorted();
  }

  /** For each predicate the rows of a table under it, by Spark's reading of all its rows. */
  async sparkRowsWhere(table: string, filters: readonly string[]): Promise<readonly (readonly string[])[]> {
    const flags = filters.map((filter) => `coalesce(${filter}, false)`).join(', ');
    const rows: readonly string[] = await this.#spark.python(
      `spark_rows(${JSON.stringify(`SELECT *, array(${flags}) AS __flags FROM ${table}`)})`,
    );
    const parsed = rows.map((row) => JSON.parse(row) as { readonly __flags: readonly boolean[] });
    return filters.map((_, at) =>
      parsed
        .filter(({ __flags }) => __flags[at])
        .map(({ __flags: _flags, ...row }) => canonicalJson(JSON.stringify(row)))
        .toSorted(),
    );
  }

  /** The rows that the Java library's own reader gives. */
  async javaRows(name: string): Promise<readonly string[]> {
    const rows: readonly string[] = await this.#spark.python(`java_rows('${name}')`);
    return rows.map(canonicalJson).toSorted();
  }

  async pyicebergRows(name: string, snapshotId: string | null = null): Promise<readonly string[]> {
    const rows: readonly string[] = await this.#python.value(`pyiceberg_rows('${name}', ${snapshotId ?? 'None'})`);
    return rows.map(canonicalJson).toSorted();
  }
}

async function source(name: string): Promise<string> {
  return await readFile(new URL(name, import.meta.url), 'utf8');
}
