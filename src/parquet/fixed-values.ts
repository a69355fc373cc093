import { parquetColumnBytesMax } from '../limits.ts';
import { readDeltas } from './delta.ts';
import type { Encoding, PhysicalType } from './format.ts';
import { type ByteCursor, readHybrid, unpackBytes } from './hybrid.ts';
import type { LeafValues } from './leaf-values.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { readPrefixed } from './prefixed.ts';
import type { ValidityBits } from './validity-bits.ts';

/** Values of one width: numbers, bytes of a fixed length, and booleans as a byte each. */
export class FixedValues implements LeafValues<FixedValues> {
  readonly #physical: PhysicalType;
  readonly width: number;
  bytes: Uint8Array<ArrayBuffer>;
  /** The same memory in words, where the width is a multiple of four. */
  words: Int32Array<ArrayBuffer>;
  count = 0;

  constructor(physical: PhysicalType, width: number, expected: number) {
    this.#physical = physical;
    this.width = width;
    [this.bytes, this.words] = memoryOf(expected * width);
  }

  reserve(slots: number): void {
    const needed = (this.count + slots) * this.width;
    if (needed <= this.bytes.length) return;
    const [bytes, words] = memoryOf(Math.max(needed, Math.min(this.bytes.length * 2, parquetColumnBytesMax)));
    bytes.set(this.bytes.subarray(0, this.count * this.width));
    freeBytes(this.bytes);
    [this.bytes, this.words] = [bytes, words];
  }

  read(cursor: ByteCursor, encoding: Encoding, count: number): void {
    const [physical, width, start] = [this.#physical, this.width, this.count * this.width];
    const { bytes, at, end } = cursor;
    if (physical === 'BOOLEAN') {
      this.#readBooleans(cursor, encoding, count);
    } else if (encoding === 'PLAIN' || encoding === 'BYTE_STREAM_SPLIT') {
      if (count * width > end - at) throw damaged('a page has fewer values than it says');
      if (encoding === 'PLAIN') this.bytes.set(bytes.subarray(at, at + count * width), start);
      else joinStreams(bytes, at, width, count, this.bytes, start);
    } else if (encoding === 'DELTA_BINARY_PACKED' && (physical === 'INT32' || physical === 'INT64')) {
      readDeltas(cursor, count, physical === 'INT32' ? 1 : 2, this.words, start / 4);
    } else if (encoding === 'DELTA_BYTE_ARRAY' && physical === 'FIXED_LEN_BYTE_ARRAY') {
      const { offsets, bytes: values } = readPrefixed(cursor, count, parquetColumnBytesMax);
      for (let index = 0; index <= count; index++)
        if (offsets[index] !== index * width) throw damaged('a value has another length than its type');
      this.bytes.set(values.subarray(0, count * width), start);
    } else {
      throw unsupported(`The encoding ${encoding} of ${physical}`);
    }
  }

  #readBooleans(cursor: ByteCursor, encoding: Encoding, count: number): void {
    const target = this.bytes.subarray(this.count, this.count + count);
    if (encoding === 'PLAIN') {
      if (count > (cursor.end - cursor.at) * 8) throw damaged('a page has fewer values than it says');
      unpackBytes(cursor.view, cursor.at, 1, count, target, 0, 1);
    } else if (encoding === 'RLE') {
      // Four bytes with the length come first; it is all the page has.
      readHybrid({ ...cursor, at: cursor.at + 4 }, 1, count, target, 1);
    } else {
      throw unsupported(`The encoding ${encoding} of BOOLEAN`);
    }
  }

  pick(dictionary: FixedValues, indexes: Int32Array, count: number): void {
    const { width } = this;
    if (width === 4) {
      const [source, target, start] = [dictionary.words, this.words, this.count];
      for (let index = 0; index < count; index++) target[start + index] = source[indexes[index] as number] as number;
    } else if (width === 8) {
      pickPairs(dictionary.words, indexes, count, this.words, this.count * 2);
    } else {
      const [source, target] = [dictionary.bytes, this.bytes];
      let to = this.count * width;
      for (let index = 0; index < count; index++) {
        const from = (indexes[index] as number) * width;
        for (let byte = 0; byte < width; byte++) target[to++] = source[from + byte] as number;
      }
    }
  }

