import type { ManifestFile } from './data-file.ts';

const targetSizeBytesDefault = 8n * 1024n * 1024n;
const minCountToMergeDefault = 100;

export interface MergePolicy {
  readonly isEnabled: boolean;
  readonly minCountToMerge: number;
  readonly targetSizeBytes: bigint;
}

/** How a table wants its manifests merged on commit, by its properties (`commit.manifest…`). */
export function mergePolicy(properties: Readonly<Record<string, string>>): MergePolicy {
  const number = (key: string) => (/^\d{1,15}$/.test(properties[key] ?? '') ? BigInt(properties[key] ?? 0) : null);
  return {
    isEnabled: properties['commit.manifest-merge.enabled'] !== 'false',
    minCountToMerge: Number(number('commit.manifest.min-count-to-merge') ?? minCountToMergeDefault),
    targetSizeBytes: number('commit.manifest.target-size-bytes') ?? targetSizeBytesDefault,
  };
}

/**
 * Groups of neighbouring manifests, oldest first, each to become one: none beyond the target's size, all of one spec and
 * content. The newest group waits until it holds enough, so that not every append rewrites the one before.
 */
export function manifestsToMerge(manifests: readonly ManifestFile[], policy: MergePolicy): readonly (readonly ManifestFile[])[] {
  if (!policy.isEnabled) return [];
  const kinds = Map.groupBy(manifests, ({ partitionSpecId, content }) => `${partitionSpecId} ${content}`);
  return [...kinds.values()].flatMap((kind) => (kind.length < policy.minCountToMerge ? [] : groupsOf(kind, policy)));
}

function groupsOf(manifests: readonly ManifestFile[], { minCountToMerge, targetSizeBytes }: MergePolicy): ManifestFile[][] {
  const groups: ManifestFile[][] = [];
  let sizeBytes = 0n;
  for (const manifest of manifests) {
    const last = groups.at(-1);
    if (last === undefined || sizeBytes + manifest.manifestLength > targetSizeBytes) {
      groups.push([manifest]);
      sizeBytes = manifest.manifestLength;
    } else {
      last.push(manifest);
      sizeBytes += manifest.manifestLength;
    }
  }
  const newest = groups.length - 1;
  return groups.filter((group, index) => group.length >= (index === newest ? Math.max(2, minCountToMerge) : 2));
}
