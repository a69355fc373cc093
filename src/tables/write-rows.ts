import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, snapshotById } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import { mainBranch, type Snapshot } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { appendFiles } from './actions/append-files.ts';
import { overwriteAll } from './actions/replace-files.ts';
import { writeDataFiles } from './data-file-writer.ts';
import { rewriteByKey } from './rewrite-by-key.ts';
import { keyColumns, refuseDuplicateKeys } from './row-keys.ts';
import { type RowSource, rowRelation } from './row-source.ts';
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
  /** Of an overwrite not known before it is committed, and null until then. */
  readonly rowsRemoved: bigint | null;
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
  readonly rowsRemoved: () => bigint | null;
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
    if (!isByKey) return await commitWrite(tables, write, await prepareWhole(tables, connection, table, write, relation));
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

async function prepareWhole(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  write: RowsToWrite,
  relation: string,
): Promise<PreparedWrite> {
  const { files, rowCount } = await writeDataFiles(tables, {
    connection,
    relation,
    metadata: table.metadata,
    ...(write.orderBy === undefined ? {} : { orderBy: write.orderBy }),
    ...(write.signal === undefined ? {} : { signal: write.signal }),
  });
  const snapshotId = newSnapshotId();
  const options = snapshotOptions(write, snapshotId);
  let rowsRemoved: bigint | null = write.mode === 'APPEND' ? 0n : null;
  const action =
    write.mode === 'APPEND'
      ? appendFiles(files, options)
      : overwriteAll(files, options, (removed) => {
          rowsRemoved = removed;
        });
  const paths = files.map((file) => file.filePath);
  return { table, snapshotId, action, files: paths, rowsAdded: rowCount, rowsRemoved: () => rowsRemoved };
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
    await write.record?.(transaction, { ...prepared, rowsRemoved: prepared.rowsRemoved() });
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
    rowsRemoved: prepared.rowsRemoved() ?? 0n,
    seqs: outcome.seqs,
  };
}