  finish(slots: number, validity: ValidityBits | null, count: number): void {
    if (validity !== null) {
      if (this.width === 4) spreadWords(this.words, this.count, slots, validity.bits, count);
      else if (this.width === 8) spreadPairs(this.words, this.count, slots, validity.bits, count);
      else spreadBytes(this.bytes, this.width, this.count, slots, validity.bits, count);
    }
    this.count += slots;
  }

  free(): void {
    freeBytes(this.bytes);
  }
}

/** As words, since a double would not keep the bits of each NaN. Two at a time take two thirds of the time. */
function pickPairs(source: Int32Array, indexes: Int32Array, count: number, target: Int32Array, start: number): void {
  let to = start;
  let index = 0;
  for (; index + 1 < count; index += 2) {
    const from = (indexes[index] as number) << 1;
    const next = (indexes[index + 1] as number) << 1;
    target[to] = source[from] as number;
    target[to + 1] = source[from + 1] as number;
    target[to + 2] = source[next] as number;
    target[to + 3] = source[next + 1] as number;
    to += 4;
  }
  if (index < count) {
    const from = (indexes[index] as number) << 1;
    target[to] = source[from] as number;
    target[to + 1] = source[from + 1] as number;
  }
}

function memoryOf(size: number): [Uint8Array<ArrayBuffer>, Int32Array<ArrayBuffer>] {
  if (size > parquetColumnBytesMax) throw unsupported(`A row group with more than ${parquetColumnBytesMax} bytes in one column`);
  const bytes = newBytes(size);
  return [bytes, new Int32Array(bytes.buffer)];
}

// `count` values lie one behind the other and are moved to their slots from the last to the first, so that none is overwritten before it is
// read. A null takes the bits of a value and clears them: to branch for each would cost more where nulls are many.
function spreadWords(words: Int32Array, start: number, slots: number, bits: Uint8Array, count: number): void {
  let from = start + count;
  for (let slot = start + slots - 1; slot >= start; ) {
    const byte = bits[slot >> 3] as number;
    for (const least = Math.max(start, slot & ~7); slot >= least; slot--) {
      const isValid = (byte >> (slot & 7)) & 1;
      from -= isValid;
      words[slot] = (words[from] as number) & -isValid;
    }
  }
}

function spreadPairs(words: Int32Array, start: number, slots: number, bits: Uint8Array, count: number): void {
  let from = (start + count) * 2;
  for (let slot = start + slots - 1; slot >= start; ) {
    const byte = bits[slot >> 3] as number;
    for (const least = Math.max(start, slot & ~7); slot >= least; slot--) {
      const isValid = (byte >> (slot & 7)) & 1;
      from -= isValid << 1;
      const low = (words[from] as number) & -isValid;
      words[slot * 2 + 1] = (words[from + 1] as number) & -isValid;
      words[slot * 2] = low;
    }
  }
}

function spreadBytes(bytes: Uint8Array, width: number, start: number, slots: number, bits: Uint8Array, count: number): void {
  let from = (start + count) * width;
  for (let slot = start + slots - 1; slot >= start; slot--) {
    const to = slot * width;
    if ((((bits[slot >> 3] as number) >> (slot & 7)) & 1) === 1) {
      from -= width;
      bytes.copyWithin(to, from, from + width);
    } else {
      bytes.fill(0, to, to + width);
    }
  }
}

/** BYTE_STREAM_SPLIT: all first bytes, then all second bytes, and so on. */
function joinStreams(bytes: Uint8Array, from: number, width: number, count: number, target: Uint8Array, to: number): void {
  for (let byte = 0; byte < width; byte++) {
    const stream = from + byte * count;
    for (let index = 0, at = to + byte; index < count; index++, at += width) target[at] = bytes[stream + index] as number;
  }
}
