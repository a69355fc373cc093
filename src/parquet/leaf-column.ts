import { crc32 } from 'node:zlib';
import type { ColumnChunk } from './file-metadata.ts';
import { FixedValues } from './fixed-values.ts';
import type { Encoding } from './format.ts';
import { type ByteCursor, cursorOf, isOneRun, readHybrid } from './hybrid.ts';
import { LevelStore, levelWidth, readLevels, slotsOf } from './levels.ts';
import { inflatePage } from './page-codec.ts';
import { type PageHeader, readPageHeader } from './page-header.ts';
import { PageMemory } from './page-memory.ts';
import { damaged, unsupported } from './parquet-error.ts';
import type { LeafNode } from './schema-node.ts';
import { ValidityBits } from './validity-bits.ts';
import { VariableValues } from './variable-values.ts';

/** What the pages of one leaf in one row group hold. */
export interface LeafColumn {
  readonly values: FixedValues | VariableValues;
  readonly validity: ValidityBits;
  /** How deep each value is there, and at which depth it repeats (format: "Nested Encoding"); null where none of it was kept. */
  readonly definitions: Uint8Array | null;
  readonly repetitions: Uint8Array | null;
}

/** Of one page at a time: a byte for each of its slots, and a word for each of its indexes. */
const slotMemory = new PageMemory();
const indexMemory = new PageMemory();

const widths = { BOOLEAN: 1, INT32: 4, INT64: 8, INT96: 12, FLOAT: 4, DOUBLE: 8, BYTE_ARRAY: 0, FIXED_LEN_BYTE_ARRAY: 0 };

/** Decodes the pages of a column chunk, which `bytes` are. Levels are kept for what is nested. Throws FAILED_PRECONDITION. */
export function readLeaf(bytes: Uint8Array, chunk: ColumnChunk, node: LeafNode): LeafColumn {
  return new LeafReader(bytes, chunk, node).read();
}

/** A page's levels and where its values are. */
interface PageContent {
  readonly count: number;
  /** Null where there are none. */
  readonly definitions: ByteCursor | null;
  readonly values: ByteCursor;
  readonly encoding: Encoding;
}

class LeafReader {
  readonly #bytes: Uint8Array;
  readonly #chunk: ColumnChunk;
  readonly #node: LeafNode;
  readonly #validity: ValidityBits;
  readonly #values: FixedValues | VariableValues;
  readonly #definitions: LevelStore | null;
  readonly #repetitions: LevelStore | null;
  #dictionary: FixedValues | VariableValues | null = null;

  constructor(bytes: Uint8Array, chunk: ColumnChunk, node: LeafNode) {
    this.#bytes = bytes;
    this.#chunk = chunk;
    this.#node = node;
    // Runs make many values of few bytes, but a few bytes are not believed to be that many before they are read.
    const expected = Math.min(chunk.valueCount, 1024 + bytes.length * 64);
    this.#values = this.#emptyValues(expected, bytes.length * 4);
    this.#validity = new ValidityBits(expected);
    this.#definitions = node.isTop ? null : new LevelStore();
    this.#repetitions = node.isTop ? null : new LevelStore();
  }

