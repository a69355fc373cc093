import { crc32 } from 'node:zlib';
import { IcecoreError } from '../errors.ts';
import { decodeRoaring, encodeRoaring } from './roaring-bitmap.ts';

const magic = 0xd1d33964;
const twoTo32 = 2 ** 32;

/** The row positions that a deletion vector deletes in one data file: ascending, distinct, from 0. */
export type DeletedPositions = Float64Array;

/**
 * The positions in a blob `deletion-vector-v1` (Puffin spec): length, big-endian; magic; a 64-bit roaring bitmap, which is a count and for
 * each the upper 32 bits and a 32-bit bitmap, little-endian; CRC-32 of magic and bitmap, big-endian. `rowsMax` is how many rows the data file
 * has. Throws FAILED_PRECONDITION, naming `file`, where it is broken or deletes rows that the file does not have.
 */
export function decodeDeletionVector(blob: Uint8Array, file: string, rowsMax: number): DeletedPositions {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  if (blob.byteLength < 20) throw broken(file, `has ${blob.byteLength} bytes, too few for a deletion vector`);
  const length = view.getUint32(0);
  if (length !== blob.byteLength - 8) throw broken(file, `says that it has ${length} bytes, and has ${blob.byteLength - 8}`);
  if (view.getUint32(4) !== magic) throw broken(file, 'does not begin as a deletion vector');
  if (view.getUint32(4 + length) !== crc32(blob.subarray(4, 4 + length)))
    throw broken(file, 'does not have the checksum it says');
  const bitmap = new DataView(blob.buffer, blob.byteOffset + 8, length - 4);
  try {
    return decodeBitmap(bitmap, rowsMax);
  } catch (error) {
    if (!IcecoreError.is(error, 'BAD_USER_INPUT')) throw error;
    throw broken(file, `cannot be read: ${error.message}`);
  }
}

function decodeBitmap(bitmap: DataView, rowsMax: number): DeletedPositions {
  const refuse = (how: string): IcecoreError => new IcecoreError('BAD_USER_INPUT', `The 64-bit bitmap ${how}.`);
  const count = bitmap.getBigUint64(0, true);
  const parts: DeletedPositions[] = [];
  let at = 8;
  let total = 0;
  let previousKey = -1;
  for (let i = 0n; i < count; i++) {
    if (at + 4 > bitmap.byteLength) throw refuse(`says that it has ${count} parts, and has ${i}`);
    const key = bitmap.getUint32(at, true);
    if (key <= previousKey) throw refuse('has parts that are not in order');
    previousKey = key;
    const { values, end } = decodeRoaring(bitmap, at + 4, rowsMax - total);
    parts.push(Float64Array.from(values, (low) => key * twoTo32 + low));
    total += values.length;
    at = end;
  }
  if (at !== bitmap.byteLength) throw refuse(`goes on for ${bitmap.byteLength - at} bytes behind its end`);
  const positions = new Float64Array(total);
  let filled = 0;
  for (const part of parts) {
    positions.set(part, filled);
    filled += part.length;
  }
  const last = positions.at(-1) ?? -1;
  if (last >= rowsMax) throw refuse(`deletes row ${last} of a file with ${rowsMax} rows`);
  return positions;
}

/** The blob of positions that are ascending and distinct, whole numbers from 0 to below 2^53. */
export function encodeDeletionVector(positions: DeletedPositions): Uint8Array {
  const bitmaps: { readonly key: number; readonly bytes: Uint8Array }[] = [];
  for (let from = 0; from < positions.length; ) {
    const key = Math.floor((positions[from] ?? 0) / twoTo32);
    let to = from + 1;
    while (to < positions.length && (positions[to] ?? 0) < (key + 1) * twoTo32) to++;
    const low = Uint32Array.from(positions.subarray(from, to), (position) => position - key * twoTo32);
    bitmaps.push({ key, bytes: encodeRoaring(low) });
    from = to;
  }
  const length = 12 + bitmaps.reduce((sum, { bytes }) => sum + 4 + bytes.byteLength, 0);
  const blob = new Uint8Array(length + 8);
  const view = new DataView(blob.buffer);
  view.setUint32(0, length);
  view.setUint32(4, magic);
  view.setBigUint64(8, BigInt(bitmaps.length), true);
  let at = 16;
  for (const { key, bytes } of bitmaps) {
    view.setUint32(at, key, true);
    blob.set(bytes, at + 4);
    at += 4 + bytes.byteLength;
  }
  view.setUint32(4 + length, crc32(blob.subarray(4, 4 + length)));
  return blob;
}

function broken(file: string, how: string): IcecoreError {
  return new IcecoreError('FAILED_PRECONDITION', `The deletion vector in ${file} ${how}.`, { context: { file } });
}
