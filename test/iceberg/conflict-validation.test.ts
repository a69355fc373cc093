import { describe, expect, test } from 'vitest';
import type { CommittedSnapshot } from '../../src/iceberg/committed-since.ts';
import {
  validateAddedDataFiles,
  validateAddedDVs,
  validateDataFilesExist,
  validateDeletedDataFiles,
  validateNoNewDeleteFiles,
  validateNoNewDeletesForDataFiles,
} from '../../src/iceberg/conflict-validation.ts';
import type { DataFile, ManifestEntry } from '../../src/iceberg/data-file.ts';
import type { SnapshotOperation } from '../../src/iceberg/snapshot.ts';

const none = new Map<number, never>();

function file(filePath: string, more: Partial<DataFile> = {}): DataFile {
  return {
    content: 'data',
    filePath,
    fileFormat: 'parquet',
    specId: 0,
    partition: ['p'],
    recordCount: 10n,
    fileSizeInBytes: 100n,
    columnSizes: none,
    valueCounts: none,
    nullValueCounts: none,
    nanValueCounts: none,
    lowerBounds: none,
    upperBounds: none,
    keyMetadata: null,
    splitOffsets: null,
    equalityIds: null,
    sortOrderId: null,
    ...more,
  };
}

const positions = (path: string, more: Partial<DataFile> = {}): DataFile => file(path, { content: 'position-deletes', ...more });
const equality = (path: string, more: Partial<DataFile> = {}): DataFile =>
  file(path, { content: 'equality-deletes', equalityIds: [1], ...more });
const vector = (of: string): DataFile => positions('v.puffin', { fileFormat: 'puffin', referencedDataFile: of });

/** A snapshot at sequence number 5 that added and took out these files. */
function committed(
  operation: SnapshotOperation | undefined,
  { added = [], gone = [] }: { readonly added?: readonly DataFile[]; readonly gone?: readonly DataFile[] },
): readonly CommittedSnapshot[] {
  const entry = (status: ManifestEntry['status'], dataFile: DataFile): ManifestEntry => ({
    status,
    snapshotId: 5n,
    sequenceNumber: 5n,
    fileSequenceNumber: 5n,
    dataFile,
  });
  const isData = ({ content }: DataFile): boolean => content === 'data';
  return [
    {
      snapshotId: 5n,
      operation,
      data: [...added.filter(isData).map((each) => entry('added', each)), ...gone.map((each) => entry('deleted', each))],
      deletes: added.filter((each) => !isData(each)).map((each) => entry('added', each)),
    },
  ];
}

const inPartition = ({ partition }: DataFile): boolean => partition[0] === 'p';
const elsewhere = { partition: ['q'] };
const start = { startingSequenceNumber: 4n };
const a = file('a');

