import { IcecoreError } from '../errors.ts';
import { readFileMetadata, storedFile } from '../parquet/file-metadata.ts';
import { planSnapshot } from '../tables/snapshot-files.ts';
import type { FeedGroup, FeedGroups } from './feed-groups.ts';
import type { FeedRows, FeedSources } from './feed-source.ts';

/** Stands in until the groups of any table are there: whole Parquet files alone. */
export async function openPlainGroups({ tables }: FeedSources, rows: FeedRows, signal?: AbortSignal): Promise<FeedGroups> {
  const plan = await planSnapshot(tables.files, rows.table.metadata, rows.snapshot, {
    schema: rows.schema,
    ...(signal === undefined ? {} : { signal }),
  });
  const groups: FeedGroup[] = [];
  for (const { file, deletes } of plan.tasks) {
    if (deletes.length > 0 || rows.where !== null) throw new IcecoreError('FAILED_PRECONDITION', 'Not built yet.');
    const [location, size] = [file.filePath, Number(file.fileSizeInBytes)];
    const metadata = await readFileMetadata(storedFile(tables.storage, location, size));
    let firstRow = 0;
    for (const [ordinal, { rowCount }] of metadata.rowGroups.entries()) {
      groups.push({ place: groups.length, location, fileSizeBytes: size, ordinal, firstRow, rowCount, matchingRows: rowCount });
      firstRow += rowCount;
    }
  }
  const group = (place: number): FeedGroup => {
    const found = groups[place];
    if (found === undefined) throw new IcecoreError('INTERNAL', `There is no group ${place}.`);
    return found;
  };
  return {
    count: groups.length,
    matchingRows: Uint32Array.from(groups, ({ matchingRows }) => matchingRows),
    group,
    decodeTask: async (place) => {
      const { location, fileSizeBytes, ordinal } = group(place);
      const key = JSON.stringify([location, fileSizeBytes, ordinal, rows.columns]);
      return { ...group(place), fields: rows.columns, constants: new Map(), liveRows: null, key, uncovered: null };
    },
    decodeBySql: async () => {
      throw new IcecoreError('FAILED_PRECONDITION', 'Not built yet.');
    },
  } as FeedGroups;
}
