import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Data } from 'apache-arrow';
import { DataType } from 'apache-arrow';
import type { NestedField } from '../../src/iceberg/type.ts';
import { type FileMetadata, type ParquetFile, readFileMetadata, storedFile } from '../../src/parquet/file-metadata.ts';
import { readRowGroup } from '../../src/parquet/row-group.ts';
import { LocalStorage } from '../../src/storage/local-storage.ts';

/** A file of bytes in memory that refuses to be read outside of itself. */
export function bytesFile(location: string, bytes: Uint8Array): ParquetFile {
  return {
    location,
    sizeBytes: bytes.length,
    read({ start, end }) {
      if (start < 0 || end > bytes.length || start >= end)
        throw new Error(`read outside the file: ${start} to ${end} of ${bytes.length}`);
      return Promise.resolve(bytes.slice(start, end));
    },
  };
}

/** A file on disk, as the server reads it. */
export async function localFile(path: string): Promise<ParquetFile> {
  const { size } = await stat(path);
  return storedFile(new LocalStorage({ roots: [dirname(path)] }), pathToFileURL(path).href, size);
}

/** The cells of columns over all row groups, as `cellsOf` gives them. */
export async function readCells(
  file: ParquetFile,
  fields: readonly NestedField[],
  change: (metadata: FileMetadata) => FileMetadata = (metadata) => metadata,
): Promise<readonly (readonly string[])[]> {
  const metadata = change(await readFileMetadata(file));
  const cells: string[][] = fields.map(() => []);
  for (const [index, group] of metadata.rowGroups.entries()) {
    const columns = await readRowGroup(file, metadata, index, fields);
    for (const [at, column] of columns.entries()) {
      const read = column === null ? new Array<string>(group.rowCount).fill('missing') : cellsOf(column);
      for (const cell of read) cells[at]?.push(cell);
    }
  }
  return cells;
}

/** Each cell as text that differs where any bit does, read from the buffers alone. */
export function cellsOf(data: Data): string[] {
  if (data.length === 0) return [];
  if (DataType.isNull(data.type)) return new Array<string>(data.length).fill('null');
  const type: DataType = data.type;
  const cells = contentOf(data, type);
  return cells.map((cell, row) => (data.nullCount > 0 && !isValid(data, row) ? 'null' : cell));
}

function isValid(data: Data, row: number): boolean {
  const at = row + data.offset;
  return (((data.nullBitmap[at >> 3] ?? 0) >> (at & 7)) & 1) === 1;
}

function contentOf(data: Data, type: DataType): string[] {
  const rows = Array.from({ length: data.length }, (_, row) => row);
  if (DataType.isStruct(type)) {
    const children = data.children.map(cellsOf);
    return rows.map((row) => `{${children.map((cells) => cells[row] ?? '?').join(',')}}`);
  }
  if (DataType.isList(type) || DataType.isMap(type)) {
    const [elements] = data.children.map(cellsOf);
    return rows.map((row) => `[${(elements ?? []).slice(data.valueOffsets[row], data.valueOffsets[row + 1]).join(',')}]`);
  }
  const values = data.values as ArrayBufferView;
  const bytes = Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  if (DataType.isBool(type))
    return rows.map((row) => String(((bytes[(row + data.offset) >> 3] ?? 0) >> ((row + data.offset) & 7)) & 1));
  if (DataType.isUtf8(type) || DataType.isBinary(type)) {
    return rows.map((row) => `"${bytes.toString('latin1', data.valueOffsets[row], data.valueOffsets[row + 1])}"`);
  }
  const size = (data.values as { BYTES_PER_ELEMENT: number }).BYTES_PER_ELEMENT * data.stride;
  return rows.map((row) => bytes.toString('hex', row * size, (row + 1) * size));
}
