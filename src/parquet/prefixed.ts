import { parquetColumnBytesMax } from '../limits.ts';
import { readLengths } from './delta.ts';
import type { ByteCursor } from './hybrid.ts';
import { damaged, unsupported } from './parquet-error.ts';

/**
 * `count` values in DELTA_BYTE_ARRAY (format: "Encodings", Delta Strings): how much of the value before each begins with, and the rest.
 * Throws where they would be more than `bytesMax` bytes, which few bytes can stand for.
 */
export function readPrefixed(
  cursor: ByteCursor,
  count: number,
  bytesMax: number,
): { readonly offsets: Int32Array; readonly bytes: Uint8Array } {
  const prefixes = readLengths(cursor, count);
  const suffixes = readLengths(cursor, count);
  const offsets = new Int32Array(count + 1);
  let [size, before, suffixBytes] = [0, 0, 0];
  for (let index = 0; index < count; index++) {
    const [prefix, suffix] = [prefixes[index] as number, suffixes[index] as number];
    if (prefix > before) throw damaged('a text begins with more than there is of the one before');
    before = prefix + suffix;
    suffixBytes += suffix;
    size += before;
    if (suffixBytes > cursor.end - cursor.at) throw damaged('a text is longer than its page');
    if (size > bytesMax) throw unsupported(`A row group with more than ${parquetColumnBytesMax} bytes in one column`);
    offsets[index + 1] = size;
  }
  const bytes = new Uint8Array(size);
  let from = cursor.at;
  for (let index = 0; index < count; index++) {
    const [start, prefix, suffix] = [offsets[index] as number, prefixes[index] as number, suffixes[index] as number];
    const previous = index === 0 ? 0 : (offsets[index - 1] as number);
    bytes.copyWithin(start, previous, previous + prefix);
    bytes.set(cursor.bytes.subarray(from, from + suffix), start + prefix);
    from += suffix;
  }
  return { offsets, bytes };
}
