import { parquetColumnBytesMax } from '../limits.ts';
import { readLengths } from './delta.ts';
import { validCount } from './fixed-values.ts';
import type { Encoding } from './format.ts';
import type { ByteCursor } from './hybrid.ts';
import type { LeafValues } from './leaf-values.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged, unsupported } from './parquet-error.ts';

/** Texts and bytes of any length, one behind the other, with where each begins and the last ends. */
export class VariableValues implements LeafValues<VariableValues> {
  offsets: Int32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  count = 0;

  constructor(expected: number, expectedBytes: number) {
    this.offsets = newOffsets(expected + 1);
    this.offsets[0] = 0;
    this.bytes = newBytes(Math.min(expectedBytes, parquetColumnBytesMax));
  }

  reserve(slots: number): void {
    const needed = this.count + slots + 1;
    if (needed <= this.offsets.length) return;
    const offsets = newOffsets(Math.max(needed, this.offsets.length * 2));
    offsets.set(this.offsets.subarray(0, this.count + 1));
    freeBytes(new Uint8Array(this.offsets.buffer));
    this.offsets = offsets;
  }

  /** The bytes of all values so far. */
  get byteCount(): number {
    return this.offsets[this.count] as number;
  }

  read(cursor: ByteCursor, encoding: Encoding, count: number): void {
    switch (encoding) {
      case 'PLAIN':
        this.#readPlain(cursor, count);
        return;
      case 'DELTA_LENGTH_BYTE_ARRAY': {
        const lengths = readLengths(cursor, count);
        const start = this.byteCount;
        const end = this.#setEnds(lengths, count);
        if (end - start > cursor.end - cursor.at) throw damaged('a text is longer than its page');
        this.bytes.set(cursor.bytes.subarray(cursor.at, cursor.at + end - start), start);
        return;
      }
      case 'DELTA_BYTE_ARRAY': {
        const start = this.byteCount;
        const { offsets, bytes } = readPrefixed(cursor, count, parquetColumnBytesMax - start);
        const size = offsets[count] as number;
        this.#growTo(start + size);
        this.bytes.set(bytes.subarray(0, size), start);
        for (let index = 1; index <= count; index++) this.offsets[this.count + index] = start + (offsets[index] as number);
        return;
      }
      default:
        throw unsupported(`The encoding ${encoding} of BYTE_ARRAY`);
    }
  }

  /** Each with its length in four bytes before it. */
  #readPlain({ bytes, at, end }: ByteCursor, count: number): void {
    let to = this.byteCount;
    // All lengths together take less than the page.
    this.#growTo(to + Math.max(0, end - at - 4 * count));
    const [target, offsets, first] = [this.bytes, this.offsets, this.count + 1];
    let from = at;
    for (let index = 0; index < count; index++) {
      if (from + 4 > end) throw damaged('a page has fewer values than it says');
      const length =
        (bytes[from] as number) |
        ((bytes[from + 1] as number) << 8) |
        ((bytes[from + 2] as number) << 16) |
        ((bytes[from + 3] as number) << 24);
      from += 4;
      if (length < 0 || length > end - from || length > target.length - to) throw damaged('a text is longer than its page');
      copyShort(bytes, from, length, target, to);
      from += length;
      to += length;
      offsets[first + index] = to;
    }
  }

  pick(dictionary: VariableValues, indexes: Int32Array, count: number): void {
    const [from, source] = [dictionary.offsets, dictionary.bytes];
    const [offsets, first] = [this.offsets, this.count + 1];
    let end = this.byteCount;
    for (let index = 0; index < count; index++) {
      const entry = indexes[index] as number;
      end += (from[entry + 1] as number) - (from[entry] as number);
      // A sum beyond the limit is refused before it can wrap around.
      if (end > parquetColumnBytesMax) break;
      offsets[first + index] = end;
    }
    let to = this.byteCount;
    this.#growTo(end);
    const target = this.bytes;
    for (let index = 0; index < count; index++) {
      const start = from[indexes[index] as number] as number;
      const next = offsets[first + index] as number;
      copyShort(source, start, next - to, target, to);
      to = next;
    }
  }

  finish(slots: number, valid: Uint8Array | null): void {
    if (valid !== null) {
      const { offsets, count } = this;
      let from = count + validCount(valid, slots);
      for (let slot = slots - 1; slot >= 0; slot--) {
        offsets[count + 1 + slot] = offsets[from] as number;
        if (valid[slot] === 1) from--;
      }
    }
    this.count += slots;
  }

  free(): void {
    freeBytes(this.bytes);
    freeBytes(new Uint8Array(this.offsets.buffer));
  }

  #setEnds(lengths: Int32Array, count: number): number {
    let end = this.byteCount;
    for (let index = 0; index < count && end <= parquetColumnBytesMax; index++) {
      end += lengths[index] as number;
      this.offsets[this.count + 1 + index] = end;
    }
    this.#growTo(end);
    return end;
  }

  #growTo(size: number): void {
    if (size <= this.bytes.length) return;
    if (size > parquetColumnBytesMax)
      throw unsupported(`A row group with more than ${parquetColumnBytesMax} bytes in one column`);
    const bytes = newBytes(Math.min(parquetColumnBytesMax, Math.max(size, this.bytes.length * 2)));
    bytes.set(this.bytes.subarray(0, this.byteCount));
    freeBytes(this.bytes);
    this.bytes = bytes;
  }
}

function newOffsets(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(newBytes(count * 4).buffer, 0, count);
}

/** Most texts are short: then a loop is faster than a call. */
function copyShort(source: Uint8Array, from: number, length: number, target: Uint8Array, to: number): void {
  if (length <= 24) for (let index = 0; index < length; index++) target[to + index] = source[from + index] as number;
  else target.set(source.subarray(from, from + length), to);
}

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
