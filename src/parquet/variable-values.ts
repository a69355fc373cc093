import { isAscii, isUtf8 } from 'node:buffer';
import { parquetColumnBytesMax } from '../limits.ts';
import { readLengths } from './delta.ts';
import type { Encoding } from './format.ts';
import type { ByteCursor } from './hybrid.ts';
import type { LeafValues } from './leaf-values.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { readPrefixed } from './prefixed.ts';
import { copyPrefixed, slackBytes, TextEntries } from './text-entries.ts';
import type { ValidityBits } from './validity-bits.ts';

/** Texts and bytes of any length, one behind the other, with where each begins and the last ends. */
export class VariableValues implements LeafValues<VariableValues> {
  offsets: Int32Array<ArrayBuffer>;
  bytes: Uint8Array<ArrayBuffer>;
  count = 0;
  readonly #expected: number;
  /** Whether each value so far is known to be UTF-8. */
  #areTexts = true;
  /** Of a dictionary: how its values are copied. */
  #entries: TextEntries | null = null;

  constructor(expected: number, expectedBytes: number) {
    this.#expected = expected;
    this.offsets = newOffsets(expected + 1);
    this.offsets[0] = 0;
    this.bytes = newBytes(Math.min(expectedBytes, parquetColumnBytesMax) + slackBytes);
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
    this.#areTexts = false;
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
  #readPlain(cursor: ByteCursor, count: number): void {
    const start = this.byteCount;
    // All lengths together take less than the page.
    this.#growTo(start + Math.max(0, cursor.end - cursor.at - 4 * count));
    copyPrefixed(cursor, count, this.bytes, start, this.offsets.subarray(this.count + 1));
  }

  pick(dictionary: VariableValues, indexes: Int32Array, count: number): void {
    const [from, start] = [dictionary.offsets, this.byteCount];
    const [offsets, first] = [this.offsets, this.count + 1];
    let end = start;
    for (let index = 0; index < count; index++) {
      const entry = indexes[index] as number;
      end += (from[entry + 1] as number) - (from[entry] as number);
      // A sum beyond the limit is refused before it can wrap around.
      if (end > parquetColumnBytesMax) break;
      offsets[first + index] = end;
    }
    // Pages differ little: the rest of the column takes what this one took.
    this.#growTo(end, Math.ceil((end / (this.count + count)) * this.#expected * 1.05));
    dictionary.#entries ??= new TextEntries(dictionary, this.#expected);
    dictionary.#entries.copy(indexes, count, this.bytes, offsets.subarray(first - 1, first + count));
    this.#areTexts &&= dictionary.areTexts();
  }

  /** Whether each value is UTF-8: all together are, and none begins in the middle of a character. */
  areTexts(): boolean {
    if (this.#areTexts) return true;
    const all = this.bytes.subarray(0, this.byteCount);
    this.#areTexts = isAscii(all) || (isUtf8(all) && !this.#beginsWithin());
    return this.#areTexts;
  }

  #beginsWithin(): boolean {
    const { bytes, offsets, count, byteCount } = this;
    let within = 0;
    for (let index = 0; index < count; index++) {
      const at = offsets[index] as number;
      if (at < byteCount && ((bytes[at] as number) & 0xc0) === 0x80) within++;
    }
    return within > 0;
  }

  finish(slots: number, validity: ValidityBits | null, values: number): void {
    if (validity !== null) {
      const { offsets, count } = this;
      const { bits } = validity;
      let from = count + values;
      for (let slot = count + slots - 1; slot >= count; slot--) {
        offsets[slot + 1] = offsets[from] as number;
        from -= ((bits[slot >> 3] as number) >> (slot & 7)) & 1;
      }
    }
    this.count += slots;
  }

  free(): void {
    freeBytes(this.bytes);
    this.#entries?.free();
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

  /** Makes room for `size` bytes, and more where so many are expected, with what a copy of whole words may write behind them. */
  #growTo(size: number, expected = 0): void {
    if (size + slackBytes <= this.bytes.length) return;
    if (size > parquetColumnBytesMax)
      throw unsupported(`A row group with more than ${parquetColumnBytesMax} bytes in one column`);
    const grown = Math.max(size, expected === 0 ? this.bytes.length * 2 : expected);
    const bytes = newBytes(Math.min(parquetColumnBytesMax, grown) + slackBytes);
    bytes.set(this.bytes.subarray(0, this.byteCount));
    freeBytes(this.bytes);
    this.bytes = bytes;
  }
}

function newOffsets(count: number): Int32Array<ArrayBuffer> {
  return new Int32Array(newBytes(count * 4).buffer, 0, count);
}
