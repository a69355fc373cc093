import { IcecoreError } from '../errors.ts';
import { type CommittedSnapshot, committedSince } from './committed-since.ts';
import {
  type FileTest,
  validateAddedDataFiles,
  validateAddedDVs,
  validateDataFilesExist,
  validateDeletedDataFiles,
  validatedOperations,
  validateNoNewDeleteFiles,
  validateNoNewDeletesForDataFiles,
} from './conflict-validation.ts';
import type { DataFile } from './data-file.ts';
import { deletedFilePathId } from './delete-index.ts';
import type { BoundExpression } from './expression.ts';
import { predicateFieldIds } from './expression-bind.ts';
import { snapshotById, type TableMetadata } from './metadata.ts';
import { prunings } from './scan-pruning.ts';
import type { Schema } from './schema.ts';
import type { Snapshot, SnapshotOperation } from './snapshot.ts';

/** What a change of files was computed from, and what must not have been committed since. Each rule left out is not held to. */
export interface ConflictRules {
  /** The snapshot that was read; null for a branch without one. */
  readonly readFrom: bigint | null;
  /** Of the table when it was read: files written for another version are not this one's. */
  readonly formatVersion: number;
  /** The rows that the change is about. All where left out. */
  readonly rows?: { readonly schema: Schema; readonly filter: BoundExpression };
  /** No data files that may hold such rows: serializable isolation. */
  readonly noAddedData?: boolean;
  /** No data files taken out that may have held such rows. */
  readonly noDeletedData?: boolean;
  /** No delete files that may delete such rows; of those that name their data file, none of these. */
  readonly noNewDeletes?: { readonly concerned?: ReadonlySet<string> };
  /** Data files that the change takes out: no deletes for them. */
  readonly removed?: readonly DataFile[];
  /** Data files that the change's delete files refer to. */
  readonly referenced?: { readonly files: readonly DataFile[]; readonly skipDeletes: boolean };
}

/**
 * Throws CONFLICT (retryable: compute the change again) where what was committed to the branch since the change was computed breaks one of its
 * rules; the error's context has `readFrom`. `head` is the branch's snapshot now.
 */
export async function checkConflicts(
  base: TableMetadata,
  head: Snapshot | null,
  rules: ConflictRules,
  read: (location: string) => Promise<Uint8Array>,
): Promise<void> {
  if (base.formatVersion !== rules.formatVersion) throw changed(rules, 'the format version of the table');
  if (rules.rows !== undefined && rules.rows.schema.schemaId !== base.currentSchemaId)
    throw changed(rules, 'the schema of the table');
  if ((head?.snapshotId ?? null) === rules.readFrom) return;
  if (losesRowIds(base, rules)) throw changed(rules, 'the row ids of the files, which had none yet,');
  const since = await history(base, head, rules, read);
  try {
    validate(base, rules, since);
  } catch (error) {
    if (!IcecoreError.is(error)) throw error;
    const { code, message, context, retryable } = error;
    throw new IcecoreError(code, message, { cause: error, retryable, context: { ...context, readFrom: String(rules.readFrom) } });
  }
}

function validate(base: TableMetadata, rules: ConflictRules, since: readonly CommittedSnapshot[]): void {
  const { noNewDeletes, removed = [], referenced } = rules;
  const test = fileTest(base, rules);
  const startingSequenceNumber = rules.readFrom === null ? 0n : (snapshotById(base, rules.readFrom)?.sequenceNumber ?? 0n);
  if (referenced !== undefined) {
    const paths = new Set(referenced.files.map(({ filePath }) => filePath));
    validateDataFilesExist(since, paths, referenced);
    validateAddedDVs(since, paths);
  }
  if (rules.noAddedData === true) validateAddedDataFiles(since, test);
  if (removed.length > 0) validateNoNewDeletesForDataFiles(since, removed, { startingSequenceNumber });
  if (noNewDeletes !== undefined) validateNoNewDeleteFiles(since, test, noNewDeletes.concerned);
  if (rules.noDeletedData === true) validateDeletedDataFiles(since, test);
}

/** Only what the rules look at is read. */
async function history(
  base: TableMetadata,
  head: Snapshot | null,
  rules: ConflictRules,
  read: (location: string) => Promise<Uint8Array>,
): Promise<readonly CommittedSnapshot[]> {
  const { addedData, removedData, removedDataButDeletes, addedDeletes, addedVectors } = validatedOperations;
  const { referenced, removed = [] } = rules;
  const dataOf = new Set<SnapshotOperation>([
    ...(rules.noAddedData === true ? addedData : []),
    ...(rules.noDeletedData === true ? removedData : []),
    ...(referenced === undefined ? [] : referenced.skipDeletes ? removedDataButDeletes : removedData),
  ]);
  const deletesOf = new Set<SnapshotOperation>([
    ...(rules.noNewDeletes !== undefined || removed.length > 0 ? addedDeletes : []),
    ...(referenced === undefined ? [] : addedVectors),
  ]);
  const fieldIds = new Set([...(rules.rows === undefined ? [] : predicateFieldIds(rules.rows.filter)), deletedFilePathId]);
  return await committedSince({
    base,
    head,
    readFrom: rules.readFrom,
    dataOf,
    deletesOf,
    projection: { metrics: 'bounds', fieldIds },
    read,
  });
}

function fileTest(base: TableMetadata, { rows }: ConflictRules): FileTest {
  if (rows === undefined) return () => true;
  const pruningOf = prunings({ table: base, ...rows });
  return (file) => pruningOf({ partitionSpecId: file.specId }).file(file);
}

/** Rows that had no id when they were read have one now, which the files written from them do not hold (spec: "Row Lineage"). */
function losesRowIds({ formatVersion }: TableMetadata, { removed = [], referenced }: ConflictRules): boolean {
  const read = [...removed, ...(referenced?.files ?? [])];
  return formatVersion >= 3 && read.some(({ firstRowId }) => firstRowId === null || firstRowId === undefined);
}

function changed({ readFrom }: ConflictRules, what: string): IcecoreError {
  return new IcecoreError('CONFLICT', `While a change was computed, ${what} changed.`, {
    context: { conflict: 'table', readFrom: String(readFrom) },
    retryable: true,
  });
}
