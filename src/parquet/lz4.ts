import type { PageMemory } from './page-memory.ts';
import { damaged } from './parquet-error.ts';
import { copyLiteral, copyMatch, overrunBytes, viewOf } from './snappy.ts';

/**
 * The bytes of a raw LZ4 block that inflates to `size` bytes (lz4_Block_format.md). Throws FAILED_PRECONDITION where it is none, or is
 * one of another size.
 */
export function inflateLz4(source: Uint8Array, size: number, memory: PageMemory): Uint8Array {
  const end = source.length;
  // A byte of a length stands for 255 bytes: more than that nothing can inflate to.
  if (size > end * 256) throw damaged('an LZ4 block is not of the size that its page says');
  const room = memory.room(size + overrunBytes);
  const target = room.subarray(0, size);
  const [from, into] = [viewOf(source), viewOf(room)];
  let [at, to] = [0, 0];
  while (at < end) {
    const token = source[at++] as number;
    let literals = token >> 4;
    if (literals === 15) {
      for (let byte = 255; byte === 255; literals += byte) {
        if (at >= end) throw damaged('an LZ4 block ends too early');
        byte = source[at++] as number;
      }
    }
    if (at + literals > end || to + literals > size) throw damaged('an LZ4 block has a literal that is too long');
    copyLiteral(source, from, at, target, into, to, literals);
    at += literals;
    to += literals;
    // The last sequence has literals alone.
    if (at === end) break;
    if (at + 2 > end) throw damaged('an LZ4 block ends too early');
    const offset = (source[at] as number) | ((source[at + 1] as number) << 8);
    at += 2;
    let length = (token & 15) + 4;
    if (length === 19) {
      for (let byte = 255; byte === 255; length += byte) {
        if (at >= end) throw damaged('an LZ4 block ends too early');
        byte = source[at++] as number;
      }
    }
    to = copyMatch(target, into, to, offset, length);
  }
  if (to !== size) throw damaged('an LZ4 block is not of the size that its page says');
  return target;
}
