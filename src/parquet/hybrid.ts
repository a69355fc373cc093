import { PageMemory } from './page-memory.ts';
import { damaged } from './parquet-error.ts';

/** Numbers of one run, before they are bytes. */
const wordMemory = new PageMemory();

/** Bytes that are read from left to right by several in turn. */
export interface ByteCursor {
  readonly bytes: Uint8Array;
  /** The same bytes, for numbers that begin at any of them. */
  readonly view: DataView;
  at: number;
  readonly end: number;
}

export function cursorOf(bytes: Uint8Array, at = 0, end = bytes.length): ByteCursor {
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), at, end };
}

/** An unsigned varint of at most 32 bits. */
export function readVarint(cursor: ByteCursor): number {
  let value = 0;
  for (let shift = 0; shift <= 28; shift += 7) {
    if (cursor.at >= cursor.end) throw damaged('a page ends too early');
    const byte = cursor.bytes[cursor.at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  throw damaged('a length in a page has more than 32 bits');
}

/**
 * Fills `target` with `count` numbers of `width` bits in the hybrid of runs and packed bits (format: "Encodings", RLE/Bit-Packing Hybrid),
 * and says whether all are from 0 to `max`. The cursor is left behind the last run.
 */
export function readHybrid(
  cursor: ByteCursor,
  width: number,
  count: number,
  target: Int32Array | Uint8Array,
  max: number,
): boolean {
  if (width > 32) throw damaged('a page has numbers of more than 32 bits where none can be');
  const { bytes, view, end } = cursor;
  const valueBytes = (width + 7) >> 3;
  let isWithin = true;
  for (let filled = 0; filled < count; ) {
    const header = readVarint(cursor);
    const length = Math.floor(header / 2);
    if (length === 0) throw damaged('a page has an empty run');
    if (header % 2 === 1) {
      const taken = Math.min(length * 8, count - filled);
      if (cursor.at + Math.ceil((taken * width) / 8) > end) throw damaged('a page ends too early');
      const isPackedWithin =
        target instanceof Int32Array
          ? unpackWords(view, cursor.at, width, taken, target, filled, max)
          : unpackBytes(view, cursor.at, width, taken, target, filled, max);
      if (!isPackedWithin) isWithin = false;
      cursor.at = Math.min(end, cursor.at + length * width);
      filled += taken;
    } else {
      if (cursor.at + valueBytes > end) throw damaged('a page ends too early');
      let value = 0;
      for (let index = 0; index < valueBytes; index++) value |= (bytes[cursor.at++] as number) << (8 * index);
      if (width < 32 && value >>> width !== 0) throw damaged('a run repeats a number of more bits than it may have');
      const taken = Math.min(length, count - filled);
      if (value < 0 || value > max) isWithin = false;
      target.fill(value, filled, filled + taken);
      filled += taken;
    }
  }
  return isWithin;
}

/** Whether all of `count` numbers are the same `value`, written as one run, which is how pages without nulls say so. */
export function isOneRun(cursor: ByteCursor, width: number, count: number, value: number): boolean {
  const { at } = cursor;
  const header = cursor.at < cursor.end ? readVarint(cursor) : 1;
  const isRun = header % 2 === 0 && header / 2 >= count && width <= 8 && cursor.bytes[cursor.at] === value;
  cursor.at = at;
  return isRun;
}

/**
 * Unpacks `count` numbers of `width` bits, the lowest bits first, that begin at the byte `from`. The caller has checked that all bytes are
 * there; those of more than 32 bits are cut off to their lowest 32. Says whether all are from 0 to `max`.
 */
export function unpackWords(
  view: DataView,
  from: number,
  width: number,
  count: number,
  target: Int32Array,
  at: number,
  max: number,
): boolean {
  if (width === 0) {
    target.fill(0, at, at + count);
    return max >= 0;
  }
  // Up to where four bytes can be loaded at once. Two numbers at a time, each with a load of its own, take a sixth of what bytes take.
  const loadable = width <= 25 ? Math.min(count, Math.floor(((view.byteLength - 4 - from) * 8) / width) + 1) : 0;
  const mask = (1 << width) - 1;
  let index = 0;
  let bit = from * 8;
  // Negative as soon as one number is, or is greater than the greatest: cheaper than to ask of each.
  let outside = 0;
  for (; index + 1 < loadable; index += 2) {
    const next = bit + width;
    const first = (view.getInt32(bit >>> 3, true) >>> (bit & 7)) & mask;
    const second = (view.getInt32(next >>> 3, true) >>> (next & 7)) & mask;
    target[at + index] = first;
    target[at + index + 1] = second;
    outside |= (max - first) | (max - second);
    bit = next + width;
  }
  for (; index < count; index++) {
    const value = bitsAt(view, from, index * width, Math.min(width, 32));
    target[at + index] = value;
    outside |= value | (max - value);
  }
  return outside >= 0;
}

/** The same for numbers that a byte holds. A function of its own: one for both kinds of arrays would ask which it is for each number. */
export function unpackBytes(
  view: DataView,
  from: number,
  width: number,
  count: number,
  target: Uint8Array,
  at: number,
  max: number,
): boolean {
  if (width !== 1 || max < 1) {
    const words = new Int32Array(wordMemory.room(count * 4).buffer, 0, count);
    const isWithin = unpackWords(view, from, width, count, words, 0, max);
    for (let index = 0; index < count; index++) target[at + index] = words[index] as number;
    return isWithin;
  }
  let next = from;
  let to = at;
  for (const whole = at + (count & ~7); to < whole; to += 8) {
    const bits = view.getUint8(next++);
    target[to] = bits & 1;
    target[to + 1] = (bits >> 1) & 1;
    target[to + 2] = (bits >> 2) & 1;
    target[to + 3] = (bits >> 3) & 1;
    target[to + 4] = (bits >> 4) & 1;
    target[to + 5] = (bits >> 5) & 1;
    target[to + 6] = (bits >> 6) & 1;
    target[to + 7] = bits >> 7;
  }
  for (let bit = 0; bit < (count & 7); bit++) target[to + bit] = (view.getUint8(next) >> bit) & 1;
  return true;
}

/** Up to 32 bits that begin `bit` bits behind the byte `from`, as a signed integer. */
export function bitsAt(view: DataView, from: number, bit: number, width: number): number {
  let value = 0;
  let at = from + Math.floor(bit / 8);
  let have = -(bit % 8);
  for (; have < width; have += 8) {
    const byte = view.getUint8(at++);
    value |= have < 0 ? byte >> -have : byte << have;
  }
  return width >= 32 ? value : value & ((1 << width) - 1);
}
