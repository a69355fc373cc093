import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IcecoreError } from '../../src/errors.ts';
import type { ManifestEntry } from '../../src/iceberg/data-file.ts';
import { decodeManifest } from '../../src/iceberg/manifest-reader.ts';
import { encodeManifest } from '../../src/iceberg/manifest-writer.ts';
import type { PartitionSpec } from '../../src/iceberg/partition-spec.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import { dataFile, manifestEntry } from './data-file-sample.ts';
import { valuesByType } from './values-by-type.ts';

const types = valuesByType.map(([type]) => type);
const values = valuesByType.map(([, value]) => value);

const schema: Schema = {
  schemaId: 3,
  fields: types.map((type, index) => ({ id: index + 1, name: `spalte ${index} é`, type, required: false })),
  identifierFieldIds: [],
};
const spec: PartitionSpec = {
  specId: 0,
  fields: types.map((_type, index) => ({
    fieldId: 1000 + index,
    sourceId: index + 1,
    name: `${index}-teil é`,
    transform: 'identity',
  })),
};
const table = { schemas: [schema], currentSchemaId: 3, partitionSpecs: [spec] };
const sequenceNumber = 7n;

function encode(entries: readonly ManifestEntry[], formatVersion: 1 | 2 = 2) {
  return encodeManifest({
    formatVersion,
    schema,
    spec,
    partitionTypes: types,
    content: 'data',
    snapshotId: 2n ** 62n + 1n,
    sequenceNumber,
    manifestPath: 'file:/t/metadata/m.avro',
    entries,
  });
}

function sample<T>(arbitrary: fc.Arbitrary<T>, seed: number): T {
  const [value] = fc.sample(arbitrary, { numRuns: 1, seed });
  if (value === undefined) throw new Error('fast-check gave no sample');
  return value;
}

describe('a manifest', () => {
  it('is read as it was written, whatever the partition types', () => {
    fc.assert(
      fc.property(fc.array(manifestEntry(dataFile(values), sequenceNumber), { maxLength: 5 }), (entries) => {
        const { bytes, manifestFile } = encode(entries);
        expect(decodeManifest(bytes, manifestFile, table)).toEqual(entries);
      }),
      { numRuns: 60 },
    );
  });

  it('gives inherited snapshot ids and sequence numbers from the manifest list', () => {
    const file = sample(dataFile(values), 1);
    const entry: ManifestEntry = {
      status: 'added',
      snapshotId: null,
      sequenceNumber: null,
      fileSequenceNumber: null,
      dataFile: file,
    };
    const { bytes, manifestFile } = encode([entry]);
    const retried = { ...manifestFile, sequenceNumber: 9n, minSequenceNumber: 9n };
    const [read] = decodeManifest(bytes, retried, table);
    expect(read).toMatchObject({ snapshotId: 2n ** 62n + 1n, sequenceNumber: 9n, fileSequenceNumber: 9n });
  });

  it('counts files and rows by status, and the lowest sequence number of those alive', () => {
    const file = sample(dataFile(values), 2);
    const entry = (status: ManifestEntry['status'], sequence: bigint, rows: bigint): ManifestEntry => ({
      status,
      snapshotId: 1n,
      sequenceNumber: sequence,
      fileSequenceNumber: sequence,
      dataFile: { ...file, recordCount: rows },
    });
    const { manifestFile } = encode([entry('added', 0n, 5n), entry('existing', 3n, 6n), entry('deleted', 1n, 8n)]);
    expect(manifestFile).toMatchObject({
      addedFilesCount: 1,
      existingFilesCount: 1,
      deletedFilesCount: 1,
      addedRowsCount: 5n,
      existingRowsCount: 6n,
      deletedRowsCount: 8n,
      sequenceNumber: 7n,
      minSequenceNumber: 3n,
    });
  });

  it('reads the metrics asked for and no others', () => {
    const entries = fc.sample(manifestEntry(dataFile(values), sequenceNumber), { numRuns: 20, seed: 3 });
    const { bytes, manifestFile } = encode(entries);
    const wanted = new Set([1, 2, 3]);
    const bounds = decodeManifest(bytes, manifestFile, table, { metrics: 'bounds', fieldIds: wanted });
    for (const [index, { dataFile: read }] of bounds.entries()) {
      const written = entries[index]?.dataFile;
      expect(read.columnSizes.size).toBe(0);
      expect(read.recordCount).toBe(written?.recordCount);
      expect(read.lowerBounds).toEqual(new Map([...(written?.lowerBounds ?? [])].filter(([id]) => wanted.has(id))));
    }
    const none = decodeManifest(bytes, manifestFile, table, { metrics: 'none' });
    expect(none.every(({ dataFile: read }) => read.valueCounts.size === 0 && read.upperBounds.size === 0)).toBe(true);
  });

  it('refuses an existing entry without its sequence number', () => {
    const entry = sample(manifestEntry(dataFile(values), sequenceNumber), 4);
    expect(() => encode([{ ...entry, status: 'existing', sequenceNumber: null }])).toThrow(IcecoreError);
  });

  it('answers every cut or changed file with FAILED_PRECONDITION, or reads it', () => {
    const entries = fc.sample(manifestEntry(dataFile(values), sequenceNumber), { numRuns: 5, seed: 5 });
    const { bytes, manifestFile } = encode(entries);
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), fc.boolean(), (at, byte, cut) => {
        const changed = cut ? bytes.slice(0, at) : bytes.slice().fill(byte, at, at + 1);
        try {
          decodeManifest(changed, manifestFile, table);
        } catch (error) {
          expect(IcecoreError.is(error, 'FAILED_PRECONDITION')).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });
});
