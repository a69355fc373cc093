import { type ByteCursor, bitsAt, readVarint, unpackWords } from './hybrid.ts';
import { damaged } from './parquet-error.ts';

/**
 * Numbers in DELTA_BINARY_PACKED (format: "Encodings", Delta Encoding), as pairs of 32-bit words, the low one first, where `words` is 2, or
 * their low words alone where it is 1. Sums wrap around, as the format wants. `count` is what the page has; the cursor is left behind
 * the last block.
 */
export function readDeltas(cursor: ByteCursor, count: number, words: 1 | 2, target: Int32Array, at: number): void {
  const blockValues = readVarint(cursor);
  const miniblocks = readVarint(cursor);
  const total = readVarint(cursor);
  const value = readZigzag(cursor);
  if (total !== count) throw damaged(`a page has ${total} deltas where ${count} belong`);
  if (count === 0) return;
  const miniblockValues = blockValues / miniblocks;
  if (blockValues === 0 || blockValues > 2 ** 20 || miniblockValues % 32 !== 0)
    throw damaged('a page has blocks of deltas of an impossible size');
  let { low, high } = value;
  let to = at;
  target[to++] = low;
  if (words === 2) target[to++] = high;
  const packed = new Int32Array(Math.min(miniblockValues, count));
  for (let left = count - 1; left > 0; ) {
    const least = readZigzag(cursor);
    const widthsAt = cursor.at;
    cursor.at += miniblocks;
    if (cursor.at > cursor.end) throw damaged('a page ends too early');
    for (let miniblock = 0; miniblock < miniblocks && left > 0; miniblock++) {
      const width = cursor.bytes[widthsAt + miniblock] as number;
      const taken = Math.min(miniblockValues, left);
      if (width > 64 || cursor.at + Math.ceil((taken * width) / 8) > cursor.end) throw damaged('a page ends too early');
      const from = cursor.at;
      unpackWords(cursor.view, from, width, taken, packed, 0, 0);
      for (let index = 0; index < taken; index++) {
        const above = width > 32 ? bitsAt(cursor.view, from, index * width + 32, width - 32) : 0;
        const sum = (low >>> 0) + (least.low >>> 0) + ((packed[index] as number) >>> 0);
        low = sum | 0;
        target[to++] = low;
        if (words === 2) {
          high = (high + least.high + above + Math.floor(sum / 2 ** 32)) | 0;
          target[to++] = high;
        }
      }
      left -= taken;
      cursor.at = Math.min(cursor.end, from + (miniblockValues * width) / 8);
    }
  }
}

/** `count` lengths, none negative. */
export function readLengths(cursor: ByteCursor, count: number): Int32Array {
  const lengths = new Int32Array(count);
  readDeltas(cursor, count, 1, lengths, 0);
  for (let index = 0; index < count; index++) if ((lengths[index] as number) < 0) throw damaged('a text has a negative length');
  return lengths;
}

/** A zigzag varint of 64 bits, in words. */
function readZigzag(cursor: ByteCursor): { readonly low: number; readonly high: number } {
  let [low, high] = [0, 0];
  for (let shift = 0; shift <= 63; shift += 7) {
    if (cursor.at >= cursor.end) throw damaged('a page ends too early');
    const byte = cursor.bytes[cursor.at++] as number;
    const bits = byte & 0x7f;
    if (shift < 32) low |= bits << shift;
    if (shift === 28) high |= bits >> 4;
    else if (shift > 28) high |= bits << (shift - 32);
    if (byte >= 0x80) continue;
    const sign = -(low & 1);
    return { low: ((low >>> 1) | (high << 31)) ^ sign, high: (high >>> 1) ^ sign };
  }
  throw damaged('a number in a page has more than 64 bits');
}
