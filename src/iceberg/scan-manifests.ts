import { manifestsReadAheadBytesMax, manifestsReadAheadMax, manifestsReadAheadMin } from '../limits.ts';
import type { ManifestEntry, ManifestFile } from './data-file.ts';
import type { PartitionTest } from './manifest-index.ts';
import { unknownCount } from './manifest-list.ts';
import type { ManifestProjection } from './manifest-reader.ts';

/** A place between two tasks: so many of a manifest's tasks have been given. The same plan of a snapshot has the same places. */
export interface ScanPosition {
  /** Among the data manifests of the snapshot that hold live files, in the order of its list. */
  readonly manifest: number;
  readonly tasks: number;
}

export interface ScanRange {
  readonly from: ScanPosition;
  /** The first manifest that is not of the range. */
  readonly untilManifest: number;
}

/** A data manifest of a snapshot with its number in scan positions. */
export interface NumberedManifest {
  readonly number: number;
  readonly manifest: ManifestFile;
}

/** Live files of a manifest, null where a manifest of v1 does not say. */
export function liveFiles({ addedFilesCount, existingFilesCount }: ManifestFile): number | null {
  return addedFilesCount === unknownCount || existingFilesCount === unknownCount ? null : addedFilesCount + existingFilesCount;
}

/** The data manifests that hold live files, or those of a range of them. */
export function numberedManifests(manifests: readonly ManifestFile[], range?: ScanRange): readonly NumberedManifest[] {
  const all = manifests
    .filter((manifest) => manifest.content === 'data' && !isDead(manifest))
    .map((manifest, number) => ({ number, manifest }));
  return range === undefined ? all : all.slice(range.from.manifest, range.untilManifest);
}

/** Whether a manifest holds no live file. Of v1 it may not be known. */
export function isDead({ addedFilesCount, existingFilesCount }: ManifestFile): boolean {
  return addedFilesCount === 0 && existingFilesCount === 0;
}

/**
 * Gives a manifest's entries with at least the metrics asked for, in any order; called for a few manifests at once. Entries
 * whose partition `wants` does not want may be left out.
 */
export type ReadEntries = (
  manifest: ManifestFile,
  projection: ManifestProjection,
  wants?: PartitionTest,
) => Promise<readonly ManifestEntry[]>;

export interface ReadManifest extends NumberedManifest {
  readonly entries: readonly ManifestEntry[];
}

/** The entries of manifests in their order, a few manifests read ahead of the one in hand. */
export async function* readAhead(
  { readEntries, signal }: { readonly readEntries: ReadEntries; readonly signal?: AbortSignal },
  manifests: readonly NumberedManifest[],
  projection: ManifestProjection,
  wantsOf: (manifest: ManifestFile) => PartitionTest | undefined,
): AsyncGenerator<ReadManifest> {
  const pending: Promise<readonly ManifestEntry[]>[] = [];
  let [begun, bytesAhead] = [0, 0];
  const startMore = () => {
    for (; pending.length < manifestsReadAheadMax; begun++) {
      const next = manifests[begun]?.manifest;
      if (next === undefined) return;
      const bytes = Number(next.manifestLength);
      if (pending.length >= manifestsReadAheadMin && bytesAhead + bytes > manifestsReadAheadBytesMax) return;
      const entries = readEntries(next, projection, wantsOf(next));
      // Met again when it is awaited; where the reader leaves before, nobody does.
      entries.catch(() => {});
      pending.push(entries);
      bytesAhead += bytes;
    }
  };
  startMore();
  for (const each of manifests) {
    signal?.throwIfAborted();
    const entries = await pending.shift();
    if (entries !== undefined) yield { ...each, entries };
    bytesAhead -= Number(each.manifest.manifestLength);
    startMore();
  }
}
