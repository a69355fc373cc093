import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';
import { LiveRows } from '../order/live-rows.ts';
import type { LiveRowsPlace } from './feed-groups.ts';

/** The live rows of a group of so many rows; null where their file is gone or is not what it was: then ask for them again. */
export function readLiveRows(place: LiveRowsPlace, rowCount: number): LiveRows | null {
  const bits = readBits(place);
  if (bits === null || bits.length !== Math.ceil(rowCount / 8) || liveRowsDigest(bits) !== place.digest) return null;
  return new LiveRows(bits, rowCount);
}

/** Hex SHA-256 of a group's bits: equal rows have equal digests, whatever the filter that chose them was. */
export function liveRowsDigest(bits: Uint8Array): string {
  return createHash('sha256').update(bits).digest('hex');
}

function readBits({ path, offset, byteLength }: LiveRowsPlace): Uint8Array | null {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    return null;
  }
  try {
    const bits = new Uint8Array(byteLength);
    return readSync(file, bits, 0, byteLength, offset) === byteLength ? bits : null;
  } finally {
    closeSync(file);
  }
}
