import { expect, test } from 'vitest';
import type { ManifestEntry } from '../../src/iceberg/data-file.ts';
import { decodeManifest } from '../../src/iceberg/manifest-reader.ts';
import { encodeManifest } from '../../src/iceberg/manifest-writer.ts';
import { newTableMetadata } from '../../src/iceberg/new-metadata.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import { planScan } from '../../src/iceberg/scan-plan.ts';
import { snapshotManifests } from '../../src/iceberg/snapshot-manifests.ts';
import { fileOf, sampleSchema } from './predicate-sample.ts';

test('a snapshot of version 1 that lists its manifests itself is planned like any other', async () => {
  const table = newTableMetadata({
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    location: 'file:///warehouse/t',
    schema: sampleSchema,
    partitionSpec: buildPartitionSpec(sampleSchema, [{ column: 'i', transform: 'identity' }]),
    properties: {},
    formatVersion: 1,
    nowMs: 1000,
  });
  const entry = (name: string, i: number, status: ManifestEntry['status']): ManifestEntry => ({
    status,
    snapshotId: 7n,
    sequenceNumber: null,
    fileSequenceNumber: null,
    dataFile: { ...fileOf([[i, null, null, name, null, null, null]], [i]), filePath: `file:///warehouse/t/${name}` },
  });
  const entries = [entry('a', 1, 'added'), entry('b', 2, 'existing'), entry('c', 3, 'deleted')];
  const manifestPath = 'file:///warehouse/t/metadata/m0.avro';
  const [spec] = table.partitionSpecs;
  if (spec === undefined) throw new Error('no spec');
  const { bytes } = encodeManifest({
    formatVersion: 1,
    schema: sampleSchema,
    spec,
    partitionTypes: ['int'],
    content: 'data',
    snapshotId: 7n,
    sequenceNumber: 0n,
    manifestPath,
    entries,
  });
  const read = async (location: string): Promise<Uint8Array> => {
    expect(location).toBe(manifestPath);
    return bytes;
  };
  const manifests = await snapshotManifests({ snapshotId: 7n, manifestList: '', manifests: [manifestPath] }, table, read);
  expect(manifests).toMatchObject([{ addedFilesCount: 1, existingFilesCount: 1, deletedFilesCount: 1, addedRowsCount: 1n }]);
  const plan = planScan({
    table,
    schema: sampleSchema,
    manifests,
    filter: { op: 'true' },
    readEntries: async (manifest, projection) => decodeManifest(bytes, manifest, table, projection),
  });
  const paths = await Array.fromAsync(plan.tasks(), ({ file }) => file.filePath);
  expect(paths).toEqual(['file:///warehouse/t/a', 'file:///warehouse/t/b']);
});
