import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { ConflictRules } from '../iceberg/conflict-rules.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { currentSchema, currentSnapshot, snapshotById } from '../iceberg/metadata.ts';
import { partitionKey } from '../iceberg/partition-key.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { mainBranch, type Snapshot } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { commitAttemptsMax } from '../limits.ts';
import { parsePredicate } from '../sql/predicate.ts';
import { replaceFiles } from './actions/replace-files.ts';
import { writeDataFiles } from './data-file-writer.ts';
import { isToComputeAgain } from './lost-snapshot.ts';
import { hasRowLineage } from './row-lineage.ts';
import { openScan } from './scan-relation.ts';
import { noCounters, planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { TableTransaction } from './table-transaction.ts';
import type { Tables } from './tables.ts';
import { targetFileBytes } from './target-file-size.ts';

export interface Compaction {
  readonly identifier: TableIdentifier;
  /** `write.target-file-size-bytes` where left out. */
  readonly targetFileSizeBytes?: bigint;
  /** A predicate: only files that may hold a match, which are rewritten whole. */
  readonly where?: string;
  readonly dryRun?: boolean;
  readonly record?: (
    transaction: TableTransaction,
    compaction: { readonly table: Table; readonly snapshotId: bigint },
  ) => void | Promise<void>;
  readonly signal?: AbortSignal;
}

export interface CompactionOutcome {
  readonly table: Table;
  /** Null where there was nothing to compact, and for a dry run. */
  readonly snapshot: Snapshot | null;
  readonly filesBefore: number;
  /** Of a dry run, how many there would be about. */
  readonly filesAfter: number;
  readonly bytesBefore: bigint;
  readonly rows: bigint;
}

/**
 * Rewrites small files, and files with deletes, as fewer and whole ones, partition by partition: the same rows in another snapshot
 * (operation `replace`). What is done to other files meanwhile does not disturb it; where another commit deletes rows of its files or takes them out
 * it begins again.
 */
export async function compactTable(tables: Tables, compaction: Compaction): Promise<CompactionOutcome> {
  for (let attempt = 1; ; attempt++) {
    const table = await tables.load(compaction.identifier);
    try {
      return await compactOnce(tables, table, compaction);
    } catch (error) {
      if (attempt >= commitAttemptsMax || !(await isToComputeAgain(tables, table, mainBranch, error))) throw error;
    }
  }
}

async function compactOnce(tables: Tables, table: Table, compaction: Compaction): Promise<CompactionOutcome> {
  const { metadata } = table;
  const head = currentSnapshot(metadata) ?? null;
  const where =
    compaction.where === undefined ? undefined : await parsePredicate(tables.duckdb, compaction.where, compaction.signal);
  const { tasks } = await planSnapshot(tables.files, metadata, head, {
    schema: currentSchema(metadata),
    ...(where === undefined ? {} : { where }),
  });
  const bins = binsOf(tasks, compaction.targetFileSizeBytes ?? targetFileBytes(metadata), metadata.defaultSpecId);
  const chosen = bins.flat();
  const outcome = {
    table,
    snapshot: null,
    filesBefore: chosen.length,
    filesAfter: bins.length,
    bytesBefore: chosen.reduce((sum, { file }) => sum + file.fileSizeInBytes, 0n),
    rows: chosen.reduce((sum, { file }) => sum + file.recordCount, 0n),
  };
  if (bins.length === 0 || head === null || compaction.dryRun === true) return outcome;
  const added: DataFile[] = [];
  const transaction = tables.transaction();
  try {
    await tables.duckdb.trusted.use(async (connection) => {
      for (const bin of bins) {
        const files = await rewrite(tables, connection, table, bin, compaction.signal);
        transaction.onRollback(files.map((file) => file.filePath));
        added.push(...files);
      }
    }, compaction.signal);
    const snapshotId = newSnapshotId();
    const removed = chosen.map(({ file }) => file.filePath);
    const conflicts: ConflictRules = {
      readFrom: head.snapshotId,
      formatVersion: metadata.formatVersion,
      removed: chosen.map(({ file }) => file),
    };
    transaction.change(table, replaceFiles({ operation: 'replace', removed, added, snapshotId, conflicts }));
    await compaction.record?.(transaction, { table, snapshotId });
    const after = (await transaction.commit()).tables[0] ?? table;
    return { ...outcome, table: after, snapshot: snapshotById(after.metadata, snapshotId) ?? null, filesAfter: added.length };
  } catch (error) {
    // A commit that failed for certain has removed them already; one whose outcome is not known must not.
    if (!transaction.isUsed) await transaction.discard();
    throw error;
  }
}

async function rewrite(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  tasks: readonly FileScanTask[],
  signal: AbortSignal | undefined,
): Promise<readonly DataFile[]> {
  const schema = currentSchema(table.metadata);
  const withLineage = hasRowLineage(table.metadata);
  const scan = await openScan(tables, { table, withLineage, isKept: true }, schema, { tasks, counters: noCounters });
  try {
    const written = await writeDataFiles(tables, {
      connection,
      relation: scan.sql,
      metadata: table.metadata,
      withLineage,
      ...(signal === undefined ? {} : { signal }),
    });
    return written.files;
  } finally {
    scan.release();
  }
}

/** Files that go together into one: of one partition, in the order of their rows, as many as fill the target. */
function binsOf(tasks: readonly FileScanTask[], targetBytes: bigint, specId: number): readonly (readonly FileScanTask[])[] {
  if (targetBytes <= 0n) throw new IcecoreError('BAD_USER_INPUT', 'targetFileSizeBytes must be above 0.');
  const bins: FileScanTask[][] = [];
  for (const group of Map.groupBy(tasks, ({ file }) => partitionKey(file)).values()) {
    let bin: FileScanTask[] = [];
    let bytes = 0n;
    for (const task of group) {
      const isWhole = task.deletes.length === 0 && task.file.specId === specId;
      if (isWhole && task.file.fileSizeInBytes * 4n >= targetBytes * 3n) continue;
      if (bin.length > 0 && bytes + task.file.fileSizeInBytes > targetBytes) {
        bins.push(bin);
        bin = [];
        bytes = 0n;
      }
      bin.push(task);
      bytes += task.file.fileSizeInBytes;
    }
    if (bin.length > 0) bins.push(bin);
  }
  return bins.filter((bin) => bin.length > 1 || bin.some((task) => task.deletes.length > 0));
}
