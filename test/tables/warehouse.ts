import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Catalog } from '../../src/catalog/catalog.ts';
import { SqliteCatalog } from '../../src/catalog/sqlite-catalog.ts';
import { type Clock, systemClock } from '../../src/clock.ts';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { newSnapshotId } from '../../src/iceberg/snapshot-id.ts';
import { DuckDb } from '../../src/sql/duckdb.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';
import { appendFiles } from '../../src/tables/actions/append-files.ts';
import { writeDataFiles } from '../../src/tables/data-file-writer.ts';
import type { TableDefinition } from '../../src/tables/new-table.ts';
import { resolveAsOf, schemaAsOf } from '../../src/tables/resolve-as-of.ts';
import { scanRelation } from '../../src/tables/scan-relation.ts';
import type { AsOf, Table } from '../../src/tables/table.ts';
import { Tables } from '../../src/tables/tables.ts';

/** A real warehouse in a directory of its own: local files, a SQLite catalog, DuckDB. */
export class Warehouse {
  readonly directory: string;
  readonly tables: Tables;
  readonly catalog: Catalog;
  readonly duckdb: DuckDb;

  private constructor(directory: string, tables: Tables, duckdb: DuckDb) {
    this.directory = directory;
    this.tables = tables;
    this.catalog = tables.catalog;
    this.duckdb = duckdb;
  }

  static async open(clock: Clock = systemClock): Promise<Warehouse> {
    const directory = await mkdtemp(join(tmpdir(), 'icecore-tables-'));
    const duckdb = await DuckDb.open({
      spillDirectory: join(directory, 'spill'),
      memoryBytesMax: 1024 * 1024 * 1024,
      threads: 2,
      readableDirectories: [directory],
    });
    const catalog = await SqliteCatalog.open(join(directory, 'catalog.db'), clock);
    const tables = new Tables({
      catalog,
      storage: new LocalStorage({ roots: [directory] }),
      duckdb,
      clock,
      warehouse: `file://${directory}/warehouse`,
      stagingDirectory: join(directory, 'staging'),
    });
    return new Warehouse(directory, tables, duckdb);
  }

  async close(): Promise<void> {
    await this.catalog.close();
    await this.duckdb.close();
    await rm(this.directory, { recursive: true, force: true });
  }

  async create(name: string, definition: TableDefinition): Promise<Table> {
    const transaction = this.tables.transaction();
    transaction.create(parseIdentifier(name), definition);
    return one((await transaction.commit()).tables);
  }

  async load(name: string): Promise<Table> {
    return await this.tables.load(parseIdentifier(name));
  }

  /** Appends the rows of a SELECT; gives the table after it. */
  async append(name: string, select: string): Promise<Table> {
    const table = await this.load(name);
    const { files } = await this.duckdb.trusted.use((connection) =>
      writeDataFiles(this.tables, { connection, metadata: table.metadata, relation: `(${select})` }),
    );
    const transaction = this.tables.transaction();
    transaction.change(table, appendFiles(files, { snapshotId: newSnapshotId() }));
    return one((await transaction.commit()).tables);
  }

  /** The rows of a SELECT over `t`, the table, or some of its columns, at a point in time. */
  async rows(name: string, select = 'SELECT * FROM t', asOf?: AsOf, columns?: readonly string[]): Promise<readonly unknown[]> {
    const table = await this.load(name);
    const snapshot = resolveAsOf(table, asOf);
    const scan = await scanRelation(this.tables, {
      table,
      snapshot,
      schema: schemaAsOf(table, asOf, snapshot),
      ...(columns === undefined ? {} : { columns }),
    });
    try {
      return await this.select(`WITH t AS ${scan.sql} ${select}`);
    } finally {
      scan.release();
    }
  }

  async select(sql: string): Promise<readonly unknown[]> {
    return await this.duckdb.trusted.use(async (connection) => (await connection.runAndReadAll(sql)).getRowObjectsJson());
  }
}

export function one<T>(items: readonly T[]): T {
  const [item, ...more] = items;
  if (item === undefined || more.length > 0) throw new Error(`Expected one item, and there are ${items.length}.`);
  return item;
}
