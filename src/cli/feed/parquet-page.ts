import { promisify } from 'node:util';
import { zstdCompress } from 'node:zlib';
import type { ArrowColumn } from './arrow-column.ts';
import { type LeafSlots, leafSlots, type ParquetLeaf } from './parquet-column.ts';
import { type ParquetType, physical } from './parquet-schema.ts';
import { flags, packedBits, plainValues, validSlots } from './parquet-values.ts';
import { i32, struct, thriftStruct, varint } from './thrift-writer.ts';

export type ParquetCodec = 'NONE' | 'ZSTD';

/** A data page, with its header. */
export interface ParquetPage {
  readonly bytes: readonly Uint8Array[];
  readonly storedBytes: number;
  /** As `storedBytes`, were it not compressed. */
  readonly plainBytes: number;
  /** With nulls, and with what stands for empty lists. */
  readonly valueCount: number;
}

const compress = promisify(zstdCompress);
/** Of `Encoding`. */
const [plainEncoding, rleEncoding] = [0, 3];

/** A leaf's parts of batches that follow one another, as one data page of version 1 (Parquet: "Data Pages"). */
export async function parquetPage(
  batches: readonly (readonly ArrowColumn[])[],
  leaf: ParquetLeaf,
  codec: ParquetCodec,
): Promise<ParquetPage> {
  const parts = batches.map((columns) => leafSlots(columns, leaf));
  const valueCount = parts.reduce((sum, { column, levels }) => sum + (levels?.definitions.length ?? column.length), 0);
  const plain = Buffer.concat([
    leaf.repetitionMax === 0 ? nothing : packedLevels(joined(parts, repetitionsOf), leaf.repetitionMax),
    leaf.definitionMax === 0 ? nothing : definitionLevels(parts, leaf.definitionMax),
    ...pageValues(parts, leaf.type),
  ]);
  const stored = codec === 'ZSTD' ? await compress(plain) : plain;
  const encodings = struct({ 1: i32(valueCount), 2: i32(plainEncoding), 3: i32(rleEncoding), 4: i32(rleEncoding) });
  const header = thriftStruct({ 1: i32(0), 2: i32(plain.byteLength), 3: i32(stored.byteLength), 5: encodings });
  const [storedBytes, plainBytes] = [stored, plain].map(({ byteLength }) => header.byteLength + byteLength) as [number, number];
  return { bytes: [header, stored], storedBytes, plainBytes, valueCount };
}

function pageValues(parts: readonly LeafSlots[], type: ParquetType): readonly Uint8Array[] {
  const slotsOf = ({ column, levels }: LeafSlots) => (levels === null ? validSlots(column) : levels.slots);
  // Booleans of one part need not end where a byte does.
  if (type.physical === physical.boolean && parts.length > 1) {
    return [packedBits(joined(parts, (part) => flags(part.column, slotsOf(part))))];
  }
  return parts.map((part) => plainValues(part.column, slotsOf(part), type));
}

function definitionLevels(parts: readonly LeafSlots[], max: number): Uint8Array {
  const [first] = parts;
  if (parts.length === 1 && first !== undefined && first.levels === null) return flatLevels(first.column);
  return packedLevels(
    joined(parts, ({ column, levels }) => levels?.definitions ?? flatDefinitions(column)),
    max,
  );
}

function repetitionsOf({ column, levels }: LeafSlots): Uint8Array {
  return levels?.repetitions ?? new Uint8Array(column.length);
}

function joined(parts: readonly LeafSlots[], of: (part: LeafSlots) => Uint8Array): Uint8Array {
  return Buffer.concat(parts.map(of));
}

const nothing = new Uint8Array();

/** The definition levels of a column that may be null itself, and lies below nothing: its validity as it is. */
function flatLevels({ length, validity }: ArrowColumn): Uint8Array {
  if (validity === null) return measured(varint(length * 2), Uint8Array.of(1));
  const bytes = (length + 7) >> 3;
  return measured(varint(bytes * 2 + 1), validity.subarray(0, bytes));
}

/** The same, a byte each. */
function flatDefinitions({ length, validity }: ArrowColumn): Uint8Array {
  const levels = new Uint8Array(length).fill(1);
  if (validity === null) return levels;
  for (let slot = 0; slot < length; slot++) levels[slot] = ((validity[slot >> 3] ?? 0) >> (slot & 7)) & 1;
  return levels;
}

/** As one run, of the same level or of levels bit by bit (Parquet: "Run Length Encoding / Bit-Packing Hybrid"). */
function packedLevels(levels: Uint8Array, max: number): Uint8Array {
  const [first = 0] = levels;
  if (levels.every((level) => level === first)) return measured(varint(levels.length * 2), Uint8Array.of(first));
  const width = 32 - Math.clz32(max);
  const groups = (levels.length + 7) >> 3;
  const bytes = new Uint8Array(groups * width);
  for (const [index, level] of levels.entries()) {
    for (let bit = 0, at = index * width; bit < width; bit++, at++) {
      if ((level >> bit) & 1) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (1 << (at & 7));
    }
  }
  return measured(varint(groups * 2 + 1), bytes);
}

/** Behind four bytes of their length. */
function measured(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = Buffer.concat([Buffer.alloc(4), ...parts]);
  bytes.writeUInt32LE(bytes.byteLength - 4, 0);
  return bytes;
}
