import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { arrowSchema } from '../../../src/arrow/arrow-type.ts';
import { RecordBatchBuilder } from '../../../src/arrow/record-batch.ts';
import type { DataFile } from '../../../src/iceberg/data-file.ts';
import { parseIdentifier } from '../../../src/iceberg/identifier.ts';
import { readFileMetadata, storedFile } from '../../../src/parquet/file-metadata.ts';
import { readRowGroup } from '../../../src/parquet/row-group.ts';
import { predicateSql } from '../../../src/sql/predicate-sql.ts';
import { quoteText } from '../../../src/sql/quote.ts';
import { appendFiles } from '../../../src/tables/actions/append-files.ts';
import { noMetrics } from '../../../src/tables/position-deletes.ts';
import { openScan } from '../../../src/tables/scan-relation.ts';
import { planSnapshot } from '../../../src/tables/snapshot-files.ts';
import type { TableAction } from '../../../src/tables/table-action.ts';
import { constantColumn } from '../../../src/training/feed/constant-column.ts';
import type { TrainingFeedInput } from '../../../src/training/feed/feed-input.ts';
import { type FeedRows, type FeedSources, resolveFeedRows } from '../../../src/training/feed/feed-source.ts';
import type { FeedGroups } from '../../../src/training/groups/feed-groups.ts';
import { readLiveRows } from '../../../src/training/groups/feed-live-rows.ts';
import { KeptGroups } from '../../../src/training/groups/kept-groups.ts';
import type { OpenedGroups } from '../../../src/training/groups/opened-groups.ts';
import { cellsOf } from '../../parquet/local-parquet.ts';
import { Warehouse } from '../../tables/warehouse.ts';

/** What a feed asks for, but for its table. */
export type Asked = Omit<TrainingFeedInput, 'source'>;

/** Tables of files with several row groups, and their groups as a feed gets them. */
export class FeedTables {
  readonly warehouse: Warehouse;
  kept: KeptGroups;

  private constructor(warehouse: Warehouse) {
    this.warehouse = warehouse;
    this.kept = this.restarted();
  }

  static async open(): Promise<FeedTables> {
    return new FeedTables(await Warehouse.open());
  }

  async close(): Promise<void> {
    await this.warehouse.close();
  }

  get directory(): string {
    return join(this.warehouse.directory, 'cache', 'feeds');
  }

  /** As after a restart: nothing in memory. */
  restarted(): KeptGroups {
    return new KeptGroups({ tables: this.warehouse.tables, directory: this.directory });
  }

  async change(name: string, ...actions: readonly TableAction[]): Promise<void> {
    const transaction = this.warehouse.tables.transaction();
    for (const action of actions) transaction.change(parseIdentifier(name), action);
    await transaction.commit();
  }

  /** Appends the rows of a SELECT as one file with row groups of 2,048 rows. `ids` are DuckDB's FIELD_IDS, none where empty. */
  async appendGroups(name: string, select: string, ids: string, file: Partial<DataFile> = {}): Promise<DataFile> {
    const local = join(this.warehouse.directory, `${randomUUID()}.parquet`);
    const fieldIds = ids === '' ? '' : `, FIELD_IDS {${ids}}`;
    const [copied] = await this.warehouse.select(
      `COPY (${select}) TO '${local}' (FORMAT parquet, ROW_GROUP_SIZE 2048${fieldIds})`,
    );
    const recordCount = BigInt(String((copied as { readonly Count: string }).Count));
    return await this.appendFile(name, local, { recordCount, ...file });
  }

  /** Appends a local file as it is. */
  async appendFile(name: string, local: string, file: Partial<DataFile>): Promise<DataFile> {
    const { metadata } = await this.warehouse.load(name);
    const fileSizeInBytes = BigInt((await stat(local)).size);
    const filePath = `${metadata.location}/data/${file.filePath ?? `${randomUUID()}-foreign.parquet`}`;
    await this.warehouse.tables.storage.publish(local, filePath);
    const place = { content: 'data', fileFormat: 'parquet', specId: 0, partition: [], recordCount: 0n } as const;
    const added = { ...noMetrics, ...place, ...file, filePath, fileSizeInBytes };
    await this.change(name, appendFiles([added]));
    return added;
  }

