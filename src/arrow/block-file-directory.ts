import { crc32 } from 'node:zlib';
import { RecordBatchReader, type Schema } from 'apache-arrow';
import { aligned, partNumbers } from './block-file-part.ts';
import { IpcWriter } from './ipc.ts';

/**
 * A block file:
 *
 * header     magic, bytes of the header, of the key and of the schema (u32 each), key (UTF-8), schema (Arrow IPC), zeros up to 64
 * parts      one for each column of each block, in any order; each buffer begins at a multiple of 64
 * directory  of each block its rows, and of each column the part's offset, bytes and CRC-32, and its numbers; all as doubles
 * trailer    offset of the directory (f64), its bytes (f64), bytes of the header (u32), CRC-32 (u32) of header, directory and
 *            the trailer up to here, magic
 *
 * All of it little-endian. Each byte is under one checksum or is compared with what it has to be.
 */
export const blockFileMagic = Buffer.from('ICEBLK1\n');
export const trailerBytes = 32;
const headBytes = blockFileMagic.length + 12;

export function blockFileHeader(key: string, schema: Schema): Buffer {
  const [keyBytes, schemaBytes] = [Buffer.from(key), new IpcWriter(schema).schema()];
  const header = Buffer.alloc(aligned(headBytes + keyBytes.length + schemaBytes.length));
  blockFileMagic.copy(header);
  header.writeUInt32LE(header.length, 8);
  header.writeUInt32LE(keyBytes.length, 12);
  header.writeUInt32LE(schemaBytes.length, 16);
  keyBytes.copy(header, headBytes);
  header.set(schemaBytes, headBytes + keyBytes.length);
  return header;
}

/** Of a header whose checksum is right. */
export function parseHeader(header: Buffer): { readonly key: string; readonly schema: Schema } {
  const schemaStart = headBytes + header.readUInt32LE(12);
  const schema = header.subarray(schemaStart, schemaStart + header.readUInt32LE(16));
  return { key: header.toString('utf8', headBytes, schemaStart), schema: RecordBatchReader.from(schema).open().schema };
}

export function blockFileTrailer(header: Buffer, directoryOffset: number, directory: Buffer): Buffer {
  const trailer = Buffer.alloc(trailerBytes);
  trailer.writeDoubleLE(directoryOffset, 0);
  trailer.writeDoubleLE(directory.length, 8);
  trailer.writeUInt32LE(header.length, 16);
  trailer.writeUInt32LE(checksum(header, directory, trailer), 20);
  blockFileMagic.copy(trailer, 24);
  return trailer;
}

export interface Trailer {
  readonly directoryOffset: number;
  readonly directoryBytes: number;
  readonly headerBytes: number;
}

/** Null where it is none, or not of a file of this size. */
export function parseTrailer(trailer: Buffer, fileBytes: number): Trailer | null {
  if (trailer.length !== trailerBytes || !trailer.subarray(24).equals(blockFileMagic)) return null;
  const directoryOffset = trailer.readDoubleLE(0);
  const directoryBytes = trailer.readDoubleLE(8);
  const headerBytes = trailer.readUInt32LE(16);
  const fits =
    [directoryOffset, directoryBytes].every(Number.isSafeInteger) && headerBytes >= headBytes && directoryOffset >= headerBytes;
  return fits && directoryBytes >= 0 && directoryOffset + directoryBytes + trailerBytes === fileBytes
    ? { directoryOffset, directoryBytes, headerBytes }
    : null;
}

export function hasRightChecksum(header: Buffer, directory: Buffer, trailer: Buffer): boolean {
  return checksum(header, directory, trailer) === trailer.readUInt32LE(20);
}

function checksum(header: Buffer, directory: Buffer, trailer: Buffer): number {
  return crc32(trailer.subarray(0, 20), crc32(directory, crc32(header)));
}

/** Where the numbers of a column lie among those of a block. */
export interface DirectoryShape {
  /** Of the numbers of each column: the first three are the part's offset, bytes and CRC-32. */
  readonly columns: readonly { readonly start: number; readonly end: number }[];
  /** Of a block in all; the first is its rows. */
  readonly blockNumbers: number;
}

/** Throws INTERNAL for types without a layout. */
export function directoryShape(schema: Schema): DirectoryShape {
  let end = 1;
  const columns = schema.fields.map(({ type }) => {
    const start = end;
    end += 3 + partNumbers(type);
    return { start, end };
  });
  return { columns, blockNumbers: end };
}
