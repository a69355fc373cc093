import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { branchSnapshot } from '../iceberg/branch.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import { mainBranch, type Snapshot } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { commitAttemptsMax } from '../limits.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { parsePredicate } from '../sql/predicate.ts';
import { predicateSql } from '../sql/predicate-sql.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { replaceFiles } from './actions/replace-files.ts';
import { tableColumnsSql } from './column-source.ts';
import { type WrittenDataFiles, writeDataFiles } from './data-file-writer.ts';
import { isolationLevel } from './isolation-level.ts';
import { isToComputeAgain } from './lost-snapshot.ts';
import { commitWrite, type PreparedWrite, type RowsToWrite, snapshotOptions, type WriteOutcome } from './prepared-write.ts';
import { fileColumn } from './read-parquet.ts';
import { hasRowLineage, lastUpdatedField, lineageFields, rowIdField } from './row-lineage.ts';
import { type RowSource, rowRelation } from './row-source.ts';
import { scanError } from './scan-error.ts';
import { openScan } from './scan-relation.ts';
import { noCounters, planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';
import { closedRoots } from './write-rows.ts';

export interface RowsToOverwrite extends Omit<RowsToWrite, 'rows' | 'mode' | 'keys'> {
  /** A predicate: the rows that go. */
  readonly where: string;
  /** What comes instead, each of which has to satisfy the predicate; nothing where left out, so that rows are deleted. */
  readonly rows?: RowSource;
}

/**
 * Replaces the rows that satisfy a predicate, as one snapshot: files of which all rows do go as they are, those of which some do are written anew
 * without them. Computed again where what is committed meanwhile can concern such rows, under the isolation level of the table's properties
 * (`write.update.isolation-level`, or `write.delete.isolation-level` without new rows). Throws BAD_USER_INPUT for a predicate that does not
 * fit the table and for rows that do not satisfy it.
 */
export async function overwriteWhere(tables: Tables, overwrite: RowsToOverwrite): Promise<WriteOutcome> {
  const where = await parsePredicate(tables.duckdb, overwrite.where, overwrite.signal);
  return await tables.duckdb.trusted.use(async (connection) => {
    const first = await tables.load(overwrite.identifier);
    const relation = await incoming(tables, connection, currentSchema(first.metadata), overwrite);
    for (let attempt = 1; ; attempt++) {
      const table = attempt === 1 ? first : await tables.load(overwrite.identifier);
      try {
        return await commitWrite(tables, overwrite, await prepare(tables, connection, table, { overwrite, where, relation }));
      } catch (error) {
        if (attempt >= commitAttemptsMax || !(await isToComputeAgain(tables, table, overwrite.branch, error))) throw error;
      }
    }
  }, overwrite.signal);
}

async function incoming(
  tables: Tables,
  connection: DuckDBConnection,
  schema: Schema,
  { rows, fileRoots = [] }: RowsToOverwrite,
): Promise<string | null> {
  if (rows === undefined) return null;
  return await rowRelation(connection, rows, { schema, fileRoots, closedRoots: closedRoots(tables), keep: true });
}

interface Overwriting {
  readonly overwrite: RowsToOverwrite;
  readonly where: Expression;
  /** The new rows; null for none. */
  readonly relation: string | null;
}

async function prepare(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  { overwrite, where, relation }: Overwriting,
): Promise<PreparedWrite> {
  const { metadata } = table;
  const schema = currentSchema(metadata);
  const filter = bindExpression(schema, where);
  const condition = predicateSql(schema, filter);
  const head = branchSnapshot(metadata, overwrite.branch ?? mainBranch);
  try {
    const given = relation === null ? null : await tableColumnsSql(connection, relation, schema);
    const rowsAdded = given === null ? 0n : await fittingRows(connection, given, condition, overwrite.where);
    const { hit, partly, rowsRemoved } = await hits(tables, connection, table, { head, schema, where, condition });
    const { files } = await rewrite(tables, connection, table, { overwrite, partly, condition, given });
    const snapshotId = newSnapshotId();
    const removed = hit.map(({ file }) => file);
    const isDelete = given === null;
    const action = replaceFiles({
      ...snapshotOptions(overwrite, snapshotId),
      operation: files.length === 0 ? 'delete' : 'overwrite',
      removed: removed.map(({ filePath }) => filePath),
      added: files,
      conflicts: {
        readFrom: head?.snapshotId ?? null,
        formatVersion: metadata.formatVersion,
        rows: { schema, filter },
        noAddedData: isolationLevel(metadata, isDelete ? 'delete' : 'update') === 'serializable',
        noDeletedData: true,
        noNewDeletes: { concerned: new Set(removed.map(({ filePath }) => filePath)) },
        removed,
      },
    });
    return { table, snapshotId, action, files: files.map(({ filePath }) => filePath), rowsAdded, rowsRemoved };
  } catch (error) {
    throw duckDbError(error, 'Overwriting rows');
  }
}

/** How many there are. Throws BAD_USER_INPUT where one does not satisfy the predicate: it would not be replaced by the same call. */
async function fittingRows(connection: DuckDBConnection, given: string, condition: string, where: string): Promise<bigint> {
  const reader = await connection.runAndReadAll(
    `SELECT count(*), count(*) FILTER (WHERE (${condition}) IS NOT TRUE) FROM (${given}) AS given`,
  );
  const [all, wrong] = (reader.getRows()[0] ?? []).map((count) => BigInt(String(count)));
  if (wrong === 0n) return all ?? 0n;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${wrong} of the ${all} rows do not satisfy ${JSON.stringify(where)}, which they are to replace.`,
  );
}

interface Hits {
  /** Files with rows that go. */
  readonly hit: readonly FileScanTask[];
  /** Those of them that may have others too. */
  readonly partly: readonly FileScanTask[];
  readonly rowsRemoved: bigint;
}

async function hits(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  scan: { readonly head: Snapshot | null; readonly schema: Schema; readonly where: Expression; readonly condition: string },
): Promise<Hits> {
  const { tasks } = await planSnapshot(tables.files, table.metadata, scan.head, scan);
  const isWhole = ({ residual }: FileScanTask): boolean => residual.op === 'true';
  const uncounted = tasks.filter((task) => !isWhole(task) || task.deletes.length > 0);
  const counted = tasks.filter((task) => isWhole(task) && task.deletes.length === 0);
  const opened = await openScan(tables, { table, withPosition: true }, scan.schema, { tasks: uncounted, counters: noCounters });
  try {
    const reader = await connection.runAndReadAll(
      `SELECT ${fileColumn}, count(*) FROM ${opened.sql} AS data WHERE ${scan.condition} GROUP BY 1`,
    );
    const rows = new Map(reader.getRows().map(([path, count]) => [String(path), BigInt(String(count))] as const));
    const partly = [...opened.tasksByPath].flatMap(([path, task]) => (rows.has(path) && !isWhole(task) ? [task] : []));
    return {
      hit: [...tasks.filter(isWhole), ...partly],
      partly,
      rowsRemoved:
        counted.reduce((sum, { file }) => sum + file.recordCount, 0n) +
        [...rows.values()].reduce((sum, count) => sum + count, 0n),
    };
  } catch (error) {
    throw await scanError(tables, opened, error, 'Overwriting rows');
  } finally {
    opened.release();
  }
}

/** The rows that stay of files that go, and the new ones, as files. */
async function rewrite(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  work: {
    readonly overwrite: RowsToOverwrite;
    readonly partly: readonly FileScanTask[];
    readonly condition: string;
    readonly given: string | null;
  },
): Promise<WrittenDataFiles> {
  if (work.partly.length === 0 && work.given === null) return { files: [], rowCount: 0n };
  const { metadata } = table;
  const schema = currentSchema(metadata);
  const withLineage = hasRowLineage(metadata);
  const old = await openScan(tables, { table, withLineage, isKept: true }, schema, { tasks: work.partly, counters: noCounters });
  try {
    const fields = withLineage ? [...schema.fields, ...lineageFields] : schema.fields;
    const columns = fields.map(({ name }) => quoteIdentifier(name)).join(', ');
    const survivors = `SELECT ${columns} FROM ${old.sql} AS data WHERE (${work.condition}) IS NOT TRUE`;
    const noIds = withLineage ? `, NULL::BIGINT AS ${rowIdField.name}, NULL::BIGINT AS ${lastUpdatedField.name}` : '';
    const added = work.given === null ? '' : ` UNION ALL BY NAME (SELECT *${noIds} FROM (${work.given}) AS given)`;
    return await writeDataFiles(tables, {
      connection,
      relation: `(${survivors}${added})`,
      metadata,
      withLineage,
      ...(work.overwrite.orderBy === undefined ? {} : { orderBy: work.overwrite.orderBy }),
      ...(work.overwrite.signal === undefined ? {} : { signal: work.overwrite.signal }),
    });
  } finally {
    old.release();
  }
}
