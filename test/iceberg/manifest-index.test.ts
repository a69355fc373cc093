import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ManifestEntry } from '../../src/iceberg/data-file.ts';
import { indexManifest, readIndexed } from '../../src/iceberg/manifest-index.ts';
import { decodeManifest } from '../../src/iceberg/manifest-reader.ts';
import { encodeManifest } from '../../src/iceberg/manifest-writer.ts';
import { partitionKey } from '../../src/iceberg/partition-key.ts';
import type { PartitionSpec } from '../../src/iceberg/partition-spec.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import { dataFile, manifestEntry } from './data-file-sample.ts';

const types: readonly PrimitiveType[] = ['string', 'int', 'decimal(38, 3)'];
const schema: Schema = {
  schemaId: 0,
  fields: types.map((type, index) => ({ id: index + 1, name: `c${index}`, type, required: false })),
  identifierFieldIds: [],
};
const spec: PartitionSpec = {
  specId: 0,
  fields: types.map((_, index) => ({ fieldId: 1000 + index, sourceId: index + 1, name: `c${index}`, transform: 'identity' })),
};
const table = { schemas: [schema], currentSchemaId: 0, partitionSpecs: [spec] };
const few = [fc.constantFrom('a', 'b'), fc.constantFrom(1, 2), fc.constantFrom(5n, -(10n ** 30n))];
// Row ids stay within 64 bits.
const files = dataFile(few).map((file) => ({ ...file, recordCount: BigInt.asUintN(8, file.recordCount) }));
const entries = fc.array(manifestEntry(files, 7n), { maxLength: 8 });

function encode(of: readonly ManifestEntry[]) {
  return encodeManifest({
    formatVersion: 2,
    schema,
    spec,
    partitionTypes: types,
    content: 'data',
    snapshotId: 1n,
    sequenceNumber: 7n,
    manifestPath: 'file:/t/metadata/m.avro',
    entries: of,
  });
}

describe('the index of a manifest', () => {
  it('gives the entries of the partitions asked for as the whole manifest does, row ids too', () => {
    const rowId = fc.option(fc.constant(1000n), { nil: undefined });
    fc.assert(
      fc.property(entries, fc.nat(7), rowId, (of, wanted, firstRowId) => {
        const { bytes, manifestFile: listed } = encode(of);
        const manifestFile = firstRowId === undefined ? listed : { ...listed, firstRowId };
        const names = [...new Set(of.map(({ dataFile: file }) => partitionKey(file)))];
        const isWanted = (partition: ManifestEntry['dataFile']['partition']) =>
          ((wanted >> (names.indexOf(partitionKey({ specId: 0, partition })) % 3)) & 1) === 1;
        const index = indexManifest(bytes, manifestFile, table);
        const projection = { metrics: 'bounds', fieldIds: new Set([1, 2, 3]) } as const;
        const whole = decodeManifest(bytes, manifestFile, table, projection);
        expect(readIndexed(index, manifestFile, table, projection, isWanted)).toEqual(
          whole.filter(({ dataFile: file }) => isWanted(file.partition)),
        );
        expect(index.partitions.length).toBe(names.length);
      }),
      { numRuns: 60 },
    );
  });

  it('takes partition values as the types of their columns are now', () => {
    const older = {
      ...schema,
      fields: schema.fields.map((field) => (field.id === 2 ? { ...field, type: 'long' as const } : field)),
    };
    const [entry] = fc.sample(manifestEntry(dataFile([fc.constant('a'), fc.constant(1), fc.constant(5n)]), 7n), 1);
    const { bytes, manifestFile } = encode(entry === undefined ? [] : [entry]);
    const seen: unknown[] = [];
    const now = { ...table, schemas: [older] };
    readIndexed(indexManifest(bytes, manifestFile, now), manifestFile, now, { metrics: 'none' }, (partition) => {
      seen.push(partition[1]);
      return false;
    });
    expect(seen.every((value) => typeof value === 'bigint' || value === null)).toBe(true);
  });

  it('of damaged bytes is refused', () => {
    const { bytes, manifestFile } = encode(fc.sample(entries, { numRuns: 1, seed: 3 })[0] ?? []);
    expect(() => indexManifest(bytes.subarray(0, bytes.length - 20), manifestFile, table)).toThrow('damaged');
  });
});
