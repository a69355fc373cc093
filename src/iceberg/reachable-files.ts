import type { ManifestEntry, ManifestFile } from './data-file.ts';
import type { ManifestProjection } from './manifest-reader.ts';
import type { Snapshot } from './snapshot.ts';

export type ReachableKind = 'manifest-list' | 'manifest' | 'data' | 'deletes';

export interface ReachableFile {
  readonly path: string;
  readonly kind: ReachableKind;
}

export interface ReachableRequest {
  readonly snapshots: readonly Snapshot[];
  /** Of a v1 snapshot without a list too. */
  readonly readManifests: (snapshot: Snapshot) => Promise<readonly ManifestFile[]>;
  readonly readEntries: (manifest: ManifestFile, projection: ManifestProjection) => Promise<readonly ManifestEntry[]>;
  /** Manifests that need not be opened again, such as those of the snapshots that stay; grows by those that were. */
  readonly seenManifests?: Set<string>;
  readonly signal?: AbortSignal;
}

/**
 * The files that snapshots hold: manifest lists, manifests, data and delete files. A manifest that several snapshots share is
 * opened once; a data file is named once for each manifest that it is live in. Files that a manifest lists as DELETED
 * are not held by it.
 */
export async function* reachableFiles(request: ReachableRequest): AsyncGenerator<ReachableFile> {
  const seen = request.seenManifests ?? new Set<string>();
  for (const snapshot of request.snapshots) {
    request.signal?.throwIfAborted();
    if (snapshot.manifestList !== '') yield { path: snapshot.manifestList, kind: 'manifest-list' };
    for (const manifest of await request.readManifests(snapshot)) {
      if (seen.has(manifest.manifestPath)) continue;
      seen.add(manifest.manifestPath);
      request.signal?.throwIfAborted();
      yield { path: manifest.manifestPath, kind: 'manifest' };
      const kind = manifest.content === 'data' ? 'data' : 'deletes';
      for (const { status, dataFile } of await request.readEntries(manifest, { metrics: 'none' })) {
        if (status !== 'deleted') yield { path: dataFile.filePath, kind };
      }
    }
  }
}
