import type { DuckDBConnection } from '@duckdb/node-api';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import type { Run } from '../../src/runs/run.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import type { TableDefinition } from '../../src/tables/new-table.ts';
import { resolveAsOf, schemaAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import type { AsOf, Table } from '../../src/tables/table.ts';
import type { Training } from '../../src/training/training.ts';
import { caller, Store, type StoreOptions } from '../environment/store.ts';

export const ada = caller('ada', ['scientist']);

/** A mutation of ada's, without an idempotency key. */
export function call(key: string | null = null, input: unknown = {}) {
  return { caller: ada, key, input };
}

/** A store with training sets over it, and short ways to fill and read its tables. */
export class TrainingStore {
  readonly store: Store;
  readonly training: Training;

  private constructor(store: Store) {
    this.store = store;
    this.training = store.training;
  }

  /** Over a store of its own; given a directory, another server over the store that is there. */
  static async open(options: StoreOptions = {}, directory?: string): Promise<TrainingStore> {
    return new TrainingStore(await Store.open(options, directory));
  }

  async close(): Promise<void> {
    await this.store.close();
  }

  async create(name: string, definition: TableDefinition): Promise<void> {
    const transaction = this.store.tables.transaction();
    transaction.create(parseIdentifier(name), definition);
    await transaction.commit();
  }

  async load(name: string): Promise<Table> {
    return await this.store.tables.load(parseIdentifier(name));
  }

  /** Appends the rows of a SELECT, or of VALUES; gives the table after it. */
  async append(name: string, select: string): Promise<Table> {
    const table = await this.load(name);
    const { files } = await this.#trusted((connection) =>
      writeDataFiles(this.store.tables, { connection, metadata: table.metadata, relation: `(${select})` }),
    );
    const transaction = this.store.tables.transaction();
    transaction.change(table, appendFiles(files));
    await transaction.commit();
    return await this.load(name);
  }

  /** The rows of a SELECT over `t`, a table at a point. */
  async rows(name: string, select = 'SELECT * FROM t', asOf?: AsOf): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const table = await this.load(name);
    const snapshot = resolveAsOf(table, asOf);
    const scan = await scanRelation(this.store.tables, { table, snapshot, schema: schemaAsOf(table, asOf, snapshot) });
    try {
      return await this.#trusted(async (connection) => {
        return (await connection.runAndReadAll(`WITH t AS ${scan.sql} ${select}`)).getRowObjectsJson();
      });
    } finally {
      scan.release();
    }
  }

  /** The run after its end. Throws where it failed. */
  async succeeded(run: Run): Promise<Run> {
    const ended = await this.store.runs.ended(run.id);
    if (ended.status !== 'SUCCEEDED') throw new Error(`The run ${ended.status}: ${ended.error}`);
    return ended;
  }

  async #trusted<T>(work: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
    return await this.store.duckdb.trusted.use(work);
  }
}
