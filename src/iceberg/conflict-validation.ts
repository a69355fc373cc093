import { IcecoreError } from '../errors.ts';
import type { CommittedSnapshot } from './committed-since.ts';
import type { DataFile, ManifestEntry } from './data-file.ts';
import { DeleteIndex, deletedFileOf } from './delete-index.ts';
import type { SnapshotOperation } from './snapshot.ts';

/** What a branch's snapshots did since a change was computed, as `committedSince` gives it. */
export type CommittedSince = readonly CommittedSnapshot[];

/** Rows that a change is about: whether a file may hold such, or delete them. */
export type FileTest = (file: DataFile) => boolean;

/** Which operations each validation looks at: the others cannot have done what it is about. As the Java reference has them. */
export const validatedOperations = {
  addedData: new Set<SnapshotOperation>(['append', 'overwrite']),
  removedData: new Set<SnapshotOperation>(['overwrite', 'replace', 'delete']),
  removedDataButDeletes: new Set<SnapshotOperation>(['overwrite', 'replace']),
  addedDeletes: new Set<SnapshotOperation>(['overwrite', 'delete']),
  addedVectors: new Set<SnapshotOperation>(['overwrite', 'delete', 'replace']),
} as const;

/** Throws CONFLICT where a data file was added that may hold rows the change is about: what serializable isolation asks for. */
export function validateAddedDataFiles(since: CommittedSince, mayHold: FileTest): void {
  const added = dataOf(since, validatedOperations.addedData, 'added').filter(mayHold);
  refuse(added, 'added-data-files', 'Files were added that may hold rows of this change');
}

/** Throws CONFLICT where a data file was taken out, or replaced, that may have held rows the change is about. */
export function validateDeletedDataFiles(since: CommittedSince, mayHold: FileTest): void {
  const gone = dataOf(since, validatedOperations.removedData, 'deleted').filter(mayHold);
  refuse(gone, 'deleted-data-files', 'Files were taken out that may have held rows of this change');
}

/**
 * Throws CONFLICT where rows of these data files, which the change takes out, were deleted: they would come back. Equality deletes do not count
 * where the files that come instead keep the data sequence number of those that go.
 */
export function validateNoNewDeletesForDataFiles(
  since: CommittedSince,
  files: readonly DataFile[],
  options: { readonly startingSequenceNumber: bigint; readonly ignoreEqualityDeletes?: boolean },
): void {
  const index = new DeleteIndex();
  for (const entry of deletesOf(since, validatedOperations.addedDeletes)) {
    // Of two vectors for one file, the newer holds the older.
    const isNewest = entry.dataFile.fileFormat !== 'puffin' || !index.hasVectorFor(entry.dataFile);
    if (isNewest) index.add(entry);
  }
  const counts = (deletes: DataFile): boolean => options.ignoreEqualityDeletes !== true || deletes.content === 'position-deletes';
  const hit = files.filter((file) => index.deletesOf(file, options.startingSequenceNumber).some(counts));
  refuse(hit, 'new-deletes-for-data-files', 'Rows were deleted from files that this change takes out');
}

/**
 * Throws CONFLICT where a delete file was added that may delete rows the change is about. One that says which data file it is of counts only
 * where that is among `concerned`, the files in which the change found such rows; the reference, which does not know them, is coarser here.
 */
export function validateNoNewDeleteFiles(since: CommittedSince, mayDelete: FileTest, concerned?: ReadonlySet<string>): void {
  const added = deletesOf(since, validatedOperations.addedDeletes).map(({ dataFile }) => dataFile);
  const hit = added.filter((file) => {
    const only = file.content === 'position-deletes' ? deletedFileOf(file) : null;
    if (only !== null && concerned !== undefined) return concerned.has(only);
    return mayDelete(file);
  });
  refuse(hit, 'new-delete-files', 'Deletes were added that may be of rows of this change');
}

/**
 * Throws CONFLICT where a data file that the change refers to was taken out or replaced. With `skipDeletes` one that a plain delete took out does
 * not count: rows that are deleted twice are deleted.
 */
export function validateDataFilesExist(
  since: CommittedSince,
  required: ReadonlySet<string>,
  options: { readonly skipDeletes: boolean },
): void {
  const operations = options.skipDeletes ? validatedOperations.removedDataButDeletes : validatedOperations.removedData;
  const gone = dataOf(since, operations, 'deleted').filter(({ filePath }) => required.has(filePath));
  refuse(gone, 'missing-data-files', 'Files that this change refers to were taken out');
}

/** Throws CONFLICT where a deletion vector was added for a data file that the change has another for: one would be lost (spec: "Deletion Vectors"). */
export function validateAddedDVs(since: CommittedSince, referenced: ReadonlySet<string>): void {
  const added = deletesOf(since, validatedOperations.addedVectors).map(({ dataFile }) => dataFile);
  const hit = added.filter(
    ({ fileFormat, referencedDataFile }) => fileFormat === 'puffin' && referenced.has(referencedDataFile ?? ''),
  );
  refuse(hit, 'added-deletion-vectors', 'Deletion vectors were added for files that this change has others for');
}

function isOf({ operation }: CommittedSnapshot, operations: ReadonlySet<SnapshotOperation>): boolean {
  return operation === undefined || operations.has(operation);
}

function dataOf(
  since: CommittedSince,
  operations: ReadonlySet<SnapshotOperation>,
  status: ManifestEntry['status'],
): readonly DataFile[] {
  return since
    .filter((snapshot) => isOf(snapshot, operations))
    .flatMap(({ data }) => data.filter((entry) => entry.status === status).map(({ dataFile }) => dataFile));
}

function deletesOf(since: CommittedSince, operations: ReadonlySet<SnapshotOperation>): readonly ManifestEntry[] {
  return since.filter((snapshot) => isOf(snapshot, operations)).flatMap(({ deletes }) => deletes);
}

const filesNamedMax = 10;

function refuse(files: readonly DataFile[], conflict: string, what: string): void {
  const [first] = files;
  if (first === undefined) return;
  const more = files.length > 1 ? ` and ${files.length - 1} more` : '';
  throw new IcecoreError('CONFLICT', `${what} since it was computed: ${first.filePath}${more}.`, {
    context: { conflict, files: files.slice(0, filesNamedMax).map(({ filePath }) => filePath) },
    retryable: true,
  });
}
