import type { ManifestFile } from '../../iceberg/data-file.ts';
import { manifestsToMerge, mergePolicy } from '../../iceberg/manifest-merge.ts';
import { mainBranch } from '../../iceberg/snapshot.ts';
import type { TableAction } from '../table-action.ts';
import { addSnapshot, branchManifests, type SnapshotOptions } from './add-snapshot.ts';

/** Merges a branch's manifests into as few as their target size allows; no row and no file changes. Nothing where there are none to merge. */
export function rewriteManifests(options: SnapshotOptions = {}): TableAction {
  return {
    name: 'rewrite manifests',
    async apply(base, context) {
      const manifests = await branchManifests(base, options.branch ?? mainBranch, context);
      if (mergeableManifests(manifests, base.properties) === 0) return { updates: [], requirements: [] };
      const merging = { ...base, properties: { ...base.properties, ...eager } };
      return await addSnapshot(merging, context, options, { operation: 'replace', added: [], removedPaths: new Set() });
    },
  };
}

/** The policy of every commit, made eager for this one. */
const eager = { 'commit.manifest-merge.enabled': 'true', 'commit.manifest.min-count-to-merge': '2' };

/** How many manifests fewer there would be. */
export function mergeableManifests(manifests: readonly ManifestFile[], properties: Readonly<Record<string, string>>): number {
  const groups = manifestsToMerge(manifests, mergePolicy({ ...properties, ...eager }));
  return groups.reduce((sum, group) => sum + group.length - 1, 0);
}
