import type { DuckDBConnection, DuckDBValue } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { schemaById } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { requireField, type Schema } from '../iceberg/schema.ts';
import type { NestedField } from '../iceberg/type.ts';
import { pageFilesMax, pageRowsDefault, pageRowsMax } from '../limits.ts';
import { cellJson, type JsonValue } from '../sql/cell-json.ts';
import { parsePredicate } from '../sql/predicate.ts';
import { predicateSql } from '../sql/predicate-sql.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { fileColumn, rowColumn } from './read-parquet.ts';
import { resolveAsOf, schemaAsOf } from './resolve-as-of.ts';
import { parseRowCursor, printRowCursor, type RowCursor } from './row-cursor.ts';
import { scanError } from './scan-error.ts';
import { openScan } from './scan-relation.ts';
import { inRowOrder, noCounters, planSnapshot } from './snapshot-files.ts';
import type { AsOf, Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface RowsRequest {
  readonly asOf?: AsOf;
  /** Columns, in this order; all where left out. */
  readonly select?: readonly string[];
  /** A predicate's text. */
  readonly where?: string;
  readonly first?: number;
  /** `endCursor` of the page before: goes on in its snapshot, whatever was committed meanwhile. */
  readonly after?: string;
  readonly signal?: AbortSignal;
}

/** Rows in the stable order of their snapshot: by data sequence number, path of the file and position in it. */
export interface RowPage {
  /** Null for a table without a snapshot. */
  readonly snapshotId: bigint | null;
  readonly columns: readonly NestedField[];
  /** In the contract's JSON forms. */
  readonly rows: readonly { readonly [column: string]: JsonValue }[];
  readonly endCursor: string | null;
  readonly hasNextPage: boolean;
}

/** A page of a table's rows. Throws BAD_USER_INPUT for an unknown column, a page that is too long and a cursor that is none. */
export async function readRows(tables: Tables, table: Table, request: RowsRequest): Promise<RowPage> {
  const first = request.first ?? pageRowsDefault;
  if (!Number.isInteger(first) || first < 0 || first > pageRowsMax) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `A page holds 0 to ${pageRowsMax} rows, and ${first} were asked for. Go on with \`after\`.`,
    );
  }
  const cursor = request.after === undefined ? null : parseRowCursor(request.after);
  const asOf: AsOf | undefined = cursor === null ? request.asOf : { snapshotId: cursor.snapshotId };
  const snapshot = resolveAsOf(table, asOf);
  const schema =
    (cursor === null ? undefined : schemaById(table.metadata, cursor.schemaId)) ?? schemaAsOf(table, request.asOf, snapshot);
  const columns = request.select?.map((name) => requireField(schema, name)) ?? schema.fields;
  const where = request.where === undefined ? undefined : await parsePredicate(tables.duckdb, request.where, request.signal);
  const { tasks } = await planSnapshot(tables.files, table.metadata, snapshot, {
    schema,
    ...(where === undefined ? {} : { where }),
  });
  const found = await collect(tables, table, {
    schema,
    columns,
    where,
    tasks,
    cursor,
    rowsMax: first + 1,
    signal: request.signal,
  });
  const rows = found.slice(0, first);
  const last = rows.at(-1);
  return {
    snapshotId: snapshot?.snapshotId ?? null,
    columns,
    rows: rows.map(({ cells }) =>
      Object.fromEntries(columns.map((field, index) => [field.name, cellJson(cells[index] ?? null, field.type)])),
    ),
    endCursor:
      last === undefined || snapshot === null
        ? (request.after ?? null)
        : printRowCursor({
            snapshotId: snapshot.snapshotId,
            schemaId: schema.schemaId,
            dataSequenceNumber: last.task.dataSequenceNumber,
            filePath: last.task.file.filePath,
            row: last.row,
          }),
    hasNextPage: found.length > first,
  };
}

interface FoundRow {
  readonly cells: readonly DuckDBValue[];
  readonly task: FileScanTask;
  readonly row: bigint;
}

interface Collecting {
  readonly schema: Schema;
  readonly columns: readonly NestedField[];
  readonly where: Expression | undefined;
  readonly tasks: readonly FileScanTask[];
  readonly cursor: RowCursor | null;
  readonly rowsMax: number;
  readonly signal: AbortSignal | undefined;
}

/** Reads a few files at a time, more of them each time, until there are rows enough. */
async function collect(tables: Tables, table: Table, work: Collecting): Promise<readonly FoundRow[]> {
  const found: FoundRow[] = [];
  let at = work.tasks.findIndex((task) => work.cursor === null || !isBefore(task, work.cursor));
  if (at < 0) return found;
  let filesMax = 1;
  await tables.duckdb.trusted.use(async (connection) => {
    while (at < work.tasks.length && found.length < work.rowsMax) {
      work.signal?.throwIfAborted();
      const tasks = work.tasks.slice(at, at + filesMax);
      found.push(...(await readFiles(tables, table, connection, work, tasks, work.rowsMax - found.length)));
      at += tasks.length;
      filesMax = Math.min(filesMax * 2, pageFilesMax);
    }
  }, work.signal);
  return found;
}

function isBefore(task: FileScanTask, cursor: RowCursor): boolean {
  const place = { ...task, dataSequenceNumber: cursor.dataSequenceNumber, file: { ...task.file, filePath: cursor.filePath } };
  return inRowOrder(task, place) < 0;
}

async function readFiles(
  tables: Tables,
  table: Table,
  connection: DuckDBConnection,
  work: Collecting,
  tasks: readonly FileScanTask[],
  rowsMax: number,
): Promise<readonly FoundRow[]> {
  const plan = { tasks, counters: noCounters };
  const scan = await openScan(tables, { table, withPosition: true }, work.schema, plan);
  try {
    const conditions: string[] = [];
    if (work.where !== undefined) conditions.push(predicateSql(work.schema, bindExpression(work.schema, work.where)));
    const { cursor } = work;
    const begun =
      cursor === null ? undefined : [...scan.tasksByPath].find(([, task]) => task.file.filePath === cursor.filePath)?.[0];
    if (begun !== undefined) conditions.push(`NOT (${fileColumn} = ${quoteText(begun)} AND ${rowColumn} <= ${cursor?.row})`);
    const filter = conditions.length === 0 ? '' : ` WHERE ${conditions.map((condition) => `(${condition})`).join(' AND ')}`;
    const columns = [...work.columns.map((field) => quoteIdentifier(field.name)), fileColumn, rowColumn];
    // The engine keeps the order of files and rows (preserve_insertion_order), but not across the join that takes deletes out.
    const paths = [...scan.tasksByPath.keys()].map(quoteText).join(', ');
    const order = !scan.isOrdered ? ` ORDER BY list_position([${paths}], ${fileColumn}), ${rowColumn}` : '';
    const reader = await connection.runAndReadAll(
      `SELECT ${columns.join(', ')} FROM ${scan.sql} AS data${filter}${order} LIMIT ${rowsMax}`,
    );
    return reader.getRows().map((cells) => {
      const task = scan.tasksByPath.get(String(cells[work.columns.length]));
      if (task === undefined)
        throw new IcecoreError('INTERNAL', `A row came from ${cells[work.columns.length]}, which was not planned.`);
      return { cells, task, row: BigInt(String(cells[work.columns.length + 1])) };
    });
  } catch (error) {
    throw await scanError(tables, scan, error, 'Reading the rows');
  } finally {
    scan.release();
  }
}
