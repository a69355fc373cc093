import { arrowSchema } from '../../arrow/arrow-type.ts';
import type { BlockColumns } from '../../arrow/block-file-writer.ts';
import { RecordBatchBuilder } from '../../arrow/record-batch.ts';
import { IcecoreError } from '../../errors.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import type { NestedField } from '../../iceberg/type.ts';
import { refuseCutShort } from '../../sql/cut-short.ts';
import { predicateSql } from '../../sql/predicate-sql.ts';
import { quoteIdentifier } from '../../sql/quote.ts';
import { rowColumn } from '../../tables/read-parquet.ts';
import { scanError } from '../../tables/scan-error.ts';
import { openScan } from '../../tables/scan-relation.ts';
import { noCounters } from '../../tables/snapshot-files.ts';
import type { Tables } from '../../tables/tables.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import type { FeedGroup } from './feed-groups.ts';
import { filterColumns, type MatchScope } from './feed-matches.ts';

/** The matching rows of a group, in order, through DuckDB: for files that `src/parquet` does not read. Throws FAILED_PRECONDITION, naming the file. */
export async function decodeGroupBySql(
  tables: Tables,
  { table, schema, filter }: MatchScope,
  fields: readonly NestedField[],
  group: FeedGroup,
  task: FileScanTask,
  write: (block: BlockColumns) => void | Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const names = fields.map(({ name }) => name);
  const columns = [...new Set([...names, ...filterColumns(schema, filter)])];
  const scan = await openScan(tables, { table, columns, withPosition: true }, schema, { tasks: [task], counters: noCounters });
  let rows = 0;
  const give = async (block: BlockColumns): Promise<void> => {
    rows += block.rowCount;
    await write(block);
  };
  try {
    await tables.duckdb.trusted.use(async (connection) => {
      const { firstRow, rowCount } = group;
      const order = scan.isOrdered ? '' : ` ORDER BY ${rowColumn}`;
      const result = await connection.stream(
        `SELECT ${names.map(quoteIdentifier).join(', ')} FROM ${scan.sql} AS r ` +
          `WHERE ${rowColumn} >= ${firstRow} AND ${rowColumn} < ${firstRow + rowCount} AND ${predicateSql(schema, filter)}${order}`,
      );
      const builder = new RecordBatchBuilder(arrowSchema(fields), result.columnTypes(), blockRowsMax);
      for (let chunk = await result.fetchChunk(); chunk !== null && chunk.rowCount > 0; chunk = await result.fetchChunk()) {
        signal?.throwIfAborted();
        for (const { numRows, data } of builder.append(chunk)) await give({ rowCount: numRows, columns: data.children });
      }
      refuseCutShort(result, 'The training feed', signal);
      if (builder.rows === 0) return;
      const { numRows, data } = builder.take();
      await give({ rowCount: numRows, columns: data.children });
    }, signal);
  } catch (error) {
    signal?.throwIfAborted();
    throw await scanError(tables, scan, error, 'The training feed');
  } finally {
    scan.release();
  }
  if (rows !== group.matchingRows) {
    throw new IcecoreError(
      'FAILED_PRECONDITION',
      `The file ${group.location} gives ${rows} rows of its group ${group.ordinal}, and ${group.matchingRows} were counted: it was written over, or is damaged.`,
      { context: { file: group.location } },
    );
  }
}

/** Groups of one file that were decoded through DuckDB, and why. */
export interface SqlDecode {
  readonly location: string;
  readonly reason: string;
  readonly groups: number;
}

/** How often groups went by SQL, by file and reason; of the files that were read last. */
export class SqlDecodes {
  readonly #filesMax: number;
  readonly #byFile = new Map<string, SqlDecode>();
  #groups = 0;

  constructor(filesMax: number) {
    this.#filesMax = filesMax;
  }

  /** Since the start, of all files. */
  get groups(): number {
    return this.#groups;
  }

  add(location: string, reason: string): void {
    this.#groups++;
    const key = `${reason} ${location}`;
    const before = this.#byFile.get(key)?.groups ?? 0;
    this.#byFile.delete(key);
    this.#byFile.set(key, { location, reason, groups: before + 1 });
    for (const oldest of this.#byFile.keys()) {
      if (this.#byFile.size <= this.#filesMax) break;
      this.#byFile.delete(oldest);
    }
  }

  list(): readonly SqlDecode[] {
    return [...this.#byFile.values()];
  }
}
