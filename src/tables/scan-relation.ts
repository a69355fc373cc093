import { IcecoreError } from '../errors.ts';
import type { Expression } from '../iceberg/expression.ts';
import { currentSchema, snapshotSchema } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { requireField, type Schema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { dataFilesOpenedAtOnce } from '../limits.ts';
import type { LocalCopy } from '../storage/storage.ts';
import { fileNames, namedColumns } from './file-names.ts';
import { type ParquetSource, type ReadParquetOptions, readParquetSql, refuseRenamedNested } from './read-parquet.ts';
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
  /** Whether rows come in the order of the plan's files, and in each in the order of its rows. */
  readonly isOrdered: boolean;
  /** Lets go of the local copies of the files. */
  release(): void;
}

/**
 * A snapshot's rows as a relation of DuckDB, on any connection: its files opened, pruned by `where`, read by field id. Throws
 * FAILED_PRECONDITION for equality deletes, for deletion vectors and for data files that are not Parquet, naming the file.
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
  options: Pick<ScanOptions, 'table' | 'columns' | 'withPosition'>,
  schema: Schema,
  plan: SnapshotPlan,
): Promise<ScanRelation> {
  const fields = options.columns?.map((name) => requireField(schema, name)) ?? schema.fields;
  refuseRenamedNested(fields, options.table.metadata.schemas);
  for (const task of plan.tasks) refuseUnreadable(task);
  const copies = new Map<string, LocalCopy>();
  const release = () => {
    for (const copy of copies.values()) copy.release();
    copies.clear();
  };
  try {
    const locations = [
      ...new Set(plan.tasks.flatMap(({ file, deletes }) => [file.filePath, ...deletes.map((each) => each.filePath)])),
    ];
    for (let at = 0; at < locations.length; at += dataFilesOpenedAtOnce) {
      const some = locations.slice(at, at + dataFilesOpenedAtOnce);
      await Promise.all(some.map(async (location) => copies.set(location, await tables.storage.open(location))));
    }
    const path = (location: string) => copies.get(location)?.path ?? location;
    const names = await fileNames(tables, options.table.metadata, schema, plan.tasks, path);
    const sources = plan.tasks.map(
      ({ file, deletes }): ParquetSource => ({
        path: path(file.filePath),
        location: file.filePath,
        deletePaths: deletes.map((each) => path(each.filePath)),
        ...namedColumns(names, file),
      }),
    );
    const select = readParquetSql(sources, fields, options);
    const tasksByPath = new Map(plan.tasks.map((task) => [path(task.file.filePath), task]));
    const isOrdered = names.size === 0 && plan.tasks.every((task) => task.deletes.length === 0);
    return { sql: `(${select})`, select, schema, plan, tasksByPath, isOrdered, release };
  } catch (error) {
    release();
    throw error;
  }
}

function refuseUnreadable({ file, deletes }: FileScanTask): void {
  if (file.fileFormat !== 'parquet') throw unreadable(file.filePath, `is ${file.fileFormat}, and Icecore reads Parquet`);
  for (const each of deletes) {
    if (each.content === 'equality-deletes')
      throw unreadable(each.filePath, 'holds equality deletes, which Icecore does not apply yet');
    if (each.fileFormat !== 'parquet')
      throw unreadable(each.filePath, `holds deletes as ${each.fileFormat}, and Icecore reads Parquet`);
  }
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
