import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFile } from '../iceberg/data-file.ts';
import { type DeletedPositions, encodeDeletionVector } from '../iceberg/deletion-vector.ts';
import { writePuffin } from '../iceberg/puffin.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { quoteText } from '../sql/quote.ts';
import { openAsParquet } from './avro-file.ts';
import { positionDeletesSql } from './delete-filter.ts';
import { isDeletionVector, readVector } from './deletion-vectors.ts';
import { noMetrics, type RowsToDelete } from './position-deletes.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

/** The field that a deletion vector is of: `_pos` (spec: "Reserved Field IDs"). */
const positionFieldId = 2147483645;

/**
 * A deletion vector for each data file with rows to delete, all in one Puffin file; each holds what was deleted from its file by position before,
 * since a file has one vector at most (spec: "Deletion Vectors"). Durable when it resolves; nothing refers to it until a commit does, which
 * takes the vectors of these data files out.
 */
export async function writeVectorDeletes(
  tables: Tables,
  connection: DuckDBConnection,
  { metadata }: Table,
  { hits, tasksByPath }: RowsToDelete,
): Promise<readonly DataFile[]> {
  const vectors: { readonly file: DataFile; readonly positions: DeletedPositions }[] = [];
  for (const [path, task] of tasksByPath) {
    const now = await positionsOf(connection, `SELECT __icecore_row FROM ${hits} WHERE __icecore_file = ${quoteText(path)}`);
    if (now.length > 0)
      vectors.push({ file: task.file, positions: merged([now, ...(await deletedBefore(tables, connection, task))]) });
  }
  if (vectors.length === 0) return [];
  const { bytes, blobs } = writePuffin(
    vectors.map(({ file, positions }) => ({
      type: 'deletion-vector-v1',
      fields: [positionFieldId],
      snapshotId: -1n,
      sequenceNumber: -1n,
      properties: { 'referenced-data-file': file.filePath, cardinality: String(positions.length) },
      bytes: encodeDeletionVector(positions),
    })),
    { 'created-by': 'Icecore' },
  );
  const filePath = `${metadata.location}/data/${randomUUID()}-deletes.puffin`;
  await tables.storage.write(filePath, bytes);
  return vectors.map(({ file, positions }, index) => ({
    ...noMetrics,
    content: 'position-deletes',
    filePath,
    fileFormat: 'puffin',
    specId: file.specId,
    partition: file.partition,
    recordCount: BigInt(positions.length),
    fileSizeInBytes: BigInt(bytes.byteLength),
    referencedDataFile: file.filePath,
    contentOffset: blobs[index]?.offset ?? 0n,
    contentSizeInBytes: blobs[index]?.length ?? 0n,
  }));
}

/** By the file's vector, or where it has none by position delete files of the time before version 3. */
async function deletedBefore(
  tables: Tables,
  connection: DuckDBConnection,
  { file, deletes }: FileScanTask,
): Promise<readonly DeletedPositions[]> {
  const positional = deletes.filter(({ content }) => content === 'position-deletes');
  const vector = positional.find(isDeletionVector);
  if (vector !== undefined) return [await readVector(tables, vector, file)];
  const found: DeletedPositions[] = [];
  for (const each of positional) {
    const copy = await openAsParquet(tables, each, []);
    try {
      const rows = positionDeletesSql([copy.path]);
      found.push(await positionsOf(connection, `SELECT position FROM ${rows} WHERE target = ${quoteText(file.filePath)}`));
    } finally {
      copy.release();
    }
  }
  return found;
}

async function positionsOf(connection: DuckDBConnection, sql: string): Promise<DeletedPositions> {
  const reader = await connection.runAndReadAll(`${sql} ORDER BY 1`);
  return Float64Array.from(reader.getRows(), ([position]) => Number(position));
}

function merged(parts: readonly DeletedPositions[]): DeletedPositions {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let filled = 0;
  for (const part of parts) {
    all.set(part, filled);
    filled += part.length;
  }
  all.sort();
  return all.filter((position, index) => index === 0 || position !== all[index - 1]);
}
