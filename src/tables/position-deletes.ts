import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFile } from '../iceberg/data-file.ts';
import { deletedFilePathId } from '../iceberg/delete-index.ts';
import { currentSchema, specById } from '../iceberg/metadata.ts';
import { partitionKey } from '../iceberg/partition-key.ts';
import { partitionPath } from '../iceberg/partition-path.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { encodeSingleValue } from '../iceberg/single-value.ts';
import { quoteText } from '../sql/quote.ts';
import { deletedPositionId } from './delete-filter.ts';
import { readReturnedFile } from './returned-statistics.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/** Rows to delete: a temporary table of (`__icecore_file`, `__icecore_row`), and the data file behind each local path in it. */
export interface RowsToDelete {
  readonly hits: string;
  readonly tasksByPath: ReadonlyMap<string, FileScanTask>;
}

/** A file of positions has no column metrics but those of its two columns. */
export const noMetrics = {
  columnSizes: new Map(),
  valueCounts: new Map(),
  nullValueCounts: new Map(),
  nanValueCounts: new Map(),
  lowerBounds: new Map(),
  upperBounds: new Map(),
  keyMetadata: null,
  splitOffsets: null,
  equalityIds: null,
  sortOrderId: null,
} as const;

/**
 * Position delete files, one a partition, sorted by path and position (spec: "Position Delete Files"). Durable when it resolves; nothing refers
 * to them until a commit does.
 */
export async function writePositionDeletes(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  { hits, tasksByPath }: RowsToDelete,
): Promise<readonly DataFile[]> {
  const directory = `${tables.stagingDirectory}/${randomUUID()}`;
  await mkdir(directory, { recursive: true });
  const groups = Map.groupBy(tasksByPath, ([, { file }]) => partitionKey(file));
  const files: DataFile[] = [];
  try {
    for (const group of groups.values()) {
      const [first] = group;
      if (first === undefined) continue;
      const local = `${directory}/${files.length}.parquet`;
      const locations = group.map(([path, { file }]) => `(${quoteText(path)}, ${quoteText(file.filePath)})`);
      const rows =
        `SELECT locations.location AS file_path, hits.__icecore_row AS pos FROM ${hits} AS hits ` +
        `JOIN (VALUES ${locations.join(', ')}) AS locations(path, location) ON locations.path = hits.__icecore_file ORDER BY 1, 2`;
      const options = `FORMAT parquet, COMPRESSION zstd, FIELD_IDS {file_path: ${deletedFilePathId}, pos: ${deletedPositionId}}, RETURN_STATS`;
      const copied = await connection.runAndReadAll(`COPY (${rows}) TO ${quoteText(local)} (${options})`);
      const [returned] = copied.getRowObjectsJson().map(readReturnedFile);
      if (returned === undefined || returned.rowCount === 0n) continue;
      const bounds = await boundsOf(connection, local);
      const location = deleteLocation(table, first[1].file, 'parquet');
      await tables.storage.publish(local, location);
      const { specId, partition } = first[1].file;
      const { rowCount: recordCount, sizeBytes: fileSizeInBytes } = returned;
      const place = { specId, partition, recordCount, fileSizeInBytes, filePath: location, fileFormat: 'parquet' };
      files.push({ ...noMetrics, ...bounds, ...place, content: 'position-deletes' });
    }
    return files;
  } catch (error) {
    await tables.storage.remove(files.map(({ filePath }) => filePath)).catch(() => undefined);
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Where deletes of a data file go: into the folder of its partition. */
function deleteLocation({ metadata }: Table, { specId, partition }: DataFile, extension: string): string {
  const spec = specById(metadata, specId);
  const folder = spec === undefined ? '' : partitionPath(spec, currentSchema(metadata), partition);
  return [metadata.location, 'data', ...(folder === '' ? [] : [folder]), `${randomUUID()}-deletes.${extension}`].join('/');
}

/** Paths are not cut short: equal bounds say that the deletes are of one file, and readers go by that. */
async function boundsOf(connection: DuckDBConnection, path: string): Promise<Pick<DataFile, 'lowerBounds' | 'upperBounds'>> {
  const reader = await connection.runAndReadAll(
    `SELECT min(file_path), max(file_path), min(pos), max(pos) FROM read_parquet(${quoteText(path)}, hive_partitioning = false)`,
  );
  const [minPath, maxPath, minPosition, maxPosition] = (reader.getRows()[0] ?? []).map(String);
  const bounds = (location: string | undefined, position: string | undefined) =>
    new Map([
      [deletedFilePathId, encodeSingleValue('string', location ?? '')],
      [deletedPositionId, encodeSingleValue('long', BigInt(position ?? 0))],
    ]);
  return { lowerBounds: bounds(minPath, minPosition), upperBounds: bounds(maxPath, maxPosition) };
}
