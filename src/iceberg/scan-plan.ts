import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { DeleteIndex, deletedFilePathId } from './delete-index.ts';
import type { BoundExpression } from './expression.ts';
import type { ManifestProjection } from './manifest-reader.ts';
import {
  isDead,
  liveFiles,
  type NumberedManifest,
  numberedManifests,
  type ReadEntries,
  readAhead,
  type ScanPosition,
  type ScanRange,
} from './scan-manifests.ts';
import { filterProjection, type PrunedScan, type Pruning, prunings } from './scan-pruning.ts';

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

export interface ScanRequest extends PrunedScan {
  /** Of the snapshot, as its manifest list gives them. */
  readonly manifests: readonly ManifestFile[];
  readonly readEntries: ReadEntries;
  /** Metrics that the caller wants in the tasks' files, where those of the filter's columns are not enough. */
  readonly projection?: ManifestProjection;
  /** Plans a part of the scan: the tasks between two places in it. */
  readonly range?: ScanRange;
  /** Leaves out entries of no interest, before any count: those that other snapshots than the wanted ones added. */
  readonly entryFilter?: (entry: ManifestEntry) => boolean;
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

/** One plan, drawn as it goes. Counters are whole once the tasks are, and say of a range what is within it. */
export interface ScanPlan {
  readonly counters: ScanCounters;
  /** Behind the task that was given last. */
  readonly position: ScanPosition;
  tasks(): AsyncGenerator<FileScanTask>;
}

/** The data manifests in which the filter may match files: what a scan reads, the rest is ruled out by partition summaries. */
export function matchingManifests(request: Omit<ScanRequest, 'readEntries'>): readonly NumberedManifest[] {
  const pruningOf = prunings(request);
  return numberedManifests(request.manifests, request.range).filter(
    ({ manifest }) => liveFiles(manifest) === null || pruningOf(manifest).manifest(manifest),
  );
}

/**
 * Plans a scan of one snapshot (spec: "Scan Planning"): manifests are ruled out by their partition summaries, files by their
 * partition and metrics; deletes are matched by sequence number and partition. Tasks come manifest by manifest, in the order
 * of the list, and hold no more than a few manifests and the snapshot's delete files in memory.
 */
export function planScan(request: ScanRequest): ScanPlan {
  const data = numberedManifests(request.manifests, request.range);
  const counters: MutableCounters = {
    manifestsTotal: data.length,
    manifestsRead: 0,
    manifestsSkipped: 0,
    filesTotal: 0,
    filesMatched: 0,
    bytesMatched: 0n,
    rowsMatched: 0n,
  };
  const position = { ...(request.range?.from ?? { manifest: 0, tasks: 0 }) };
  return { counters, position, tasks: () => draw(request, data, counters, position) };
}

async function* draw(
  request: ScanRequest,
  data: readonly NumberedManifest[],
  counters: MutableCounters,
  position: { manifest: number; tasks: number },
): AsyncGenerator<FileScanTask> {
  const pruningOf = prunings(request);
  const wanted = data.filter(({ manifest }) => {
    const live = liveFiles(manifest);
    counters.filesTotal += live ?? 0;
    // A manifest of v1 that does not say how many files it holds is read, so that the total is right.
    const isWanted = live === null || pruningOf(manifest).manifest(manifest);
    if (!isWanted) counters.manifestsSkipped++;
    return isWanted;
  });
  const deletes = await readDeletes(request, wanted, pruningOf);
  const projection = request.projection ?? filterProjection(request.filter);
  const start = { ...position };
  // Where the list does not say how many files a manifest holds, they are counted as they come.
  const wantsOf = (manifest: ManifestFile) => (liveFiles(manifest) === null ? undefined : pruningOf(manifest).partition);
  for await (const { number, manifest, entries } of readAhead(request, wanted, projection, wantsOf)) {
    counters.manifestsRead++;
    const pruning = pruningOf(manifest);
    const isCounted = liveFiles(manifest) !== null;
    Object.assign(position, { manifest: number, tasks: 0 });
    for (const entry of entries) {
      const { status, dataFile: file, sequenceNumber } = entry;
      if (status === 'deleted' || request.entryFilter?.(entry) === false) continue;
      if (!isCounted) counters.filesTotal++;
      if (!pruning.file(file)) continue;
      position.tasks++;
      if (number === start.manifest && position.tasks <= start.tasks) continue;
      counters.filesMatched++;
      counters.bytesMatched += file.fileSizeInBytes;
      counters.rowsMatched += file.recordCount;
      const dataSequenceNumber = sequenceNumber ?? 0n;
      yield { file, dataSequenceNumber, deletes: deletes.deletesOf(file, dataSequenceNumber), residual: pruning.residual(file) };
    }
    Object.assign(position, { manifest: number + 1, tasks: 0 });
  }
}

async function readDeletes(
  request: ScanRequest,
  wanted: readonly NumberedManifest[],
  pruningOf: (manifest: ManifestFile) => Pruning,
): Promise<DeleteIndex> {
  const index = new DeleteIndex();
  if (wanted.length === 0) return index;
  const oldest = wanted.reduce(
    (least, { manifest }) => (manifest.minSequenceNumber < least ? manifest.minSequenceNumber : least),
    wanted[0]?.manifest.minSequenceNumber ?? 0n,
  );
  const manifests = request.manifests.filter(
    (manifest) =>
      manifest.content === 'deletes' &&
      !isDead(manifest) &&
      // Deletes apply to files that are no younger than they are.
      manifest.sequenceNumber >= oldest &&
      pruningOf(manifest).manifest(manifest),
  );
  const projection: ManifestProjection = { metrics: 'bounds', fieldIds: new Set([deletedFilePathId]) };
  const places = manifests.map((manifest, number) => ({ number, manifest }));
  for await (const { entries } of readAhead(request, places, projection, (manifest) => pruningOf(manifest).partition)) {
    for (const entry of entries) if (entry.status !== 'deleted') index.add(entry);
  }
  return index;
}