/** What was committed, and whether a validation refuses it; after the documentation of the reference's `MergingSnapshotProducer`. */
const cases: readonly (readonly [what: string, run: () => void, isConflict: boolean])[] = [
  ['added data: an append of such rows', () => validateAddedDataFiles(committed('append', { added: [a] }), inPartition), true],
  [
    'added data: an overwrite with such rows',
    () => validateAddedDataFiles(committed('overwrite', { added: [a] }), inPartition),
    true,
  ],
  [
    'added data: what v1 does not say the operation of',
    () => validateAddedDataFiles(committed(undefined, { added: [a] }), inPartition),
    true,
  ],
  [
    'added data: the same rows in other files',
    () => validateAddedDataFiles(committed('replace', { added: [a] }), inPartition),
    false,
  ],
  [
    'added data: rows of other partitions',
    () => validateAddedDataFiles(committed('append', { added: [file('b', elsewhere)] }), inPartition),
    false,
  ],
  ['added data: files taken out', () => validateAddedDataFiles(committed('overwrite', { gone: [a] }), inPartition), false],

  ['deleted data: by a delete', () => validateDeletedDataFiles(committed('delete', { gone: [a] }), inPartition), true],
  ['deleted data: by a replacement', () => validateDeletedDataFiles(committed('replace', { gone: [a] }), inPartition), true],
  [
    'deleted data: elsewhere',
    () => validateDeletedDataFiles(committed('delete', { gone: [file('b', elsewhere)] }), inPartition),
    false,
  ],
  ['deleted data: only added', () => validateDeletedDataFiles(committed('overwrite', { added: [a] }), inPartition), false],

  [
    'deletes for files: positions of its partition',
    () => validateNoNewDeletesForDataFiles(committed('delete', { added: [positions('d')] }), [a], start),
    true,
  ],
  [
    'deletes for files: positions of another file',
    () =>
      validateNoNewDeletesForDataFiles(committed('delete', { added: [positions('d', { referencedDataFile: 'b' })] }), [a], start),
    false,
  ],
  [
    'deletes for files: positions of another partition',
    () => validateNoNewDeletesForDataFiles(committed('delete', { added: [positions('d', elsewhere)] }), [a], start),
    false,
  ],
  [
    'deletes for files: its vector',
    () => validateNoNewDeletesForDataFiles(committed('delete', { added: [vector('a')] }), [a], start),
    true,
  ],
  [
    'deletes for files: two vectors in turn',
    () =>
      validateNoNewDeletesForDataFiles(
        [...committed('delete', { added: [vector('a')] }), ...committed('delete', { added: [vector('a')] })],
        [a],
        start,
      ),
    true,
  ],
  [
    "deletes for files: another's vector",
    () => validateNoNewDeletesForDataFiles(committed('delete', { added: [vector('b')] }), [a], start),
    false,
  ],
  [
    'deletes for files: by equality',
    () => validateNoNewDeletesForDataFiles(committed('overwrite', { added: [equality('e')] }), [a], start),
    true,
  ],
  [
    'deletes for files: by equality, everywhere',
    () =>
      validateNoNewDeletesForDataFiles(committed('delete', { added: [equality('e', { specId: 1, partition: [] })] }), [a], start),
    true,
  ],
  [
    'deletes for files: by equality, where sequence numbers are kept',
    () =>
      validateNoNewDeletesForDataFiles(committed('delete', { added: [equality('e')] }), [a], {
        ...start,
        ignoreEqualityDeletes: true,
      }),
    false,
  ],
  [
    'deletes for files: the same deletes in other files',
    () => validateNoNewDeletesForDataFiles(committed('replace', { added: [positions('d')] }), [a], start),
    false,
  ],

  [
    'delete files: of such rows',
    () => validateNoNewDeleteFiles(committed('delete', { added: [positions('d')] }), inPartition),
    true,
  ],
  [
    'delete files: elsewhere',
    () => validateNoNewDeleteFiles(committed('delete', { added: [equality('e', elsewhere)] }), inPartition),
    false,
  ],
  [
    'delete files: of a file that is concerned',
    () => validateNoNewDeleteFiles(committed('delete', { added: [vector('a')] }), inPartition, new Set(['a'])),
    true,
  ],
  [
    'delete files: of one that is not',
    () => validateNoNewDeleteFiles(committed('delete', { added: [vector('b')] }), inPartition, new Set(['a'])),
    false,
  ],
  [
    'delete files: of files that they do not name',
    () => validateNoNewDeleteFiles(committed('delete', { added: [positions('d')] }), inPartition, new Set(['a'])),
    true,
  ],

  [
    'data files exist: replaced',
    () => validateDataFilesExist(committed('replace', { gone: [a] }), new Set(['a']), { skipDeletes: true }),
    true,
  ],
  [
    'data files exist: deleted',
    () => validateDataFilesExist(committed('delete', { gone: [a] }), new Set(['a']), { skipDeletes: false }),
    true,
  ],
  [
    'data files exist: deleted, by who deletes too',
    () => validateDataFilesExist(committed('delete', { gone: [a] }), new Set(['a']), { skipDeletes: true }),
    false,
  ],
  [
    'data files exist: others gone',
    () => validateDataFilesExist(committed('overwrite', { gone: [a] }), new Set(['b']), { skipDeletes: false }),
    false,
  ],

  ['vectors: for the same file', () => validateAddedDVs(committed('delete', { added: [vector('a')] }), new Set(['a'])), true],
  [
    'vectors: for the same file, by a rewrite',
    () => validateAddedDVs(committed('replace', { added: [vector('a')] }), new Set(['a'])),
    true,
  ],
  ['vectors: for another file', () => validateAddedDVs(committed('delete', { added: [vector('b')] }), new Set(['a'])), false],
  [
    'vectors: position deletes are none',
    () => validateAddedDVs(committed('delete', { added: [positions('d', { referencedDataFile: 'a' })] }), new Set(['a'])),
    false,
  ],
];

describe('conflict validation', () => {
  test.for(cases)('%s', ([_what, run, isConflict]) => {
    if (isConflict) expect(run).toThrow(expect.objectContaining({ code: 'CONFLICT', retryable: true }));
    else expect(run).not.toThrow();
  });
});
