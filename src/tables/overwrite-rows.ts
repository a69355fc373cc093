import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { branchSnapshot } from '../iceberg/branch.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { mainBranch } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { commitAttemptsMax } from '../limits.ts';
import { replaceFiles, replacesAllRows } from './actions/replace-files.ts';
import { commitWrite, type RowsToWrite, snapshotOptions, type WriteOutcome, writeRelation } from './prepared-write.ts';
import { openScan } from './scan-relation.ts';
import { noCounters, planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/** Replaces all rows of a branch. In the table's turn at committing, so that what is removed is known before, and recorded as it is. */
export async function overwriteRows(
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
      const { files, rowCount } = await writeRelation(tables, connection, table, write, relation);
      const snapshotId = newSnapshotId();
      const readFrom = head?.snapshotId ?? null;
      const summary = { ...write.summary, ...replacesAllRows };
      const options = { ...snapshotOptions(write, snapshotId), summary, operation: 'overwrite' as const, readFrom };
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