  /** What a feed of a table would read. */
  async rows(name: string, asked: Asked = {}): Promise<FeedRows> {
    const { tables, duckdb } = this.warehouse;
    const none = () => Promise.reject(new Error('There are no training sets here.'));
    const sources: FeedSources = { tables, duckdb, trainingSet: none, trainingSetAt: none };
    return await resolveFeedRows(sources, { source: { table: { name } }, ...asked });
  }

  async groups(name: string, asked: Asked = {}): Promise<OpenedGroups> {
    return await this.kept.open(await this.rows(name, asked));
  }

  /** The cells of all matching rows, column by column, in the order of the groups: by `src/parquet` where it covers a group, else by SQL. */
  async cells(name: string, asked: Asked = {}): Promise<readonly (readonly string[])[]> {
    const groups = await this.groups(name, asked);
    const columns: string[][] = [];
    for (const [place, matchingRows] of groups.matchingRows.entries()) {
      if (matchingRows === 0) continue;
      const { uncovered } = await groups.decodeTask(place);
      const bySql = await this.bySql(groups, place);
      if (uncovered === null && JSON.stringify(await this.byParquet(groups, place)) !== JSON.stringify(bySql)) {
        throw new Error(`SQL and src/parquet do not agree on group ${place}.`);
      }
      for (const [index, cells] of bySql.entries()) columns[index] = [...(columns[index] ?? []), ...cells];
    }
    return columns;
  }

  async byParquet(groups: FeedGroups, place: number): Promise<readonly (readonly string[])[]> {
    const task = await groups.decodeTask(place);
    const file = storedFile(this.warehouse.tables.storage, task.location, task.fileSizeBytes);
    const read = await readRowGroup(file, await readFileMetadata(file), task.ordinal, task.fields);
    const live = task.liveRows === null ? null : readLiveRows(task.liveRows, task.rowCount);
    const rows = live === null ? null : [...live.rows(0, live.count)];
    const types = arrowSchema(task.fields).fields;
    return task.fields.map(({ id }, index) => {
      const { type } = types[index] as (typeof types)[number];
      const column = read[index] ?? constantColumn(type, task.constants.get(id) ?? null, task.rowCount);
      const cells = cellsOf(column);
      return rows === null ? cells : rows.map((row) => cells[row] ?? '?');
    });
  }

  async bySql(groups: FeedGroups, place: number): Promise<readonly (readonly string[])[]> {
    const columns: string[][] = [];
    await groups.decodeBySql(place, ({ columns: block }) => {
      for (const [index, column] of block.entries()) columns[index] = [...(columns[index] ?? []), ...cellsOf(column)];
    });
    return columns;
  }

  /** The same rows by one SELECT over the whole snapshot. */
  async selected(name: string, asked: Asked = {}): Promise<readonly (readonly string[])[]> {
    const { table, snapshot, schema, columns, filter } = await this.rows(name, asked);
    const { tables, duckdb } = this.warehouse;
    const plan = await planSnapshot(tables.files, table.metadata, snapshot, { schema });
    const scan = await openScan(tables, { table, withPosition: true }, schema, plan);
    const paths = [...scan.tasksByPath.keys()].map(quoteText).join(', ');
    const names = columns.map((column) => `"${column.name}"`).join(', ');
    try {
      return await duckdb.trusted.use(async (connection) => {
        const result = await connection.run(
          `SELECT ${names} FROM ${scan.sql} AS r WHERE ${predicateSql(schema, filter)} ` +
            `ORDER BY list_position([${paths}]::VARCHAR[], __icecore_file), __icecore_row`,
        );
        const builder = new RecordBatchBuilder(arrowSchema(columns), result.columnTypes(), 10_000_000);
        for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
          for (const _full of builder.append(chunk)) throw new Error('More rows than a batch takes.');
        }
        return builder.rows === 0 ? [] : builder.take().data.children.map(cellsOf);
      });
    } finally {
      scan.release();
    }
  }
}
