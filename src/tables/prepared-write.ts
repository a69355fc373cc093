import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { snapshotById } from '../iceberg/metadata.ts';
import { mainBranch, type Snapshot } from '../iceberg/snapshot.ts';
import { type WrittenDataFiles, writeDataFiles } from './data-file-writer.ts';
import type { RowSource } from './row-source.ts';
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

/** What every snapshot of a write has in common. */
export function snapshotOptions(write: Pick<RowsToWrite, 'branch' | 'expectedSnapshotId' | 'summary'>, snapshotId: bigint) {
  return {
    branch: write.branch ?? mainBranch,
    snapshotId,
    ...(write.expectedSnapshotId === undefined ? {} : { expectedSnapshotId: write.expectedSnapshotId }),
    ...(write.summary === undefined ? {} : { summary: write.summary }),
  };
}

/** Writes the rows of a relation as data files of the table; `withLineage` where it has their ids too. */
export async function writeRelation(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  write: RowsToWrite,
  relation: string,
  withLineage = false,
): Promise<WrittenDataFiles> {
  return await writeDataFiles(tables, {
    connection,
    relation,
    metadata: table.metadata,
    withLineage,
    ...(write.orderBy === undefined ? {} : { orderBy: write.orderBy }),
    ...(write.signal === undefined ? {} : { signal: write.signal }),
  });
}

/** Commits a prepared write with what belongs to it. `isInTurn` where the caller holds the table's turn at committing. */
export async function commitWrite(
  tables: Tables,
  write: Pick<RowsToWrite, 'identifier' | 'record'>,
  prepared: PreparedWrite,
  isInTurn = false,
): Promise<WriteOutcome> {
  const transaction = tables.transaction();
  transaction.onRollback(prepared.files);
  let made: Snapshot | undefined;
  transaction.change(prepared.table, {
    ...prepared.action,
    async apply(base, context) {
      const result = await prepared.action.apply(base, context);
      made = result.updates.find((update) => update.action === 'add-snapshot')?.snapshot;
      return result;
    },
  });
  try {
    await write.record?.(transaction, prepared);
  } catch (error) {
    await transaction.discard();
    throw error;
  }
  const outcome = await transaction.commit({ isInTurn });
  const table = outcome.tables[0];
  // An expiry that shared the commit may have taken it out again already.
  const snapshot = table === undefined ? undefined : (snapshotById(table.metadata, prepared.snapshotId) ?? made);
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