  read(): LeafColumn {
    const expected = this.#chunk.valueCount;
    let [at, count] = [0, 0];
    while (count < expected) {
      if (at >= this.#bytes.length) throw damaged(`the column "${this.#node.name}" has fewer values than it says`);
      const header = readPageHeader(this.#bytes, at);
      at = header.end + header.compressedBytes;
      if (at > this.#bytes.length) throw damaged(`a page of the column "${this.#node.name}" is longer than its column`);
      const raw = this.#bytes.subarray(header.end, at);
      if (header.crc !== undefined && crc32(raw) !== header.crc)
        throw damaged(`a page of the column "${this.#node.name}" has another checksum`);
      if (header.kind === 'dictionary') this.#readDictionary(header, raw);
      if (header.kind !== 'data' && header.kind !== 'data2') continue;
      count += header.valueCount;
      if (count > expected) throw damaged(`the column "${this.#node.name}" has more values than it says`);
      this.#readValues(header.kind === 'data' ? this.#firstVersion(header, raw) : this.#secondVersion(header, raw));
    }
    this.#dictionary?.free();
    return {
      values: this.#values,
      validity: this.#validity,
      definitions: this.#definitions?.levels ?? null,
      repetitions: this.#repetitions?.levels ?? null,
    };
  }

  #emptyValues(expected: number, expectedBytes: number): FixedValues | VariableValues {
    const { physical, length } = this.#node.leaf;
    return physical === 'BYTE_ARRAY'
      ? new VariableValues(expected, expectedBytes)
      : new FixedValues(physical, widths[physical] || length, expected);
  }

  #readDictionary({ encoding, uncompressedBytes, valueCount }: PageHeader, raw: Uint8Array): void {
    if (this.#dictionary !== null) throw damaged(`the column "${this.#node.name}" has two dictionaries`);
    if (encoding !== 'PLAIN' && encoding !== 'PLAIN_DICTIONARY') throw unsupported(`The encoding ${encoding} of a dictionary`);
    if (this.#node.leaf.physical === 'BOOLEAN') throw unsupported('A dictionary of BOOLEAN');
    const page = inflatePage(this.#chunk.codec, raw, uncompressedBytes);
    const width = widths[this.#node.leaf.physical] || this.#node.leaf.length || 4;
    if (valueCount * width > page.length) throw damaged('a dictionary has fewer values than it says');
    const dictionary = this.#emptyValues(valueCount, page.length);
    dictionary.read(cursorOf(page), 'PLAIN', valueCount);
    dictionary.finish(valueCount, null, valueCount);
    this.#dictionary = dictionary;
  }

  /** Levels and values are compressed together; each kind of levels has its length before it. */
  #firstVersion(header: PageHeader, raw: Uint8Array): PageContent {
    const page = inflatePage(this.#chunk.codec, raw, header.uncompressedBytes);
    const count = header.valueCount;
    const cursor: ByteCursor = cursorOf(page);
    const levels = (encoding: Encoding, max: number): ByteCursor | null => {
      if (max === 0) return null;
      if (encoding !== 'RLE') throw unsupported(`The encoding ${encoding} of levels`);
      if (cursor.at + 4 > cursor.end) throw damaged('a page ends too early');
      const at = cursor.at + 4;
      const length = cursor.view.getUint32(cursor.at, true);
      if (length > cursor.end - at) throw damaged('a page has more levels than bytes');
      cursor.at = at + length;
      return { ...cursor, at, end: cursor.at };
    };
    const repetitions = levels(header.repetitionEncoding, this.#node.repetitionLevel);
    const definitions = levels(header.definitionEncoding, this.#node.definitionLevel);
    this.#keepRepetitions(repetitions, count);
    return { count, definitions, values: cursor, encoding: header.encoding };
  }

  /** Levels lie before the values and are never compressed. */
  #secondVersion(header: PageHeader, raw: Uint8Array): PageContent {
    const { valueCount: count, repetitionBytes, definitionBytes } = header;
    const levelBytes = repetitionBytes + definitionBytes;
    if (levelBytes > raw.length || levelBytes > header.uncompressedBytes) throw damaged('a page has more levels than bytes');
    const codec = header.isCompressed ? this.#chunk.codec : 'UNCOMPRESSED';
    const page = inflatePage(codec, raw.subarray(levelBytes), header.uncompressedBytes - levelBytes);
    const { repetitionLevel, definitionLevel } = this.#node;
    this.#keepRepetitions(repetitionLevel === 0 ? null : cursorOf(raw, 0, repetitionBytes), count);
    const definitions = definitionLevel === 0 ? null : cursorOf(raw, repetitionBytes, levelBytes);
    const values = cursorOf(page);
    return { count, definitions, values, encoding: header.encoding };
  }

  #keepRepetitions(cursor: ByteCursor | null, count: number): void {
    const levels = this.#repetitions?.extend(count);
    if (cursor !== null && levels !== undefined) readLevels(cursor, this.#node.repetitionLevel, count, levels);
  }

  #readValues({ count, definitions, values, encoding }: PageContent): void {
    const { slots, present } = this.#readSlots(definitions, count);
    this.#values.reserve(slots);
    if (present > 0) this.#readPresent(values, encoding, present);
    this.#values.finish(slots, present === slots ? null : this.#validity, present);
  }

  /** How many slots a page of `count` levels has, and how many of them have a value. */
  #readSlots(cursor: ByteCursor | null, count: number): { readonly slots: number; readonly present: number } {
    const { definitionLevel: max, slotLevel, isTop } = this.#node;
    const kept = this.#definitions;
    if (cursor === null || isOneRun(cursor, levelWidth(max), count, max)) {
      kept?.extend(count).fill(max);
      this.#validity.appendValid(count);
      return { slots: count, present: count };
    }
    if (isTop && max === 1) return { slots: count, present: this.#validity.appendLevels(cursor, count) };
    const levels = kept === null ? slotMemory.room(count) : kept.extend(count);
    readLevels(cursor, max, count, levels);
    const valid = slotMemory.room(count);
    const slots = slotsOf(levels, count, slotLevel, max, valid);
    return { slots, present: this.#validity.append(valid, slots) };
  }

  #readPresent(cursor: ByteCursor, encoding: Encoding, count: number): void {
    if (encoding !== 'RLE_DICTIONARY' && encoding !== 'PLAIN_DICTIONARY') {
      this.#values.read(cursor, encoding, count);
      return;
    }
    const dictionary = this.#dictionary;
    if (dictionary === null) throw damaged(`the column "${this.#node.name}" has no dictionary`);
    if (cursor.at >= cursor.end) throw damaged('a page ends too early');
    const width = cursor.bytes[cursor.at++] as number;
    const indexes = new Int32Array(indexMemory.room(count * 4).buffer, 0, count);
    if (!readHybrid(cursor, width, count, indexes, dictionary.count - 1))
      throw damaged(`the column "${this.#node.name}" refers outside its dictionary`);
    if (this.#values instanceof FixedValues && dictionary instanceof FixedValues) this.#values.pick(dictionary, indexes, count);
    if (this.#values instanceof VariableValues && dictionary instanceof VariableValues)
      this.#values.pick(dictionary, indexes, count);
  }
}
