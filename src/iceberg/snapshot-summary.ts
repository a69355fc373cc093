import type { DataFile, ManifestFile } from './data-file.ts';
import { unknownCount } from './manifest-list.ts';
import { partitionKey } from './partition-key.ts';
import type { SnapshotOperation } from './snapshot.ts';

export interface SummaryInput {
  readonly operation: SnapshotOperation;
  readonly added: readonly DataFile[];
  readonly removed: readonly DataFile[];
  /** All manifests of the new snapshot. */
  readonly manifests: readonly ManifestFile[];
  /** The parent's summary; null where there is no parent. */
  readonly parent: Readonly<Record<string, string>> | null;
  /** Wins over what is computed, but for the counts and the operation. */
  readonly extra: Readonly<Record<string, string>>;
}

const engineName = 'icecore';

/** A snapshot's summary: what it changed, and what the table holds after it, as text (spec: Appendix F). Zero changes are left out. */
export function snapshotSummary(input: SummaryInput): Readonly<Record<string, string>> {
  const { operation, added, removed, extra } = input;
  const partitions = new Set([...added, ...removed].map(partitionKey));
  const changes = { ...changesOf('added', added), ...changesOf('deleted', removed) };
  return {
    'engine-name': engineName,
    ...extra,
    operation,
    ...Object.fromEntries(Object.entries(changes).flatMap(([key, value]) => (value === 0n ? [] : [[key, value.toString()]]))),
    'changed-partition-count': String(partitions.size),
    ...totals(input, changes),
  };
}

function changesOf(verb: 'added' | 'deleted', files: readonly DataFile[]): Record<string, bigint> {
  const data = files.filter((file) => file.content === 'data');
  const vectors = files.filter((file) => file.fileFormat === 'puffin');
  const positions = files.filter((file) => file.content === 'position-deletes');
  const equalities = files.filter((file) => file.content === 'equality-deletes');
  const rows = (of: readonly DataFile[]) => of.reduce((sum, file) => sum + file.recordCount, 0n);
  // The specification says "deleted" of data and "removed" of the rest.
  const other = verb === 'added' ? 'added' : 'removed';
  return {
    [`${verb}-data-files`]: BigInt(data.length),
    [`${verb}-records`]: rows(data),
    [`${other}-files-size`]: files.reduce((sum, file) => sum + (file.contentSizeInBytes ?? file.fileSizeInBytes), 0n),
    [`${other}-delete-files`]: BigInt(positions.length + equalities.length),
    [`${other}-position-delete-files`]: BigInt(positions.length - vectors.length),
    [`${other}-dvs`]: BigInt(vectors.length),
    [`${other}-position-deletes`]: rows(positions),
    [`${other}-equality-delete-files`]: BigInt(equalities.length),
    [`${other}-equality-deletes`]: rows(equalities),
  };
}

const runningTotals = [
  ['total-data-files', 'added-data-files', 'deleted-data-files'],
  ['total-delete-files', 'added-delete-files', 'removed-delete-files'],
  ['total-records', 'added-records', 'deleted-records'],
  ['total-files-size', 'added-files-size', 'removed-files-size'],
  ['total-position-deletes', 'added-position-deletes', 'removed-position-deletes'],
  ['total-equality-deletes', 'added-equality-deletes', 'removed-equality-deletes'],
] as const;

/** Carried on from the parent's, and left out where the parent has none; files and rows are counted from the manifests themselves. */
function totals({ manifests, parent }: SummaryInput, changes: Readonly<Record<string, bigint>>): Record<string, string> {
  const carried = runningTotals.flatMap(([total, plus, minus]): [string, string][] => {
    const before = parent === null ? '0' : parent[total];
    if (before === undefined || !/^\d+$/.test(before)) return [];
    const after = BigInt(before) + (changes[plus] ?? 0n) - (changes[minus] ?? 0n);
    return [[total, (after < 0n ? 0n : after).toString()]];
  });
  return { ...Object.fromEntries(carried), ...countedTotals(manifests) };
}

function countedTotals(manifests: readonly ManifestFile[]): Record<string, string> {
  const isCounted = manifests.every(
    ({ addedFilesCount, existingFilesCount, addedRowsCount, existingRowsCount }) =>
      addedFilesCount !== unknownCount && existingFilesCount !== unknownCount && addedRowsCount >= 0n && existingRowsCount >= 0n,
  );
  if (!isCounted) return {};
  const files = (of: readonly ManifestFile[]) =>
    of.reduce((sum, { addedFilesCount, existingFilesCount }) => sum + addedFilesCount + existingFilesCount, 0);
  const data = manifests.filter((manifest) => manifest.content === 'data');
  const rows = data.reduce((sum, { addedRowsCount, existingRowsCount }) => sum + addedRowsCount + existingRowsCount, 0n);
  return {
    'total-data-files': String(files(data)),
    'total-delete-files': String(files(manifests) - files(data)),
    'total-records': rows.toString(),
  };
}
