import { randomUUID } from 'node:crypto';
import { constants } from 'node:fs';
import { chmod, copyFile, type FileHandle, mkdir, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IcecoreError } from '../errors.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { LocalCopy } from '../storage/storage.ts';
import { leafColumns } from './parquet-columns.ts';
import { instantBit, type NanosColumn, nanosColumns } from './parquet-footer.ts';

// DuckDB 1.5 has no nanoseconds with a zone: it marks none as instants where it writes, and reads those that are as microseconds. So that mark
// is turned in the file after it has written, and in a copy before it reads.

/** The field ids of the `timestamptz_ns` columns of schemas. */
export function zonedNanosIds(schemas: readonly Schema[]): ReadonlySet<number> {
  const leaves = schemas.flatMap(({ fields }) => leafColumns(fields));
  return new Set(leaves.flatMap(({ fieldId, type }) => (type === 'timestamptz_ns' ? [fieldId] : [])));
}

/** Marks columns of a local Parquet file that DuckDB wrote as instants, as `timestamptz_ns` is stored (spec: "Parquet"). */
export async function markInstants(path: string, fieldIds: ReadonlySet<number>): Promise<void> {
  if (fieldIds.size === 0) return;
  await turn(path, ({ fieldId, isInstant }) => fieldId !== null && fieldIds.has(fieldId) && !isInstant);
}

/** The same file where it has no nanoseconds that are instants, else a copy in which they are none. Gone when it is released. */
export async function withoutInstants(copy: LocalCopy, directory: string): Promise<LocalCopy> {
  const { columns } = await footerOf(copy.path);
  if (!columns.some(({ isInstant }) => isInstant)) return copy;
  await mkdir(directory, { recursive: true });
  const path = join(directory, `${randomUUID()}.parquet`);
  const release = () => {
    copy.release();
    // What stays behind in the cache's directory can be lost at any time.
    void rm(path, { force: true }).catch(() => undefined);
  };
  try {
    await copyFile(copy.path, path, constants.COPYFILE_FICLONE);
    await chmod(path, 0o600);
    await turn(path, ({ isInstant }) => isInstant);
    return { path, release };
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

async function turn(path: string, isTurned: (column: NanosColumn) => boolean): Promise<void> {
  const { columns, bytes, start } = await footerOf(path);
  const file = await open(path, 'r+');
  try {
    for (const { offset, isInstant } of columns.filter(isTurned)) {
      const header = ((bytes[offset] ?? 0) & 0xf0) | instantBit(!isInstant);
      await file.write(Uint8Array.of(header), 0, 1, start + offset);
    }
  } finally {
    await file.close();
  }
}

/** The footer, where it starts, and its nanosecond columns (Parquet: "File format": …, footer, its length, `PAR1`). */
async function footerOf(path: string) {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const tail = await readAt(file, size - 8, 8);
    const length = tail.readUInt32LE(0);
    const start = size - 8 - length;
    if (tail.toString('latin1', 4) !== 'PAR1' || start < 4) throw notParquet();
    const bytes = await readAt(file, start, length);
    return { columns: nanosColumns(bytes), bytes, start };
  } finally {
    await file.close();
  }
}

async function readAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  if (position < 0) throw notParquet();
  const bytes = Buffer.alloc(length);
  const { bytesRead } = await file.read(bytes, 0, length, position);
  if (bytesRead < length) throw notParquet();
  return bytes;
}

function notParquet(): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', 'The file is not Parquet, or it was cut off.');
}
