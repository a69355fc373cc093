import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IcecoreError } from '../errors.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { type DeletedPositions, decodeDeletionVector } from '../iceberg/deletion-vector.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { deletionVectorBytesMax, deletionVectorRowsMax } from '../limits.ts';
import type { Tables } from './tables.ts';

/** How many positions become text at a time. */
const positionsAtOnce = 65_536;

export function isDeletionVector({ content, fileFormat }: DataFile): boolean {
  return content === 'position-deletes' && fileFormat === 'puffin';
}

/**
 * The deletion vectors of a plan as one CSV file of (local path of the data file, position), for DuckDB, and how to remove it; null where there
 * are none. One vector is in memory at a time. Throws FAILED_PRECONDITION, naming the file, for one that is broken.
 */
export async function writeVectors(
  tables: Tables,
  tasks: readonly FileScanTask[],
  path: (location: string) => string,
): Promise<{ readonly path: string; remove(): Promise<void> } | null> {
  const concerned = tasks.flatMap(({ file, deletes }) => deletes.filter(isDeletionVector).map((vector) => ({ file, vector })));
  if (concerned.length === 0) return null;
  await mkdir(tables.stagingDirectory, { recursive: true });
  const csv = join(tables.stagingDirectory, `${randomUUID()}.deleted.csv`);
  const remove = (): Promise<void> => rm(csv, { force: true });
  try {
    await pipeline(Readable.from(lines(tables, concerned, path)), createWriteStream(csv));
    return { path: csv, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function* lines(
  tables: Tables,
  concerned: readonly { readonly file: DataFile; readonly vector: DataFile }[],
  path: (location: string) => string,
): AsyncGenerator<string> {
  for (const { file, vector } of concerned) {
    const quoted = `"${path(file.filePath).replaceAll('"', '""')}",`;
    const positions = await readVector(tables, vector, file);
    for (let at = 0; at < positions.length; at += positionsAtOnce) {
      let text = '';
      for (const position of positions.subarray(at, at + positionsAtOnce)) text += `${quoted}${position}\n`;
      yield text;
    }
  }
}

/** The positions that a vector deletes from its data file. Throws FAILED_PRECONDITION, naming the file, for one that is broken. */
export async function readVector(
  tables: Tables,
  { filePath, contentOffset, contentSizeInBytes }: DataFile,
  { recordCount }: DataFile,
): Promise<DeletedPositions> {
  const refuse = (why: string): IcecoreError =>
    new IcecoreError('FAILED_PRECONDITION', `The deletion vector in ${filePath} ${why}.`, { context: { file: filePath } });
  if (contentOffset == null || contentSizeInBytes == null) throw refuse('has no place in it by its manifest');
  if (contentSizeInBytes > BigInt(deletionVectorBytesMax) || recordCount > BigInt(deletionVectorRowsMax)) {
    throw refuse(`is of a file with ${recordCount} rows in ${contentSizeInBytes} bytes, more than is read at once`);
  }
  const start = Number(contentOffset);
  const blob = await tables.storage.read(filePath, { start, end: start + Number(contentSizeInBytes) });
  return decodeDeletionVector(blob, filePath, Number(recordCount));
}
