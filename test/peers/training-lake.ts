import { everyColumnInput, everyColumnSql } from '../feed/every-column.ts';
import { arrowType, rawBatches, subscribe, text } from '../feed/feed-client.ts';
import { ServerProcess } from '../http/server-process.ts';
import { readmeRows, readmeTable } from '../python/readme-examples.ts';

const files = 10;
const fileRows = 300;
/** Every seventeenth row is deleted, by files of deletes: the files of rows stay as they were. */
const deleted = (n: number): boolean => n % 17 === 0;

/** The folder to find the package icecore in. */
export const pythonPath = new URL('../../python', import.meta.url).pathname;

/**
 * A server in a process of its own with one table that rows were deleted from: `n` counts from 0 through its files, `x1` to `x3` are features,
 * `y` is what they add up to but for a little noise, `kind` is a text with nulls.
 */
export class TrainingLake {
  readonly table = 'raw.points';
  /** Its rows by `n`, ascending. */
  readonly numbers: readonly number[] = Array.from({ length: files * fileRows }, (_, n) => n).filter((n) => !deleted(n));
  readonly #server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.#server = server;
  }

  static async start(): Promise<TrainingLake> {
    const server = await ServerProcess.start();
    const lake = new TrainingLake(server);
    await server.data(
      `mutation ($properties: JSON!) { createTable(input: { name: "raw.points", properties: $properties, columns: [
      { name: "n", type: "long", required: true }, { name: "x1", type: "double" }, { name: "x2", type: "float" },
      { name: "x3", type: "int" }, { name: "y", type: "double" }, { name: "kind", type: "string" }, { name: "at", type: "timestamptz" }
    ] }) { table { name } } }`,
      { properties: { 'write.delete.mode': 'merge-on-read' } },
    );
    for (let file = 0; file < files; file++) {
      const sql = `SELECT range AS n, sin(range) AS x1, CAST(cos(range * 3) AS FLOAT) AS x2, CAST(range % 5 AS INTEGER) AS x3,
        2 * sin(range) - cos(range * 3) + 0.5 * (range % 5) + 0.01 * sin(range * 7) AS y,
        CASE WHEN range % 4 = 0 THEN NULL ELSE 'kind ' || range % 3 END AS kind,
        TIMESTAMPTZ '2001-01-01 00:00:00+00' + to_seconds(range) AS at
        FROM range(${file * fileRows}, ${(file + 1) * fileRows})`;
      await lake.#write({ rows: { sql }, mode: 'APPEND' });
    }
    const sql = `SELECT range AS n FROM range(0, ${files * fileRows}) WHERE range % 17 = 0`;
    await lake.#write({ rows: { sql }, mode: 'DELETE', keys: ['n'] });
    return lake;
  }

  get url(): string {
    return this.#server.origin;
  }

  /** `n` of the rows of a feed, in its order. */
  async order(input: Readonly<Record<string, unknown>> = {}): Promise<readonly number[]> {
    const query = 'subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { cursor } }';
    const variables = { input: { source: { table: { name: this.table } }, columns: ['n'], ...input } };
    const response = await subscribe({ origin: this.url, query, variables, accept: arrowType });
    if (response.statusCode !== 200) throw new Error(await text(response));
    const batches = await rawBatches(response);
    return batches.flatMap(({ recordBatch }) => Array.from(recordBatch.getChild('n') ?? [], Number));
  }

  /** One more row, which readers that began before it do not see. */
  async append(): Promise<void> {
    const sql =
      "SELECT 1000000 AS n, 0::DOUBLE AS x1, 0::FLOAT AS x2, 0::INTEGER AS x3, 0::DOUBLE AS y, 'late' AS kind, now() AS at";
    await this.#write({ rows: { sql }, mode: 'APPEND' });
  }

  /** The table that the examples of python/README.md read. */
  async addReadmeTable(): Promise<void> {
    await this.#add(readmeTable, readmeRows);
  }

  /** `raw.every`, of every type, nulls in all of them. */
  async addEveryColumn(): Promise<void> {
    await this.#add({ name: 'raw.every', columns: everyColumnInput }, everyColumnSql(500));
  }

  async stop(): Promise<void> {
    await this.#server.stop();
  }

  async #add(table: { readonly name: string; readonly columns: readonly object[] }, sql: string): Promise<void> {
    const create = 'mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }';
    await this.#server.data(create, { input: table });
    await this.#write({ table: table.name, mode: 'APPEND', rows: { sql } });
  }

  async #write(input: object): Promise<void> {
    await this.#server.data('mutation ($input: WriteRowsInput!) { writeRows(input: $input) { rowsAdded } }', {
      input: { table: this.table, ...input },
    });
  }
}
