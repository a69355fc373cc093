import { IcecoreError } from '../errors.ts';
import type { DataFile, ManifestEntry, ManifestFile } from './data-file.ts';
import { everything, type ManifestProjection } from './manifest-reader.ts';
import type { ManifestWriting } from './manifest-writing.ts';

/** What a new snapshot takes out. */
export interface FileRemoval {
  readonly snapshotId: bigint;
  /** Paths of live data and delete files to take out. */
  readonly removedPaths: ReadonlySet<string>;
  /** Data files whose deletion vector goes though they stay: the added files hold another for each. */
  readonly replacedVectors?: ReadonlySet<string>;
  readonly readEntries: (manifest: ManifestFile, projection: ManifestProjection) => Promise<readonly ManifestEntry[]>;
}

export interface TakenOut {
  readonly kept: readonly ManifestFile[];
  readonly removed: readonly DataFile[];
}

/** The manifests without the files that go: those that hold one are rewritten, with the file as deleted. */
export async function takeOut(
  removal: FileRemoval,
  manifests: readonly ManifestFile[],
  writing: ManifestWriting,
): Promise<TakenOut> {
  const paths = removal.removedPaths;
  const vectors = new Set([...paths, ...(removal.replacedVectors ?? [])]);
  const isGone = (entry: ManifestEntry): boolean => isRemoved(entry, paths, vectors);
  const missing = new Set(paths);
  const mayHold = ({ content }: ManifestFile): boolean => missing.size > 0 || (vectors.size > 0 && content === 'deletes');
  const kept: ManifestFile[] = [];
  const removed: DataFile[] = [];
  for (const manifest of manifests) {
    const isHit = mayHold(manifest) && (await removal.readEntries(manifest, { metrics: 'none' })).some(isGone);
    if (!isHit) {
      kept.push(manifest);
      continue;
    }
    const entries = (await removal.readEntries(manifest, everything)).filter(({ status }) => status !== 'deleted');
    const rewritten = entries.map((entry): ManifestEntry => {
      if (!isGone(entry)) return { ...entry, status: 'existing' };
      removed.push(entry.dataFile);
      return { ...entry, status: 'deleted', snapshotId: removal.snapshotId };
    });
    for (const { dataFile, status } of rewritten) if (status === 'deleted') missing.delete(dataFile.filePath);
    kept.push(
      writing.write(
        entries.map(({ dataFile }) => dataFile),
        rewritten,
      ),
    );
  }
  if (missing.size > 0) throw noLongerLive([...missing]);
  return { kept, removed };
}

/** A deletion vector goes with its data file (spec: "Deletion Vectors"); the Puffin file may hold those of others, which stay. */
function isRemoved({ status, dataFile }: ManifestEntry, paths: ReadonlySet<string>, vectors: ReadonlySet<string>): boolean {
  if (status === 'deleted') return false;
  const isVector = dataFile.fileFormat === 'puffin';
  return paths.has(dataFile.filePath) || (isVector && vectors.has(dataFile.referencedDataFile ?? ''));
}

function noLongerLive(paths: readonly string[]): IcecoreError {
  const more = paths.length > 1 ? ` and ${paths.length - 1} more` : '';
  return new IcecoreError(
    'CONFLICT',
    `The file ${paths[0]}${more} to be replaced or removed is no longer in the table: another commit took it out. Read the table again and repeat the operation.`,
    { retryable: false, context: { paths: paths.slice(0, 10) } },
  );
}
