import type { ManifestEntry, ManifestFile } from '../iceberg/data-file.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { indexManifest, type PartitionTest, readIndexed } from '../iceberg/manifest-index.ts';
import { decodeManifest, type ManifestProjection } from '../iceberg/manifest-reader.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { type FileScanTask, planScan, type ScanCounters } from '../iceberg/scan-plan.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import { snapshotManifests } from '../iceberg/snapshot-manifests.ts';
import type { FileReads } from './file-reads.ts';

/** The files of a snapshot that a read has to open, in the stable order of its rows: by data sequence number, then path. */
export interface SnapshotPlan {
  readonly tasks: readonly FileScanTask[];
  readonly counters: ScanCounters;
}

/** For files that were picked from a plan, whose counts are the plan's. */
export const noCounters: ScanCounters = {
  manifestsTotal: 0,
  manifestsRead: 0,
  manifestsSkipped: 0,
  filesTotal: 0,
  filesMatched: 0,
  bytesMatched: 0n,
  rowsMatched: 0n,
};

export interface PlanOptions {
  /** What `where` is bound to. */
  readonly schema: Schema;
  readonly where?: Expression;
  readonly projection?: ManifestProjection;
  readonly signal?: AbortSignal;
}

/** The manifests of a snapshot. */
export async function readManifestList(
  files: FileReads,
  metadata: TableMetadata,
  snapshot: Snapshot,
): Promise<readonly ManifestFile[]> {
  await files.judge(
    metadata,
    [snapshot.manifestList, ...(snapshot.manifests ?? [])].filter((path) => path !== ''),
  );
  const manifests = await snapshotManifests(snapshot, metadata, (location) => files.manifest(location));
  await files.judge(
    metadata,
    manifests.map(({ manifestPath }) => manifestPath),
  );
  return manifests;
}

/** The entries of a manifest with at least the metrics asked for; those of partitions that are not wanted may be left out. */
export async function readManifestEntries(
  files: FileReads,
  metadata: TableMetadata,
  manifest: ManifestFile,
  projection: ManifestProjection,
  wants?: PartitionTest,
): Promise<readonly ManifestEntry[]> {
  if (wants !== undefined) {
    const index = await files.manifestIndex(manifest.manifestPath, (bytes) => indexManifest(bytes, manifest, metadata));
    return readIndexed(index, manifest, metadata, projection, wants);
  }
  return decodeManifest(await files.manifest(manifest.manifestPath), manifest, metadata, projection);
}

/** What reading a snapshot takes; nothing for a table without one. `where` leaves files out; it filters no rows. */
export async function planSnapshot(
  files: FileReads,
  metadata: TableMetadata,
  snapshot: Snapshot | null,
  options: PlanOptions,
): Promise<SnapshotPlan> {
  const manifests = snapshot === null ? [] : await readManifestList(files, metadata, snapshot);
  const plan = planScan({
    table: metadata,
    schema: options.schema,
    manifests,
    filter: bindExpression(options.schema, options.where ?? { op: 'true' }),
    readEntries: (manifest, projection, wants) => readManifestEntries(files, metadata, manifest, projection, wants),
    ...(options.projection === undefined ? {} : { projection: options.projection }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  const tasks: FileScanTask[] = [];
  for await (const task of plan.tasks()) tasks.push(task);
  return { tasks: tasks.sort(inRowOrder), counters: plan.counters };
}

/** By data sequence number, then the bytes of the path (semantics, section 2). */
export function inRowOrder(a: FileScanTask, b: FileScanTask): number {
  if (a.dataSequenceNumber !== b.dataSequenceNumber) return a.dataSequenceNumber < b.dataSequenceNumber ? -1 : 1;
  return comparePaths(a.file.filePath, b.file.filePath);
}

/** By the bytes of UTF-8. Strings compare by their UTF-16, which is another order only where there are surrogates. */
export function comparePaths(a: string, b: string): number {
  if (a === b) return 0;
  if (surrogate.test(a) || surrogate.test(b)) return Buffer.compare(Buffer.from(a), Buffer.from(b));
  return a < b ? -1 : 1;
}

const surrogate = /[\ud800-\udfff]/;
