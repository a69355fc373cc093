import { mainBranch } from '../../iceberg/snapshot.ts';
import type { TableAction } from '../table-action.ts';
import { addSnapshot, branchManifests, type SnapshotOptions } from './add-snapshot.ts';

/** Merges a branch's manifests into as few as their target size allows; no row and no file changes. Nothing where there is one. */
export function rewriteManifests(options: SnapshotOptions = {}): TableAction {
  return {
    name: 'rewrite manifests',
    async apply(base, context) {
      const manifests = await branchManifests(base, options.branch ?? mainBranch, context);
      if (manifests.length < 2) return { updates: [], requirements: [] };
      // The policy of every commit, made eager for this one.
      const eager = { 'commit.manifest-merge.enabled': 'true', 'commit.manifest.min-count-to-merge': '2' };
      const merging = { ...base, properties: { ...base.properties, ...eager } };
      return await addSnapshot(merging, context, options, { operation: 'replace', added: [], removedPaths: new Set() });
    },
  };
}
