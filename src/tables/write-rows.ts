import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, snapshotById } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import { mainBranch, type Snapshot } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { branchSnapshot } from '../iceberg/snapshot-producer.ts';
import { commitAttemptsMax } from '../limits.ts';
import { appendFiles } from './actions/append-files.ts';
import { replaceFiles } from './actions/replace-files.ts';
import { writeDataFiles } from './data-file-writer.ts';
import { rewriteByKey } from './rewrite-by-key.ts';
import { keyColumns, refuseDuplicateKeys } from './row-keys.ts';
import { type RowSource, rowRelation } from './row-source.ts';
import { openScan } from './scan-relation.ts';
import { noCounters, planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { TableAction } from './table-action.ts';
import type { TableTransaction } from './table-transaction.ts';
import type { Tables } from './tables.ts';

export type WriteMode = 'APPEND' | 'UPSERT' | 'DELETE' | 'OVERWRITE';

export interface RowsToWrite {
  readonly identifier: TableIdentifier;
  /** `main` where left out. */
  readonly branch?: string;
  readonly rows: RowSource;
  readonly mode: WriteMode;
  /** The columns that identify a row, for UPSERT and DELETE. */
  readonly keys?: readonly string[];
  /** CONFLICT unless the branch is still at this snapshot. */
  readonly expectedSnapshotId?: bigint;
  /** Directories from which `rows.file` may be read; none where left out. */
  readonly fileRoots?: readonly string[];
  /** SQL over the table's columns: the order of the rows in their files. */
  readonly orderBy?: string;
  readonly summary?: Readonly<Record<string, string>>;
  /** Adds to the commit what belongs to it, such as lineage and an audit entry. Called once for each attempt. */
  readonly record?: (transaction: TableTransaction, write: RowsWritten) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

/** What a write is about to commit. */
export interface RowsWritten {
  /** Before the write. */
  readonly table: Table;
  readonly snapshotId: bigint;
  readonly rowsAdded: bigint;
  readonly rowsRemoved: bigint;
}

export interface WriteOutcome {
  /** After the write. */
  readonly table: Table;
  readonly snapshot: Snapshot;
  readonly rowsAdded: bigint;
  readonly rowsRemoved: bigint;
  readonly seqs: readonly bigint[];
}

/** A write that is ready to be committed: the files that it wrote, and the change to the table. */
export interface PreparedWrite {
  readonly table: Table;
  readonly snapshotId: bigint;
  readonly action: TableAction;
  readonly files: readonly string[];
  readonly rowsAdded: bigint;
  readonly rowsRemoved: bigint;
}

/**
 * Appends, upserts, deletes or overwrites rows as one snapshot (contract: `writeRows`). UPSERT and DELETE rewrite the files that hold
 * matching rows, and are computed again where the branch moved on meanwhile; two rows with the same key in one UPSERT are refused.
 * Throws BAD_USER_INPUT where the rows do not fit, NOT_FOUND, and CONFLICT as `expectedSnapshotId` says.
 */
export async function writeRows(tables: Tables, write: RowsToWrite): Promise<WriteOutcome> {
  const table = await tables.load(write.identifier);
  return await tables.duckdb.trusted.use(async (connection) => {
    const schema = currentSchema(table.metadata);
    const isByKey = write.mode === 'UPSERT' || write.mode === 'DELETE';
    const keys = isByKey ? keyColumns(table, write.keys ?? []) : [];
    const relation = await rowRelation(connection, write.rows, {
      schema: write.mode === 'DELETE' ? keysOnly(schema, keys) : schema,
      fileRoots: write.fileRoots ?? [],
      keep: isByKey,
    });
    if (write.mode === 'APPEND') {
      return await commitWrite(tables, write, await prepareAppend(tables, connection, table, write, relation));
    }
    if (write.mode === 'OVERWRITE') return await overwrite(tables, connection, write, relation);
    if (write.mode === 'UPSERT') await refuseDuplicateKeys(connection, relation, keys);
    return await rewriteByKey(tables, connection, { write, relation, keys, first: table });
  }, write.signal);
}

/** A DELETE needs no more than the keys; what else the rows hold is not looked at, but has to be a column. */
function keysOnly(schema: Schema, keys: readonly { readonly id: number }[]): Schema {
  const isKey = (id: number) => keys.some((key) => key.id === id);
  return {
    ...schema,
    fields: schema.fields.map((field) => (isKey(field.id) ? field : { ...field, required: false })),
    identifierFieldIds: [],
  };
}

async function prepareAppend(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  write: RowsToWrite,
  relation: string,
): Promise<PreparedWrite> {
  const { files, rowCount } = await writeFiles(tables, connection, table, write, relation);
  const snapshotId = newSnapshotId();
  const paths = files.map((file) => file.filePath);
  const action = appendFiles(files, snapshotOptions(write, snapshotId));
  return { table, snapshotId, action, files: paths, rowsAdded: rowCount, rowsRemoved: 0n };
}

/** In the table's turn at committing, so that what is removed is known before, and recorded as it is. */
async function overwrite(
  tables: Tables,
  connection: DuckDBConnection,
  write: RowsToWrite,
  relation: string,
): Promise<WriteOutcome> {
  return await tables.turns.take([printIdentifier(write.identifier)], async () => {
    for (let attempt = 1; ; attempt++) {
      const table = await tables.load(write.identifier);
      const head = branchSnapshot(table.metadata, write.branch ?? mainBranch);
      const { tasks } = await planSnapshot(tables.files, table.metadata, head, { schema: currentSchema(table.metadata) });
      const removed = [...new Set(tasks.flatMap(({ file, deletes }) => [file, ...deletes]).map((file) => file.filePath))];
      const rowsRemoved = await liveRows(tables, connection, table, tasks);
      const { files, rowCount } = await writeFiles(tables, connection, table, write, relation);
      const snapshotId = newSnapshotId();
      const readFrom = head?.snapshotId ?? null;
      const options = { ...snapshotOptions(write, snapshotId), operation: 'overwrite' as const, readFrom };
      const action = replaceFiles({ ...options, removed, added: files });
      const paths = files.map((file) => file.filePath);
      try {
        return await commitWrite(
          tables,
          write,
          { table, snapshotId, action, files: paths, rowsAdded: rowCount, rowsRemoved },
          true,
        );
      } catch (error) {
        // Another process came first: what it wrote is to be overwritten too.
        if (!(IcecoreError.is(error, 'CONFLICT') && 'readFrom' in error.context) || attempt >= commitAttemptsMax) throw error;
      }
    }
  });
}

/** Rows of the files less those deleted by position. */
async function liveRows(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  tasks: readonly FileScanTask[],
): Promise<bigint> {
  const recorded = tasks.reduce((sum, { file }) => sum + file.recordCount, 0n);
  if (tasks.every((task) => task.deletes.length === 0)) return recorded;
  const scan = await openScan(tables, { table, columns: [] }, currentSchema(table.metadata), { tasks, counters: noCounters });
  try {
    const reader = await connection.runAndReadAll(`SELECT count(*) FROM (SELECT 1 FROM ${scan.sql} AS data)`);
    return BigInt(String(reader.getRows()[0]?.[0]));
  } finally {
    scan.release();
  }
}

async function writeFiles(tables: Tables, connection: DuckDBConnection, table: Table, write: RowsToWrite, relation: string) {
  return await writeDataFiles(tables, {
    connection,
    relation,
    metadata: table.metadata,
    ...(write.orderBy === undefined ? {} : { orderBy: write.orderBy }),
    ...(write.signal === undefined ? {} : { signal: write.signal }),
  });
}

export function snapshotOptions(write: RowsToWrite, snapshotId: bigint) {
  return {
    branch: write.branch ?? mainBranch,
    snapshotId,
    ...(write.expectedSnapshotId === undefined ? {} : { expectedSnapshotId: write.expectedSnapshotId }),
    ...(write.summary === undefined ? {} : { summary: write.summary }),
  };
}

/** Commits a prepared write with what belongs to it. `isInTurn` where the caller holds the table's turn at committing. */
export async function commitWrite(
  tables: Tables,
  write: RowsToWrite,
  prepared: PreparedWrite,
  isInTurn = false,
): Promise<WriteOutcome> {
  const transaction = tables.transaction();
  transaction.onRollback(prepared.files);
  transaction.change(prepared.table, prepared.action);
  try {
    await write.record?.(transaction, prepared);
  } catch (error) {
    await transaction.discard();
    throw error;
  }
  const outcome = await transaction.commit({ isInTurn });
  const table = outcome.tables[0];
  const snapshot = table === undefined ? undefined : snapshotById(table.metadata, prepared.snapshotId);
  if (table === undefined || snapshot === undefined) {
    throw new IcecoreError('INTERNAL', `The write to ${printIdentifier(write.identifier)} was committed without its snapshot.`);
  }
  return {
    table,
    snapshot,
    rowsAdded: prepared.rowsAdded,
    rowsRemoved: prepared.rowsRemoved,
    seqs: outcome.seqs,
  };
}
