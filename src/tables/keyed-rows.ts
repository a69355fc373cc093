import type { DuckDBConnection } from '@duckdb/node-api';
import type { ConflictRules } from '../iceberg/conflict-rules.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import type { NestedField } from '../iceberg/type.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { type FileReplacement, replaceFiles } from './actions/replace-files.ts';
import { type PreparedWrite, type RowsToWrite, snapshotOptions } from './prepared-write.ts';
import { sameKey } from './row-keys.ts';
import { lastUpdatedField, rowIdField } from './row-lineage.ts';
import type { ScanRelation } from './scan-relation.ts';
import type { Table } from './table.ts';

/** An upsert or delete by key over the files that may hold rows of its keys. */
export interface KeyedRows {
  readonly table: Table;
  readonly write: RowsToWrite;
  /** The rows to upsert, or whose keys are to be deleted. */
  readonly relation: string;
  readonly keys: readonly NestedField[];
  readonly scan: ScanRelation;
  /** What must not be committed meanwhile, by the files in which such rows were found. */
  readonly conflictsOf: (hit: readonly FileScanTask[]) => ConflictRules;
}

/** The change of files, ready to be committed. */
export function preparedRewrite(
  table: Table,
  conflicts: ConflictRules,
  write: RowsToWrite,
  change: Pick<FileReplacement, 'removed' | 'added' | 'replacedVectors'>,
  rowsAdded: bigint,
  rowsRemoved: bigint,
): PreparedWrite {
  const snapshotId = newSnapshotId();
  const action = replaceFiles({
    ...snapshotOptions(write, snapshotId),
    operation: change.added.every(({ content }) => content !== 'data') ? 'delete' : 'overwrite',
    ...change,
    conflicts,
  });
  return { table, snapshotId, action, files: [...new Set(change.added.map((file) => file.filePath))], rowsAdded, rowsRemoved };
}

/** A row that replaces another has its id, and was changed by this commit (spec: "Row Lineage"). */
export function withOldIds(given: string, old: string, keys: readonly NestedField[]): string {
  const names = keys.map(({ name }) => quoteIdentifier(name)).join(', ');
  return (
    `SELECT given.*, old.${rowIdField.name}, NULL::BIGINT AS ${lastUpdatedField.name} FROM (${given}) AS given ` +
    `LEFT JOIN (SELECT ${names}, min(${rowIdField.name}) AS ${rowIdField.name} FROM ${old} AS data GROUP BY ALL) AS old ` +
    `ON ${sameKey('old', 'given', keys)}`
  );
}

export async function countOf(connection: DuckDBConnection, relation: string): Promise<bigint> {
  return BigInt(String((await connection.runAndReadAll(`SELECT count(*) FROM ${relation} AS given`)).getRows()[0]?.[0]));
}
