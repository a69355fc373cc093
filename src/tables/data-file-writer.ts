import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { currentSchema, defaultSpec, type TableMetadata } from '../iceberg/metadata.ts';
import { metricsModes } from '../iceberg/metrics-mode.ts';
import { partitionPath } from '../iceberg/partition-path.ts';
import type { Schema } from '../iceberg/schema.ts';
import { isPrimitive, type Literal } from '../iceberg/type.ts';
import { filesPublishedAtOnce } from '../limits.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { tableColumnsSql } from './column-source.ts';
import { copyOut } from './copy-out.ts';
import { describeDataFile, refuseInfinite, refuseNulls } from './data-file-description.ts';
import { fileDetails } from './file-details.ts';
import { leafColumns } from './parquet-columns.ts';
import { type PartitionColumn, partitionColumns, partitionValue } from './partition-columns.ts';
import type { ReturnedFile } from './returned-statistics.ts';
import { lineageFields } from './row-lineage.ts';
import type { Tables } from './tables.ts';
import { writeOrder } from './write-order.ts';
import { markInstants, zonedNanosIds } from './zoned-nanos.ts';

export interface DataFilesToWrite {
  readonly connection: DuckDBConnection;
  /** What stands after FROM: a name, `read_parquet(…)` or a SELECT in parentheses; its columns are matched by name. */
  readonly relation: string;
  /** Of the table the files are for: its current schema, default partition spec, location and properties. */
  readonly metadata: TableMetadata;
  /** SQL over the table's columns. The rows of a file, and where `rowsPerFile` is given its files too, are in this order. */
  readonly orderBy?: string;
  /** Cuts an unpartitioned table's rows into files of so many, named so that the order of their paths is the order of the rows. */
  readonly rowsPerFile?: number;
  /** The relation has `_row_id` and `_last_updated_sequence_number` too, of rows that move from one file to another. */
  readonly withLineage?: boolean;
  readonly signal?: AbortSignal;
}

export interface WrittenDataFiles {
  readonly files: readonly DataFile[];
  readonly rowCount: bigint;
}

/**
 * Writes a relation's rows as Parquet data files of a table: field ids on every column, metrics for pruning, one partition a file
 * (spec: "Parquet", "Writer requirements"). No row makes no file. Durable when it resolves; nothing refers to the files until a
 * commit does: give their paths to `TableTransaction.onRollback`. Throws BAD_USER_INPUT where rows do not fit the table, and
 * leaves nothing behind then.
 */
