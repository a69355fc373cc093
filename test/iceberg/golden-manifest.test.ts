import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { DataFile, FieldSummary, ManifestEntry, ManifestFile } from '../../src/iceberg/data-file.ts';
import { printDecimal } from '../../src/iceberg/decimal.ts';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { parseJson } from '../../src/iceberg/json.ts';
import { decodeManifestList } from '../../src/iceberg/manifest-list.ts';
import { decodeManifest } from '../../src/iceberg/manifest-reader.ts';
import { readMetadata } from '../../src/iceberg/metadata-json.ts';
import { planScan } from '../../src/iceberg/scan-plan.ts';
import { currentSchema } from '../../src/iceberg/table-partitioning.ts';

interface Golden {
  readonly list: string;
  readonly metadata: unknown;
  readonly manifests: readonly { readonly file: string; readonly entries: readonly unknown[] }[];
}

function bytesOf(name: string): Uint8Array {
  return readFileSync(new URL(`files/${name}`, import.meta.url));
}

const hex = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes).toString('hex'));
const counts = (map: ReadonlyMap<number, bigint>) => Object.fromEntries(Array.from(map, ([id, count]) => [id, Number(count)]));
const bounds = (map: ReadonlyMap<number, Uint8Array>) => Object.fromEntries(Array.from(map, ([id, bytes]) => [id, hex(bytes)]));

/** As the generator prints what PyIceberg holds; the fourth partition value is the decimal. */
function printEntry(entry: ManifestEntry): unknown {
  const file: DataFile = entry.dataFile;
  return {
    status: entry.status,
    snapshotId: String(entry.snapshotId),
    sequenceNumber: String(entry.sequenceNumber),
    fileSequenceNumber: String(entry.fileSequenceNumber),
    filePath: file.filePath,
    partition: file.partition.map((value) => (typeof value === 'bigint' ? printDecimal(value, 2) : value)),
    recordCount: String(file.recordCount),
    fileSizeInBytes: String(file.fileSizeInBytes),
    valueCounts: counts(file.valueCounts),
    nullValueCounts: counts(file.nullValueCounts),
    nanValueCounts: counts(file.nanValueCounts),
    columnSizes: counts(file.columnSizes),
    lowerBounds: bounds(file.lowerBounds),
    upperBounds: bounds(file.upperBounds),
    splitOffsets: (file.splitOffsets ?? []).map(String),
  };
}

function printManifest(manifest: ManifestFile): unknown {
  return {
    manifestPath: manifest.manifestPath,
    manifestLength: String(manifest.manifestLength),
    sequenceNumber: String(manifest.sequenceNumber),
    minSequenceNumber: String(manifest.minSequenceNumber),
    addedSnapshotId: String(manifest.addedSnapshotId),
    addedFilesCount: manifest.addedFilesCount,
    existingFilesCount: manifest.existingFilesCount,
    deletedFilesCount: manifest.deletedFilesCount,
    addedRowsCount: String(manifest.addedRowsCount),
    existingRowsCount: String(manifest.existingRowsCount),
    deletedRowsCount: String(manifest.deletedRowsCount),
    partitions: manifest.partitions.map(({ containsNull, containsNan, lowerBound, upperBound }: FieldSummary) => ({
      containsNull,
      containsNan,
      lowerBound: hex(lowerBound),
      upperBound: hex(upperBound),
    })),
  };
}

describe.each([1, 2])('a v%i table that PyIceberg wrote', (version) => {
  const golden = parseJson(Buffer.from(bytesOf(`pyiceberg-v${version}.json`)).toString('utf8')) as Golden;
  const table = readMetadata(golden.metadata, 'the golden file');
  const manifests = decodeManifestList(bytesOf(golden.list));
  const entriesOf = (manifest: ManifestFile) => {
    const file = golden.manifests[manifests.indexOf(manifest)]?.file ?? '';
    return decodeManifest(bytesOf(file), manifest, table);
  };

  it('has the manifests that PyIceberg sees', () => {
    expect(manifests.map(printManifest)).toEqual(golden.manifests.map(({ file: _file, entries: _entries, ...rest }) => rest));
  });

  it('has the files that PyIceberg sees', () => {
    expect(manifests.map((manifest) => entriesOf(manifest).map(printEntry))).toEqual(
      golden.manifests.map(({ entries }) => entries),
    );
  });

  it('is planned by its partitions', async () => {
    const schema = currentSchema(table);
    const plan = planScan({
      table,
      schema,
      manifests,
      filter: bindExpression(schema, { op: 'eq', column: 'flown on', literal: '2001-01-04' }),
      readEntries: async (manifest) => entriesOf(manifest),
    });
    const tasks = await Array.fromAsync(plan.tasks());
    expect(tasks.map(({ file }) => file.partition[1])).toEqual(['ba']);
    expect(plan.counters).toMatchObject({ filesTotal: 2, filesMatched: 1, rowsMatched: 1n, manifestsSkipped: 1 });
    expect(tasks[0]?.residual).toEqual({ op: 'true' });
  });
});
