import type { ConflictRules } from '../iceberg/conflict-rules.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { isolationLevel } from './isolation-level.ts';
import type { Table } from './table.ts';

/** What an upsert or delete by key was computed from, and which files it found rows in. */
export interface KeyChange {
  readonly table: Table;
  /** Of its branch, when it was read. */
  readonly head: Snapshot | null;
  readonly mode: 'UPSERT' | 'DELETE';
  /** Holds of every row that has one of the keys. */
  readonly where: Expression;
  /** The data files with such rows. */
  readonly hit: readonly DataFile[];
  /** Whether these are marked, and not taken out. */
  readonly isMergeOnRead: boolean;
}

/**
 * What must not have been committed meanwhile, as the reference has it: copy on write as its `OverwriteFiles`, merge on read as its `RowDelta` of a
 * DELETE or a MERGE, under the isolation level of the table's properties.
 */
export function keyConflicts({ table, head, mode, where, hit, isMergeOnRead }: KeyChange): ConflictRules {
  const { metadata } = table;
  const schema = currentSchema(metadata);
  const isUpsert = mode === 'UPSERT';
  const rules: ConflictRules = {
    readFrom: head?.snapshotId ?? null,
    formatVersion: metadata.formatVersion,
    rows: { schema, filter: bindExpression(schema, where) },
    noAddedData: isolationLevel(metadata, isUpsert ? 'merge' : 'delete') === 'serializable',
  };
  if (!isMergeOnRead) return { ...rules, removed: hit };
  // A vector for a file that is gone would be one too many; position deletes of it are idle.
  const skipDeletes = !isUpsert && metadata.formatVersion < 3;
  const concerned = new Set(hit.map(({ filePath }) => filePath));
  return { ...rules, referenced: { files: hit, skipDeletes }, ...(isUpsert ? { noNewDeletes: { concerned } } : {}) };
}
