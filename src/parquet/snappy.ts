import { damaged } from './parquet-error.ts';

/**
 * The bytes of a raw Snappy block that inflates to `size` bytes (snappy: format_description.txt). Throws FAILED_PRECONDITION where it
 * is none, or is one of another size.
 */
export function inflateSnappy(source: Uint8Array, size: number): Uint8Array {
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
  const target = new Uint8Array(size);
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
      if (length <= 16) for (let index = 0; index < length; index++) target[to + index] = source[at + index] as number;
      else target.set(source.subarray(at, at + length), to);
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
    to = copyMatch(target, to, offset, length);
  }
  if (to !== size) throw damaged('a Snappy block ends too early');
  return target;
}

/** Repeats `length` bytes that lie `offset` before `to`, which may overlap what is written; gives the new end. */
export function copyMatch(target: Uint8Array, to: number, offset: number, length: number): number {
  if (offset === 0 || offset > to || to + length > target.length) throw damaged('a compressed block refers outside itself');
  if (offset >= length && length > 32) target.copyWithin(to, to - offset, to - offset + length);
  else for (let index = to; index < to + length; index++) target[index] = target[index - offset] as number;
  return to + length;
}
