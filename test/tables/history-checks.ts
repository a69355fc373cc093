import { access, readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { parseIdentifier } from '../../src/iceberg/identifier.ts';
import { currentSchema, snapshotById, snapshotSchema } from '../../src/iceberg/metadata.ts';
import { parseMetadata, printMetadata } from '../../src/iceberg/metadata-json.ts';
import { reachableFiles } from '../../src/iceberg/reachable-files.ts';
import type { Snapshot } from '../../src/iceberg/snapshot.ts';
import { orphanAgeMsMin } from '../../src/limits.ts';
import { removeOrphanFiles } from '../../src/tables/orphan-files.ts';
import { openScan } from '../../src/tables/scan-relation.ts';
import { planSnapshot, readManifestEntries, readManifestList } from '../../src/tables/snapshot-files.ts';
import type { AsOf } from '../../src/tables/table.ts';
import { type ModelRow, type ModelSchema, shownRow } from './history-model.ts';
import type { History } from './history-steps.ts';
import type { Warehouse } from './warehouse.ts';

/** The rows at a point are those of the model. */
export async function checkRows(
  warehouse: Warehouse,
  name: string,
  asOf: AsOf,
  rows: readonly ModelRow[],
  schema: ModelSchema,
): Promise<void> {
  const found = (await warehouse.rows(name, 'SELECT * FROM t', asOf)).map(asText) as Record<string, unknown>[];
  const byNumber = (a: Record<string, unknown>, b: Record<string, unknown>): number => Number(a.n) - Number(b.n);
  expect(found.toSorted(byNumber)).toEqual(rows.map((row) => shownRow(row, schema)).toSorted(byNumber));
}

function asText(value: unknown): unknown {
  if (value === null || typeof value === 'string') return value;
  if (typeof value !== 'object') return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, asText(item)]));
}

/** The totals of a snapshot's summary are what its manifests hold. */
export async function checkSummary(warehouse: Warehouse, name: string, snapshotId: bigint): Promise<void> {
  const { metadata } = await warehouse.load(name);
  const { files } = warehouse.tables;
  const snapshot = found(snapshotById(metadata, snapshotId));
  const totals = { files: 0n, records: 0n, deleteFiles: 0n, positions: 0n, bytes: 0n };
  for (const manifest of await readManifestList(files, metadata, snapshot)) {
    for (const { status, dataFile } of await readManifestEntries(files, metadata, manifest, { metrics: 'none' })) {
      if (status === 'deleted') continue;
      totals.bytes += dataFile.contentSizeInBytes ?? dataFile.fileSizeInBytes;
      if (dataFile.content === 'data') {
        totals.files++;
        totals.records += dataFile.recordCount;
      } else {
        totals.deleteFiles++;
        totals.positions += dataFile.recordCount;
      }
    }
  }
  expect(snapshot.summary).toMatchObject({
    'total-data-files': String(totals.files),
    'total-records': String(totals.records),
    'total-delete-files': String(totals.deleteFiles),
    'total-position-deletes': String(totals.positions),
    'total-equality-deletes': '0',
    'total-files-size': String(totals.bytes),
  });
}

export type RowIds = ReadonlyMap<number, string | null>;

/** Each row's id in a snapshot, by its number; none before version 3. Of no two rows the same. */
export async function rowIds(warehouse: Warehouse, name: string, snapshotId: bigint): Promise<RowIds> {
  const table = await warehouse.load(name);
  if (table.metadata.formatVersion < 3) return new Map();
  const snapshot = found(snapshotById(table.metadata, snapshotId));
  const schema = snapshotSchema(table.metadata, snapshot);
  const plan = await planSnapshot(warehouse.tables.files, table.metadata, snapshot, { schema });
  const scan = await openScan(warehouse.tables, { table, withLineage: true }, schema, plan);
  try {
    const rows = await warehouse.select(`SELECT n::VARCHAR AS n, _row_id::VARCHAR AS id FROM ${scan.sql}`);
    const ids = new Map((rows as { n: string; id: string | null }[]).map(({ n, id }) => [Number(n), id] as const));
    const given = [...ids.values()].filter((id) => id !== null);
    expect(new Set(given).size).toBe(given.length);
    return ids;
  } finally {
    scan.release();
  }
}

/** Every metadata file can be read; what a snapshot holds is there; what lies there is held, but for one file that is nobody's. */
export async function checkFiles(warehouse: Warehouse, { name }: History): Promise<void> {
  const table = await warehouse.load(name);
  const { metadata } = table;
  const folder = fileURLToPath(`${metadata.location}/metadata`);
  for (const file of (await readdir(folder)).filter((each) => each.endsWith('.metadata.json'))) {
    const text = await readFile(`${folder}/${file}`, 'utf8');
    const parsed = parseMetadata(text, file);
    expect(parseMetadata(printMetadata(parsed), file)).toEqual(parsed);
  }
  const { files } = warehouse.tables;
  const held = reachableFiles({
    snapshots: metadata.snapshots,
    readManifests: (snapshot: Snapshot) => readManifestList(files, metadata, snapshot),
    readEntries: (manifest, projection) => readManifestEntries(files, metadata, manifest, projection),
  });
  for await (const { path } of held) await access(fileURLToPath(path));
  const stray = `${metadata.location}/data/nobodys.parquet`;
  await warehouse.tables.storage.write(stray, new Uint8Array(3));
  const olderThanMs = Date.now() + 10 * orphanAgeMsMin;
  const { files: orphans } = await removeOrphanFiles(warehouse.tables, {
    identifier: parseIdentifier(name),
    olderThanMs,
    dryRun: true,
  });
  expect(orphans).toEqual([stray]);
  currentSchema(metadata);
}

function found<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('The table lacks a snapshot that the model has.');
  return value;
}
