import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { Expression } from '../iceberg/expression.ts';
import { currentSchema, snapshotSchema, type TableMetadata } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { requireField, type Schema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { dataFilesOpenedAtOnce } from '../limits.ts';
import type { LocalCopy } from '../storage/storage.ts';
import { openAsParquet } from './avro-file.ts';
import { requireDeleteIds } from './delete-shape.ts';
import { isDeletionVector, writeVectors } from './deletion-vectors.ts';
import { type ColumnsByFile, columnsByFile } from './file-columns.ts';
import { flatDeletes } from './flat-deletes.ts';
import { requireOwnRows } from './foreign-files.ts';
import { type KeyColumn, keyColumn } from './key-column.ts';
import { type ParquetSource, type ReadParquetOptions, readParquetSql } from './read-parquet.ts';
import { lineageFields, lineageOf } from './row-lineage.ts';
import { planSnapshot, type SnapshotPlan } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface ScanOptions extends ReadParquetOptions {
  readonly table: Table;
  /** Null for a table without one, which has no rows. */
  readonly snapshot: Snapshot | null;
  /** What is read and under which names; that of the snapshot where left out. See `schemaAsOf`. */
  readonly schema?: Schema;
  /** Columns to read, in this order; all where left out. */
  readonly columns?: readonly string[];
  /** Leaves out files that hold no match. It filters no rows: put `predicateSql` behind WHERE for that. */
  readonly where?: Expression;
  /** The rows go on as the same table's, in new files of it. */
  readonly isKept?: boolean;
  readonly signal?: AbortSignal;
}

/** A snapshot's rows as SQL, good until it is released. */
export interface ScanRelation {
  /** A SELECT in parentheses, for FROM. */
  readonly sql: string;
  /** The same without them, for CREATE VIEW. */
  readonly select: string;
  readonly schema: Schema;
  readonly plan: SnapshotPlan;
  /** The data file behind each local path that `__icecore_file` may hold. */
  readonly tasksByPath: ReadonlyMap<string, FileScanTask>;
  /** The location of each data and delete file, by its local path. */
  readonly locations: ReadonlyMap<string, string>;
  /** Whether rows come in the order of the plan's files, and in each in the order of its rows. */
  readonly isOrdered: boolean;
  /** Lets go of the local copies of the files. */
  release(): void;
}

/**
 * A snapshot's rows as a relation of DuckDB, on any connection: its files opened, pruned by `where`, read by field id. Throws
 * FAILED_PRECONDITION for files that are not Parquet and for broken deletion vectors, naming the file.
 */
export async function scanRelation(tables: Tables, options: ScanOptions): Promise<ScanRelation> {
  const { metadata } = options.table;
  const schema =
    options.schema ?? (options.snapshot === null ? currentSchema(metadata) : snapshotSchema(metadata, options.snapshot));
  const plan = await planSnapshot(tables.files, metadata, options.snapshot, { ...options, schema });
  return await openScan(tables, options, schema, plan);
}

/** The same for files that were planned before. */
export async function openScan(
  tables: Tables,
  options: Pick<ScanOptions, 'table' | 'columns' | 'withPosition' | 'withLineage' | 'isKept'>,
  schema: Schema,
  plan: SnapshotPlan,
): Promise<ScanRelation> {
  const fields = options.columns?.map((name) => requireField(schema, name)) ?? schema.fields;
  const paths = plan.tasks.flatMap(({ file, deletes }) => [file.filePath, ...deletes.map(({ filePath }) => filePath)]);
  await tables.files.judge(options.table.metadata, paths);
  if (options.isKept === true) await requireOwnRows(tables, options.table.metadata, paths);
  for (const task of plan.tasks) refuseUnreadable(task);
  const copies = new Map<string, LocalCopy>();
  let vectors: Awaited<ReturnType<typeof writeVectors>> = null;
  const release = () => {
    for (const copy of copies.values()) copy.release();
    copies.clear();
    // What stays behind in the cache's directory can be lost at any time.
    void vectors?.remove().catch(() => undefined);
    vectors = null;
  };
  try {
    const opened = plan.tasks.flatMap(({ file, deletes }) => [file, ...deletes.filter((each) => !isDeletionVector(each))]);
    const files = [...new Map(opened.map((file) => [file.filePath, file])).values()];
    for (let at = 0; at < files.length; at += dataFilesOpenedAtOnce) {
      const some = files.slice(at, at + dataFilesOpenedAtOnce);
      await Promise.all(
        some.map(async (file) => copies.set(file.filePath, await openFile(tables, file, options.table.metadata))),
      );
    }
    const path = (location: string) => copies.get(location)?.path ?? location;
    const metadata = options.table.metadata;
    await requireDeleteIds(tables, [...new Set(plan.tasks.flatMap(({ deletes }) => deletes))], path);
    const keys = deleteKeys(plan.tasks).map((id) => keyColumn(metadata, schema, id).column);
    const besides = options.withLineage === true ? [...keys, ...lineageFields] : keys;
    const columns = await columnsByFile(tables, metadata, [...fields, ...besides], plan.tasks, path);
    vectors = await writeVectors(tables, plan.tasks, path);
    const vectorsPath = vectors?.path;
    const sources = plan.tasks.map(
      ({ file, deletes, dataSequenceNumber }): ParquetSource => ({
        path: path(file.filePath),
        location: file.filePath,
        deletePaths: deletes.filter(isPositionFile).map((each) => path(each.filePath)),
        equalityDeletes: deletes
          .filter(({ content }) => content === 'equality-deletes')
          .map(({ filePath, equalityIds }) => ({ path: path(filePath), fieldIds: equalityIds ?? [] })),
        ...(vectorsPath !== undefined && deletes.some(isDeletionVector) ? { vectorsPath } : {}),
        ...byNameOf(columns, file),
        ...(options.withLineage === true ? { lineage: lineageOf(file, dataSequenceNumber) } : {}),
      }),
    );
    const keyById = (id: number): KeyColumn => keyColumn(metadata, schema, id);
    const select = readParquetSql(sources, fields, { ...options, keyById });
    const tasksByPath = new Map(plan.tasks.map((task) => [path(task.file.filePath), task]));
    const isOrdered = columns.size === 0 && plan.tasks.every((task) => task.deletes.length === 0);
    const locations = new Map([...copies].map(([location, copy]) => [copy.path, location] as const));
    return { sql: `(${select})`, select, schema, plan, tasksByPath, locations, isOrdered, release };
  } catch (error) {
    release();
    throw error;
  }
}

async function openFile(tables: Tables, file: DataFile, { schemas }: TableMetadata): Promise<LocalCopy> {
  const copy = await openAsParquet(tables, file, schemas);
  return file.content === 'equality-deletes' ? await flatDeletes(tables, copy, file.equalityIds ?? []) : copy;
}

const readable: ReadonlySet<string> = new Set(['parquet', 'avro']);

/** Throws FAILED_PRECONDITION, naming the file, for a task with a file in a format that is not read, or that is encrypted. */
export function refuseUnreadable({ file, deletes }: FileScanTask): void {
  if (!readable.has(file.fileFormat))
    throw unreadable(file.filePath, `is ${file.fileFormat}, and Icecore reads Parquet and Avro`);
  if (file.keyMetadata !== null) throw unreadable(file.filePath, 'is encrypted, which Icecore does not read');
  for (const each of deletes) {
    if (!readable.has(each.fileFormat) && !isDeletionVector(each)) {
      throw unreadable(
        each.filePath,
        `holds deletes as ${each.fileFormat}, and Icecore reads Parquet, Avro and deletion vectors`,
      );
    }
  }
}

/** The field ids that equality deletes are by. */
function deleteKeys(tasks: readonly FileScanTask[]): readonly number[] {
  return [...new Set(tasks.flatMap(({ deletes }) => deletes.flatMap(({ equalityIds }) => equalityIds ?? [])))];
}

function byNameOf(columns: ColumnsByFile, file: DataFile): Pick<ParquetSource, 'byName'> {
  const byName = columns.get(file.filePath);
  return byName === undefined ? {} : { byName };
}

function isPositionFile(file: DataFile): boolean {
  return file.content === 'position-deletes' && !isDeletionVector(file);
}

function unreadable(filePath: string, why: string): IcecoreError {
  return new IcecoreError(
    'FAILED_PRECONDITION',
    `The file ${filePath} ${why}. Compact the table with the engine that wrote it.`,
    {
      context: { file: filePath },
    },
  );
}
