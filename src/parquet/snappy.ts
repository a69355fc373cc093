import type { PageMemory } from './page-memory.ts';
import { damaged } from './parquet-error.ts';

/**
 * The bytes of a raw Snappy block that inflates to `size` bytes (snappy: format_description.txt), in the memory given. Throws
 * FAILED_PRECONDITION where it is none, or is one of another size.
 */
export function inflateSnappy(source: Uint8Array, size: number, memory: PageMemory): Uint8Array {
  const end = source.length;
  let [at, stated] = [0, 0];
  for (let shift = 0; ; shift += 7) {
    if (at >= end || shift > 28) throw damaged('a Snappy block has no length');
    const byte = source[at++] as number;
    stated += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  // A copy of three bytes gives 64 at most: more than that nothing can inflate to.
  if (stated !== size || size > end * 32) throw damaged('a Snappy block is not of the size that its page says');
  const room = memory.room(size + overrunBytes);
  const target = room.subarray(0, size);
  const [from, into] = [viewOf(source), viewOf(room)];
  let to = 0;
  while (at < end) {
    const tag = source[at++] as number;
    if ((tag & 3) === 0) {
      let length = (tag >> 2) + 1;
      if (length > 60) {
        const extra = length - 60;
        if (at + extra > end) throw damaged('a Snappy block ends too early');
        length = 1;
        for (let index = 0; index < extra; index++) length += (source[at + index] as number) * 2 ** (8 * index);
        at += extra;
      }
      if (at + length > end || to + length > size) throw damaged('a Snappy block has a literal that is too long');
      copyLiteral(source, from, at, target, into, to, length);
      at += length;
      to += length;
      continue;
    }
    const extra = (tag & 3) === 3 ? 4 : tag & 3;
    if (at + extra > end) throw damaged('a Snappy block ends too early');
    let offset = source[at] as number;
    let length = (tag >> 2) + 1;
    if ((tag & 3) === 1) {
      length = ((tag >> 2) & 7) + 4;
      offset |= (tag >> 5) << 8;
    } else {
      offset += (source[at + 1] as number) * 0x100;
      if (extra === 4) offset += (source[at + 2] as number) * 0x10000 + (source[at + 3] as number) * 0x1000000;
    }
    at += extra;
    to = copyMatch(target, into, to, offset, length);
  }
  if (to !== size) throw damaged('a Snappy block ends too early');
  return target;
}

/** What copies of whole words may write behind the last byte. */
export const overrunBytes = 16;
/** A call for one copy costs as much as so many bytes of a loop. */
const loopBytesMax = 64;

/**
 * Repeats `length` bytes that lie `offset` before `to`, which may overlap what is written; gives the new end. `words` are the bytes of
 * `target`, and `overrunBytes` more.
 */
export function copyMatch(target: Uint8Array, words: DataView, to: number, offset: number, length: number): number {
  if (offset === 0 || offset > to || to + length > target.length) throw damaged('a compressed block refers outside itself');
  const end = to + length;
  if (offset >= 16 && length <= loopBytesMax) for (let at = to; at < end; at += 16) copySixteen(words, at - offset, words, at);
  else if (offset >= length) target.copyWithin(to, to - offset, end - offset);
  else for (let at = to; at < end; at++) target[at] = target[at - offset] as number;
  return end;
}

/** Copies bytes of a compressed block as they are. The views are of the same memory; `into` reaches `overrunBytes` further. */
export function copyLiteral(
  source: Uint8Array,
  from: DataView,
  at: number,
  target: Uint8Array,
  into: DataView,
  to: number,
  length: number,
): void {
  if (length > loopBytesMax || at + length + overrunBytes > source.length) target.set(source.subarray(at, at + length), to);
  else for (let done = 0; done < length; done += 16) copySixteen(from, at + done, into, to + done);
}

/** Copies in whole words, and more than is wanted: what comes next is written over it. Byte by byte takes three times as long. */
function copySixteen(source: DataView, from: number, target: DataView, to: number): void {
  target.setInt32(to, source.getInt32(from, true), true);
  target.setInt32(to + 4, source.getInt32(from + 4, true), true);
  target.setInt32(to + 8, source.getInt32(from + 8, true), true);
  target.setInt32(to + 12, source.getInt32(from + 12, true), true);
}

export function viewOf({ buffer, byteOffset, byteLength }: Uint8Array): DataView {
  return new DataView(buffer, byteOffset, byteLength);
}
