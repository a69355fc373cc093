import type { RowPick } from './row-pick.ts';

/**
 * Puts a byte for each cell, 0 or 1, to its place: the bits of a validity bitmap or of booleans, of which the column's first is bit `offset`.
 * Gives how many were 1.
 */
export function scatterBits(
  bits: Uint8Array,
  offset: number,
  cells: Int32Array,
  places: Int32Array,
  count: number,
  target: Uint8Array,
): number {
  let set = 0;
  for (let index = 0; index < count; index++) {
    const at = offset + (cells[index] as number);
    const bit = ((bits[at >> 3] as number) >> (at & 7)) & 1;
    target[places[index] as number] = bit;
    set += bit;
  }
  return set;
}

/** As `scatterBits`, for picked rows. */
export function scatterRowBits(bits: Uint8Array, offset: number, pick: RowPick, target: Uint8Array): number {
  const { rows, count } = pick;
  const [from, at, stride] = [pick.from | 0, pick.at | 0, pick.stride | 0];
  let set = 0;
  for (let index = 0, place = at; index < count; index = (index + 1) | 0, place = (place + stride) | 0) {
    const row = (from + index) | 0;
    const bitAt = (offset + (rows === null ? row : (rows[row] as number))) | 0;
    const bit = ((bits[bitAt >> 3] as number) >> (bitAt & 7)) & 1;
    target[place] = bit;
    set = (set + bit) | 0;
  }
  return set;
}

/** Puts a 1 to the place of each picked row. */
export function scatterRowOnes({ count, at, stride }: RowPick, target: Uint8Array): void {
  if (stride === 1) target.fill(1, at, at + count);
  else for (let index = 0, place = at; index < count; index++, place += stride) target[place] = 1;
}

/** Puts a 1 to each place. */
export function scatterOnes(places: Int32Array, count: number, target: Uint8Array): void {
  for (let index = 0; index < count; index++) target[places[index] as number] = 1;
}

/** A bit for each of `count` bytes of 0 or 1, the lowest of a byte first; bits behind the last are 0. */
export function packBits(bytes: Uint8Array, count: number, target: Uint8Array): void {
  const whole = count >> 3;
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // A multiplication brings the lowest bits of four bytes next to each other, at the top of the word.
  const gather = 0x10204080;
  for (let byte = 0; byte < whole; byte++) {
    const low = Math.imul(words.getInt32(byte * 8, true), gather) >>> 28;
    const high = Math.imul(words.getInt32(byte * 8 + 4, true), gather) >>> 28;
    target[byte] = low | (high << 4);
  }
  if (whole * 8 === count) return;
  let last = 0;
  for (let index = whole * 8; index < count; index++) last |= (bytes[index] as number) << (index & 7);
  target[whole] = last;
}

/**
 * Copies `count` bits from bit `from` of the source to bit `at` of the target, whose bits from there on must be 0. Gives how many were 1.
 */
export function copyBits(source: Uint8Array, from: number, target: Uint8Array, at: number, count: number): number {
  let [set, index] = [0, 0];
  while (index < count) {
    const read = from + index;
    const write = at + index;
    const taken = Math.min(8 - (write & 7), count - index);
    const pair = (source[read >> 3] as number) | ((source[(read >> 3) + 1] ?? 0) << 8);
    const bits = (pair >> (read & 7)) & ((1 << taken) - 1);
    target[write >> 3] = (target[write >> 3] as number) | (bits << (write & 7));
    set += bitsSet(bits);
    index += taken;
  }
  return set;
}

function bitsSet(byte: number): number {
  const pairs = byte - ((byte >> 1) & 0x55);
  const fours = (pairs & 0x33) + ((pairs >> 2) & 0x33);
  return (fours + (fours >> 4)) & 0x0f;
}
