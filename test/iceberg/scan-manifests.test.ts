import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ManifestFile } from '../../src/iceberg/data-file.ts';
import { readAhead } from '../../src/iceberg/scan-manifests.ts';
import { manifestsReadAheadBytesMax, manifestsReadAheadMax, manifestsReadAheadMin } from '../../src/limits.ts';

/** The rest is nothing that reading ahead looks at. */
function manifestOf(manifestLength: bigint, index: number): ManifestFile {
  return {
    manifestPath: `file:///warehouse/t/metadata/m${index}.avro`,
    manifestLength,
    partitionSpecId: 0,
    content: 'data',
    sequenceNumber: 1n,
    minSequenceNumber: 1n,
    addedSnapshotId: 1n,
    addedFilesCount: 1,
    existingFilesCount: 0,
    deletedFilesCount: 0,
    addedRowsCount: 1n,
    existingRowsCount: 0n,
    deletedRowsCount: 0n,
    partitions: [],
    keyMetadata: null,
    firstRowId: null,
  };
}

const length = fc.oneof(
  fc.bigInt(1n, 64n * 1024n),
  fc.bigInt(1n, 2n * BigInt(manifestsReadAheadBytesMax)),
  // A list that lies.
  fc.constantFrom(0n, -1n, 1n << 62n),
);

test('manifests are handed out in their order, many small ones read ahead, of large ones a few', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(length, { maxLength: 60 }), async (lengths) => {
      const manifests = lengths.map((bytes, number) => ({ number, manifest: manifestOf(bytes, number) }));
      let [begun, given] = [0, 0];
      const readEntries = async () => {
        begun++;
        const ahead = lengths.slice(given, begun);
        expect(ahead.length).toBeLessThanOrEqual(manifestsReadAheadMax);
        const bytes = ahead.reduce((sum, each) => sum + Number(each), 0);
        if (ahead.length > manifestsReadAheadMin) expect(bytes).toBeLessThanOrEqual(manifestsReadAheadBytesMax);
        return [];
      };
      for await (const { number } of readAhead({ readEntries }, manifests, { metrics: 'none' }, () => undefined)) {
        expect(number).toBe(given);
        expect(begun - given).toBeGreaterThanOrEqual(Math.min(manifestsReadAheadMin, lengths.length - given));
        given++;
      }
      expect([given, begun]).toEqual([lengths.length, lengths.length]);
    }),
  );
});
