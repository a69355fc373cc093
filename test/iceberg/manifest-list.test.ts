import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ManifestFile } from '../../src/iceberg/data-file.ts';
import { decodeManifestList, encodeManifestList } from '../../src/iceberg/manifest-list.ts';

const count = fc.bigInt({ min: 0n, max: 2n ** 62n });
const bytes = fc.option(fc.uint8Array({ maxLength: 8 }));
const manifestFile: fc.Arbitrary<ManifestFile> = fc.record(
  {
    manifestPath: fc.string({ unit: 'binary' }),
    manifestLength: count,
    partitionSpecId: fc.nat(),
    content: fc.constantFrom('data', 'deletes'),
    sequenceNumber: count,
    minSequenceNumber: count,
    addedSnapshotId: count,
    addedFilesCount: fc.nat(),
    existingFilesCount: fc.nat(),
    deletedFilesCount: fc.nat(),
    addedRowsCount: count,
    existingRowsCount: count,
    deletedRowsCount: count,
    partitions: fc.array(
      fc.record({ containsNull: fc.boolean(), containsNan: fc.option(fc.boolean()), lowerBound: bytes, upperBound: bytes }),
      { maxLength: 3 },
    ),
    keyMetadata: bytes,
  },
  { noNullPrototype: true },
);

describe('a manifest list', () => {
  it('is read as it was written', () => {
    const header = { formatVersion: 2, snapshotId: 2n ** 62n, parentSnapshotId: null, sequenceNumber: 4n } as const;
    fc.assert(
      fc.property(fc.array(manifestFile, { maxLength: 6 }), (manifests) => {
        expect(decodeManifestList(encodeManifestList(header, manifests))).toEqual(manifests);
      }),
      { numRuns: 100 },
    );
  });

  it('of v1 has no deletes and no sequence numbers', () => {
    const header = { formatVersion: 1, snapshotId: 5n, parentSnapshotId: 4n, sequenceNumber: 0n } as const;
    const manifests = fc.sample(manifestFile, { numRuns: 5, seed: 1 });
    const read = decodeManifestList(encodeManifestList(header, manifests));
    expect(read).toEqual(
      manifests.map((manifest) => ({ ...manifest, content: 'data', sequenceNumber: 0n, minSequenceNumber: 0n })),
    );
  });
});
