import { manifestsReadAheadMax } from '../limits.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { DeleteIndex, deletedFilePathId } from './delete-index.ts';
import type { BoundExpression } from './expression.ts';
import { predicateFieldIds } from './expression-bind.ts';
import { unknownCount } from './manifest-list.ts';
import type { ManifestProjection } from './manifest-reader.ts';
import { inclusiveMetrics, manifestMayMatch } from './metrics-evaluator.ts';
import { partitionMatches, projectInclusive } from './partition-projection.ts';
import { residualOf } from './residual.ts';
import type { Schema } from './schema.ts';
import { requireSpec, specValueTypes, type TablePartitioning } from './table-partitioning.ts';

/** A data file to read, whole, and what to leave out of it. */
export interface FileScanTask {
  readonly file: DataFile;
  readonly dataSequenceNumber: bigint;
  /** Delete files that apply to it. */
  readonly deletes: readonly DataFile[];
  /** What of the filter its rows have still to be held against. */
  readonly residual: BoundExpression;
}

/** How much a plan looked at and left out. All counts are of data manifests and data files, never of deletes. */
export interface ScanCounters {
  readonly manifestsTotal: number;
  readonly manifestsRead: number;
  readonly manifestsSkipped: number;
  /** Live files of the snapshot. */
  readonly filesTotal: number;
  readonly filesMatched: number;
  readonly bytesMatched: bigint;
  /** Rows of the files that matched, before deletes and the filter. */
  readonly rowsMatched: bigint;
}

export interface ScanRequest {
  readonly table: TablePartitioning;
  /** The schema that `filter` is bound to: the current one, or that of the snapshot. */
  readonly schema: Schema;
  /** Of the snapshot, as its manifest list gives them. */
  readonly manifests: readonly ManifestFile[];
  readonly filter: BoundExpression;
  /** Gives a manifest's entries with at least the metrics asked for, in any order; called for a few manifests at once. */
  readonly readEntries: (manifest: ManifestFile, projection: ManifestProjection) => Promise<readonly ManifestEntry[]>;
  /** Metrics that the caller wants in the tasks' files, where those of the filter's columns are not enough. */
  readonly projection?: ManifestProjection;
  readonly signal?: AbortSignal;
}

interface MutableCounters extends ScanCounters {
  manifestsTotal: number;
  manifestsRead: number;
  manifestsSkipped: number;
  filesTotal: number;
  filesMatched: number;
  bytesMatched: bigint;
  rowsMatched: bigint;
}

/** One plan, drawn as it goes. Counters are whole once the tasks are. */
export interface ScanPlan {
  readonly counters: ScanCounters;
  tasks(): AsyncGenerator<FileScanTask>;
}

/**
 * Plans a scan of one snapshot (spec: "Scan Planning"): manifests are ruled out by their partition summaries, files by their
 * partition and metrics; deletes are matched by sequence number and partition. Tasks come manifest by manifest, in the order
 * of the list, and hold no more than a few manifests and the snapshot's delete files in memory.
 */
export function planScan(request: ScanRequest): ScanPlan {
  const data = request.manifests.filter((manifest) => manifest.content === 'data' && !isDead(manifest));
  const counters: MutableCounters = {
    manifestsTotal: data.length,
    manifestsRead: 0,
    manifestsSkipped: 0,
    filesTotal: 0,
    filesMatched: 0,
    bytesMatched: 0n,
    rowsMatched: 0n,
  };
  return { counters, tasks: () => draw(request, data, counters) };
}

