/** Magic number; blocks that stand alone, no checksums; 64 KiB at most a block; the checksum of those two bytes (lz4_Frame_format.md). */
const header = Uint8Array.of(0x04, 0x22, 0x4d, 0x18, 0x60, 0x40, 0x82);
const blockBytesMax = 64 * 1024;
const sizeBytes = 4;
const isStored = 0x80000000;

const hashBits = 13;
const matchBytesMin = 4;
/** A block ends with at least so many bytes that are in no match, and its last match begins so far before its end. */
const literalsAtEnd = 5;
const matchStartBeforeEnd = 12;
/** After so many bytes without a match, every second place is tried, then every third. */
const patienceBits = 6;

/** Where four bytes were last seen in a block, by their hash: one more than the place, 0 for nowhere. */
const seen = new Int32Array(1 << hashBits);

/** The bytes that a frame of `length` bytes takes at most. */
export function lz4FrameBytesMax(length: number): number {
  return header.length + Math.ceil(length / blockBytesMax) * sizeBytes + length + sizeBytes;
}

/** Compresses to an LZ4 frame at the front of the target, which has room for the longest; gives the frame's length. */
export function compressLz4Frame(source: Uint8Array, target: Uint8Array): number {
  const sizes = new DataView(target.buffer, target.byteOffset, target.byteLength);
  target.set(header);
  let at = header.length;
  for (let start = 0; start < source.length; start += blockBytesMax) {
    const block = source.subarray(start, start + blockBytesMax);
    const room = target.subarray(at + sizeBytes, at + sizeBytes + block.length - 1);
    const packed = compressLz4Block(block, room);
    if (packed === null) target.set(block, at + sizeBytes);
    const size = packed ?? block.length;
    sizes.setUint32(at, packed === null ? (size | isStored) >>> 0 : size, true);
    at += sizeBytes + size;
  }
  sizes.setUint32(at, 0, true);
  return at + sizeBytes;
}

/**
 * Compresses at most 64 KiB to one LZ4 block (lz4_Block_format.md) at the front of the target; gives its length, or null where the target
 * has no room for it.
 */
export function compressLz4Block(source: Uint8Array, target: Uint8Array): number | null {
  const words = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const end = source.length;
  const lastStart = end - matchStartBeforeEnd;
  const matchEnd = end - literalsAtEnd;
  seen.fill(0);
  let anchor = 0;
  let written = 0;
  for (let at = 0; at <= lastStart; ) {
    const word = words.getInt32(at, true);
    const hash = Math.imul(word, -1640531535) >>> (32 - hashBits);
    const match = (seen[hash] as number) - 1;
    seen[hash] = at + 1;
    if (match < 0 || words.getInt32(match, true) !== word) {
      at += 1 + ((at - anchor) >> patienceBits);
      continue;
    }
    let length = matchBytesMin;
    while (at + length < matchEnd && source[match + length] === source[at + length]) length++;
    written = writeSequence(source, anchor, at, at - match, length, target, written);
    if (written < 0) return null;
    at += length;
    anchor = at;
  }
  written = writeSequence(source, anchor, end, 0, 0, target, written);
  return written < 0 ? null : written;
}

/** Literals [from, to) and a match, none where its length is 0. Gives where the next goes; -1 where there is no room. */
function writeSequence(
  source: Uint8Array,
  from: number,
  to: number,
  offset: number,
  length: number,
  target: Uint8Array,
  at: number,
): number {
  const literals = to - from;
  const extra = length === 0 ? 0 : length - matchBytesMin;
  let write = at;
  if (write + 5 + literals + ((literals / 255) | 0) + ((extra / 255) | 0) > target.length) return -1;
  target[write++] = (Math.min(literals, 15) << 4) | Math.min(extra, 15);
  if (literals >= 15) write = writeLength(literals - 15, target, write);
  if (literals > 64) target.set(source.subarray(from, to), write);
  else for (let index = 0; index < literals; index++) target[write + index] = source[from + index] as number;
  write += literals;
  if (length === 0) return write;
  target[write++] = offset & 0xff;
  target[write++] = offset >> 8;
  return extra >= 15 ? writeLength(extra - 15, target, write) : write;
}

function writeLength(length: number, target: Uint8Array, at: number): number {
  let write = at;
  let left = length;
  for (; left >= 255; left -= 255) target[write++] = 255;
  target[write++] = left;
  return write;
}