export async function writeDataFiles(tables: Tables, work: DataFilesToWrite): Promise<WrittenDataFiles> {
  const schema = currentSchema(work.metadata);
  refuseFixed(schema);
  const directory = `${tables.stagingDirectory}/${randomUUID()}`;
  await mkdir(directory, { recursive: true });
  const published: string[] = [];
  try {
    const stored = work.withLineage === true ? { ...schema, fields: [...schema.fields, ...lineageFields] } : schema;
    const rows = await tableColumnsSql(work.connection, work.relation, stored);
    const partitions = partitionColumns(work.connection, schema, defaultSpec(work.metadata));
    const isOrdered = work.orderBy !== undefined || work.rowsPerFile !== undefined;
    const order = isOrdered ? null : writeOrder(work.connection, work.metadata, schema);
    const ordered = order === null ? work : { ...work, orderBy: order.sql };
    const returned = (await copyOut(ordered, rows, stored, partitions, directory)).filter((file) => file.rowCount > 0n);
    refuseNulls(returned, schema);
    refuseInfinite(returned, schema);
    await refuseNestedNulls(work.connection, returned, schema);
    const files = await describeAll(work, schema, partitions, returned, order?.sortOrderId ?? null);
    const instants = zonedNanosIds([schema]);
    for (const { path } of returned) await markInstants(path, instants);
    await publishAll(tables, returned, files, published, work.signal);
    return { files, rowCount: returned.reduce((sum, file) => sum + file.rowCount, 0n) };
  } catch (error) {
    await tables.storage.remove(published).catch(() => undefined);
    throw duckDbError(error, 'Writing the rows');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** DuckDB writes bytes of any length alone, and other engines refuse to read those as `fixed` (spec: "Parquet", fixed(L)). */
function refuseFixed(schema: Schema): void {
  const fault = leafColumns(schema.fields).find(({ type }) => type.startsWith('fixed'));
  if (fault === undefined) return;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `Column ${fault.path} is ${fault.type}, which Icecore reads and does not write yet: use binary instead.`,
    { context: { column: fault.path } },
  );
}

/** Required columns of nested types have no statistics of their own. */
async function refuseNestedNulls(connection: DuckDBConnection, files: readonly ReturnedFile[], schema: Schema): Promise<void> {
  const nested = schema.fields.filter((field) => field.required && !isPrimitive(field.type));
  if (nested.length === 0 || files.length === 0) return;
  const counts = nested.map((field) => `count(*) FILTER (${quoteIdentifier(field.name)} IS NULL)`);
  const paths = files.map((file) => quoteText(file.path)).join(', ');
  const reader = await connection.runAndReadAll(`SELECT ${counts.join(', ')} FROM read_parquet([${paths}])`);
  const nulls = reader.getRows()[0] ?? [];
  const fault = nested.find((_field, index) => nulls[index] !== 0n);
  if (fault === undefined) return;
  throw new IcecoreError('BAD_USER_INPUT', `Column "${fault.name}" is required, and some of the rows have no value for it.`, {
    context: { column: fault.name },
  });
}

async function describeAll(
  work: DataFilesToWrite,
  schema: Schema,
  partitions: readonly PartitionColumn[],
  returned: readonly ReturnedFile[],
  sortOrderId: number | null,
): Promise<readonly DataFile[]> {
  const leafIds = leafColumns(schema.fields).map(({ fieldId }) => fieldId);
  const modes = metricsModes(work.metadata.properties, schema, leafIds);
  const spec = defaultSpec(work.metadata);
  const writeId = randomUUID();
  const files: DataFile[] = [];
  for (const [index, file] of returned.entries()) {
    const partition = await partitionOf(work.connection, partitions, file);
    const folder = partitionPath(spec, schema, partition);
    const number = String(index).padStart(5, '0');
    const name = work.rowsPerFile === undefined ? `${writeId}-${number}` : `${number}-${writeId}`;
    const location = [work.metadata.location, 'data', ...(folder === '' ? [] : [folder]), `${name}.parquet`].join('/');
    const details = await fileDetails(work.connection, file, schema);
    const described = { returned: file, details, modes, location, specId: spec.specId, partition, sortOrderId };
    files.push(describeDataFile(described, schema));
  }
  return files;
}

async function partitionOf(
  connection: DuckDBConnection,
  columns: readonly PartitionColumn[],
  file: ReturnedFile,
): Promise<readonly (Literal | null)[]> {
  const values: (Literal | null)[] = [];
  for (const column of columns) {
    const value = partitionValue(column, file.partitionKeys.get(column.name) ?? null);
    values.push(value === undefined ? await readPartitionValue(connection, column, file.path) : value);
  }
  return values;
}

/** A value too long for a directory's name: every row of the file has it, so the first tells. */
async function readPartitionValue(connection: DuckDBConnection, column: PartitionColumn, path: string): Promise<Literal | null> {
  const reader = await connection.runAndReadAll(
    `SELECT 'v' || ${column.valueSql} FROM (SELECT * FROM read_parquet(${quoteText(path)}, hive_partitioning = false) LIMIT 1)`,
  );
  return partitionValue(column, String(reader.getRows()[0]?.[0])) ?? null;
}

async function publishAll(
  tables: Tables,
  returned: readonly ReturnedFile[],
  files: readonly DataFile[],
  published: string[],
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let at = 0; at < files.length; at += filesPublishedAtOnce) {
    signal?.throwIfAborted();
    await Promise.all(
      files.slice(at, at + filesPublishedAtOnce).map(async (file, index) => {
        published.push(file.filePath);
        await tables.storage.publish(returned[at + index]?.path ?? '', file.filePath);
      }),
    );
  }
}
