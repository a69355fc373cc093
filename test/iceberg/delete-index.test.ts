import { describe, expect, it } from 'vitest';
import type { DataFile, FileContent } from '../../src/iceberg/data-file.ts';
import { DeleteIndex, deletedFilePathId } from '../../src/iceberg/delete-index.ts';
import { fileOf } from './predicate-sample.ts';

const data: DataFile = { ...fileOf([[1, null, null, null, null, null, null]], [1]), filePath: 'data-1' };

function indexOf(...deletes: readonly (readonly [Partial<DataFile> & { content: FileContent }, bigint])[]): DeleteIndex {
  const index = new DeleteIndex();
  for (const [file, sequenceNumber] of deletes) {
    const dataFile: DataFile = {
      ...data,
      lowerBounds: new Map(),
      upperBounds: new Map(),
      filePath: `delete-${sequenceNumber}`,
      ...file,
    };
    index.add({ status: 'added', snapshotId: 1n, sequenceNumber, fileSequenceNumber: sequenceNumber, dataFile });
  }
  return index;
}

const found = (index: DeleteIndex, sequence: bigint, file = data) =>
  index.deletesOf(file, sequence).map(({ filePath }) => filePath);

describe('deletes', () => {
  it('of positions apply from their own sequence number back, of equality from the one before', () => {
    const index = indexOf(
      [{ content: 'position-deletes', filePath: 'p' }, 5n],
      [{ content: 'equality-deletes', filePath: 'e' }, 5n],
    );
    expect(found(index, 4n)).toEqual(['p', 'e']);
    expect(found(index, 5n)).toEqual(['p']);
    expect(found(index, 6n)).toEqual([]);
  });

  it('apply within their partition, but for equality deletes of a spec without fields', () => {
    const index = indexOf(
      [{ content: 'position-deletes', filePath: 'other', partition: [2] }, 5n],
      [{ content: 'equality-deletes', filePath: 'other', partition: [2] }, 5n],
      [{ content: 'position-deletes', filePath: 'other', specId: 1 }, 5n],
      [{ content: 'equality-deletes', filePath: 'global', specId: 9, partition: [] }, 5n],
    );
    expect(found(index, 1n)).toEqual(['global']);
  });

  it('that name one data file apply to that alone', () => {
    const path = (text: string) => new Map([[deletedFilePathId, new TextEncoder().encode(text)]]);
    const index = indexOf(
      [{ content: 'position-deletes', filePath: 'a', referencedDataFile: 'data-1' }, 5n],
      [{ content: 'position-deletes', filePath: 'b', lowerBounds: path('data-1'), upperBounds: path('data-1') }, 5n],
      [{ content: 'position-deletes', filePath: 'c', lowerBounds: path('data-0'), upperBounds: path('data-0') }, 5n],
      [{ content: 'position-deletes', filePath: 'd', lowerBounds: path('data-0'), upperBounds: path('data-2') }, 5n],
    );
    expect(found(index, 1n)).toEqual(['a', 'b', 'd']);
  });

  it('of a vector stand in for all other positions', () => {
    const index = indexOf(
      [{ content: 'position-deletes', filePath: 'p' }, 5n],
      [{ content: 'position-deletes', filePath: 'v', fileFormat: 'puffin', referencedDataFile: 'data-1' }, 6n],
    );
    expect(found(index, 1n)).toEqual(['v']);
    expect(found(index, 1n, { ...data, filePath: 'data-2' })).toEqual(['p']);
  });

  it('of two vectors for one file are refused, by name', () => {
    const vector = { content: 'position-deletes', fileFormat: 'puffin', referencedDataFile: 'data-1' } as const;
    expect(() => indexOf([{ ...vector, filePath: 'v1' }, 5n], [{ ...vector, filePath: 'v2' }, 6n])).toThrow(
      'The data file data-1 has two deletion vectors, in v1 and v2',
    );
  });
});
