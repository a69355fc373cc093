import type { BoundExpression } from '../iceberg/expression.ts';
import { liveFiles, type NumberedManifest, type ScanRange } from '../iceberg/scan-manifests.ts';
import {
  planTasksBytesMax,
  planTasksPerAnswerMax,
  scanFilesPerAnswerMax,
  scanManifestsPerAnswerMax,
  scanTasksPerAnswerMax,
} from '../limits.ts';

/**
 * The ranges that a scan's manifests are planned in, one an answer, in their order; clients fetch them side by side. The
 * first is the answer to the request itself. `tokenBytes` is the length of one plan task.
 */
export function scanParts(
  manifests: readonly NumberedManifest[],
  filter: BoundExpression,
  tokenBytes: number,
): readonly ScanRange[] {
  const filesMax = filter.op === 'true' ? scanTasksPerAnswerMax : scanFilesPerAnswerMax;
  const groups: { from: number; until: number }[] = [];
  let files = 0;
  let count = 0;
  for (const { number, manifest } of manifests) {
    const live = liveFiles(manifest) ?? filesMax;
    const last = groups.at(-1);
    if (last !== undefined && files + live <= filesMax && count < scanManifestsPerAnswerMax) {
      last.until = number + 1;
      files += live;
      count++;
    } else {
      groups.push({ from: number, until: number + 1 });
      files = live;
      count = 1;
    }
  }
  const partsMax = 1 + Math.max(1, Math.min(planTasksPerAnswerMax, Math.floor(planTasksBytesMax / tokenBytes)));
  return merged(groups, partsMax).map(({ from, until }) => ({ from: { manifest: from, tasks: 0 }, untilManifest: until }));
}

/** Neighbours joined until there are few enough, but for the first one. */
function merged(
  groups: readonly { from: number; until: number }[],
  partsMax: number,
): readonly { from: number; until: number }[] {
  const [first, ...rest] = groups;
  if (first === undefined || groups.length <= partsMax) return groups;
  const width = Math.ceil(rest.length / (partsMax - 1));
  const joined = rest.flatMap((group, index) => {
    if (index % width !== 0) return [];
    const last = rest[Math.min(index + width, rest.length) - 1] ?? group;
    return [{ from: group.from, until: last.until }];
  });
  return [first, ...joined];
}
