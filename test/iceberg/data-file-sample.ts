import fc from 'fast-check';
import type { DataFile, ManifestEntry } from '../../src/iceberg/data-file.ts';
import type { Literal } from '../../src/iceberg/type.ts';

const count = fc.bigInt({ min: 0n, max: 2n ** 62n });
const bytes = fc.uint8Array({ maxLength: 20 });

/** Data files of one partition spec with such values. */
export function dataFile(partition: readonly fc.Arbitrary<Literal>[], specId = 0): fc.Arbitrary<DataFile> {
  const map = <T>(value: fc.Arbitrary<T>) =>
    fc.uniqueArray(fc.tuple(fc.nat(50), value), { selector: ([id]) => id, maxLength: 4 }).map((pairs) => new Map(pairs));
  // Apart from the return, where the type of what may be left out would widen it.
  const file = fc.record({
    content: fc.constant('data' as const),
    filePath: fc.string({ unit: 'binary' }),
    fileFormat: fc.constantFrom('parquet', 'avro', 'orc'),
    specId: fc.constant(specId),
    partition: fc.tuple(...partition.map((value) => fc.option(value))),
    recordCount: count,
    fileSizeInBytes: count,
    columnSizes: map(count),
    valueCounts: map(count),
    nullValueCounts: map(count),
    nanValueCounts: map(count),
    lowerBounds: map(bytes),
    upperBounds: map(bytes),
    keyMetadata: fc.option(bytes),
    splitOffsets: fc.option(fc.array(count, { maxLength: 3 })),
    equalityIds: fc.option(fc.array(fc.nat(), { maxLength: 3 })),
    sortOrderId: fc.option(fc.nat(9)),
    firstRowId: fc.constant(null),
    referencedDataFile: fc.option(fc.string()),
    contentOffset: fc.constant(null),
    contentSizeInBytes: fc.constant(null),
  });
  return file;
}

/** Entries as a reader gives them, inherited numbers filled in: those ADDED have the manifest's. */
export function manifestEntry(file: fc.Arbitrary<DataFile>, sequenceNumber: bigint): fc.Arbitrary<ManifestEntry> {
  return fc.tuple(fc.constantFrom('existing', 'added', 'deleted'), count, count, count, file).map(
    ([status, snapshotId, dataSequence, fileSequence, dataFile]): ManifestEntry => ({
      status,
      snapshotId,
      sequenceNumber: status === 'added' ? sequenceNumber : dataSequence,
      fileSequenceNumber: status === 'added' ? sequenceNumber : fileSequence,
      dataFile,
    }),
  );
}