function isDead({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount === 0 && existingFilesCount === 0;
}

function liveFiles({ addedFilesCount, existingFilesCount }: ManifestFile): number | null {
  return addedFilesCount === unknownCount || existingFilesCount === unknownCount ? null : addedFilesCount + existingFilesCount;
}

async function* draw(
  request: ScanRequest,
  data: readonly ManifestFile[],
  counters: MutableCounters,
): AsyncGenerator<FileScanTask> {
  const prunings = new Map(request.table.partitionSpecs.map(({ specId }) => [specId, prune(request, specId)] as const));
  const pruningOf = (manifest: ManifestFile) =>
    prunings.get(manifest.partitionSpecId) ?? prune(request, manifest.partitionSpecId);
  const wanted = data.filter((manifest) => {
    const live = liveFiles(manifest);
    counters.filesTotal += live ?? 0;
    // A manifest of v1 that does not say how many files it holds is read, so that the total is right.
    const isWanted = live === null || pruningOf(manifest).manifest(manifest);
    if (!isWanted) counters.manifestsSkipped++;
    return isWanted;
  });
  const deletes = wanted.length === 0 ? new DeleteIndex() : await readDeletes(request, pruningOf);
  const projection = request.projection ?? filterProjection(request.filter);
  for await (const { manifest, entries } of readAhead(request, wanted, projection)) {
    counters.manifestsRead++;
    const pruning = pruningOf(manifest);
    const isCounted = liveFiles(manifest) !== null;
    for (const { status, dataFile: file, sequenceNumber } of entries) {
      if (status === 'deleted') continue;
      if (!isCounted) counters.filesTotal++;
      if (!pruning.file(file)) continue;
      counters.filesMatched++;
      counters.bytesMatched += file.fileSizeInBytes;
      counters.rowsMatched += file.recordCount;
      const dataSequenceNumber = sequenceNumber ?? 0n;
      yield { file, dataSequenceNumber, deletes: deletes.deletesOf(file, dataSequenceNumber), residual: pruning.residual(file) };
    }
  }
}

interface Pruning {
  readonly manifest: (manifest: ManifestFile) => boolean;
  readonly file: (file: DataFile) => boolean;
  readonly residual: (file: DataFile) => BoundExpression;
}

function prune({ table, schema, filter }: ScanRequest, specId: number): Pruning {
  const spec = requireSpec(table, specId);
  const projected = projectInclusive(spec, schema, filter);
  const inPartition = partitionMatches(spec, projected);
  const byMetrics = inclusiveMetrics(schema, filter);
  return {
    manifest: manifestMayMatch(spec, specValueTypes(table, spec), projected),
    file: (file) => inPartition(file.partition) && byMetrics(file),
    residual: residualOf(spec, schema, filter),
  };
}

/** The metrics that a filter is held against. */
export function filterProjection(filter: BoundExpression): ManifestProjection {
  const fieldIds = predicateFieldIds(filter);
  return fieldIds.size === 0 ? { metrics: 'none' } : { metrics: 'bounds', fieldIds };
}

async function readDeletes(request: ScanRequest, pruningOf: (manifest: ManifestFile) => Pruning): Promise<DeleteIndex> {
  const index = new DeleteIndex();
  const manifests = request.manifests.filter(
    (manifest) => manifest.content === 'deletes' && !isDead(manifest) && pruningOf(manifest).manifest(manifest),
  );
  const projection: ManifestProjection = { metrics: 'bounds', fieldIds: new Set([deletedFilePathId]) };
  for await (const { entries } of readAhead(request, manifests, projection)) {
    for (const entry of entries) if (entry.status !== 'deleted') index.add(entry);
  }
  return index;
}

async function* readAhead(
  { readEntries, signal }: ScanRequest,
  manifests: readonly ManifestFile[],
  projection: ManifestProjection,
): AsyncGenerator<{ readonly manifest: ManifestFile; readonly entries: readonly ManifestEntry[] }> {
  const pending: Promise<readonly ManifestEntry[]>[] = [];
  const start = (manifest: ManifestFile) => {
    const entries = readEntries(manifest, projection);
    // Met again when it is awaited; where the reader leaves before, nobody does.
    entries.catch(() => {});
    pending.push(entries);
  };
  for (const manifest of manifests.slice(0, manifestsReadAheadMax)) start(manifest);
  for (const [index, manifest] of manifests.entries()) {
    signal?.throwIfAborted();
    const entries = await pending.shift();
    if (entries !== undefined) yield { manifest, entries };
    const next = manifests[index + manifestsReadAheadMax];
    if (next !== undefined) start(next);
  }
}
