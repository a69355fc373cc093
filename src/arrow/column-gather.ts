import { type Data, DataType, Precision } from 'apache-arrow';
import { strideForType } from 'apache-arrow/type';
import { IcecoreError } from '../errors.ts';
import { copyBits, packBits, scatterBits, scatterOnes, scatterRowBits, scatterRowOnes } from './cell-bits.ts';
import { copyCells } from './cell-copy.ts';
import { type CellPick, type CellRuns, isContiguous, isRuns, type PlacedCells, placeCells, type RowPick } from './row-pick.ts';
import { copyRuns } from './run-copy.ts';
import type { ScratchMemory } from './scratch-memory.ts';
import { copyValues, measureValues, type Values, weaveValues } from './value-copy.ts';
import { type WovenPicks, wovenPicks } from './woven-picks.ts';

/** Offsets and lengths of Arrow's lists and texts are 32-bit. */
const bufferBytesMax = 2 ** 31 - 1;

/** A buffer of a batch whose size is known and whose bytes are not written yet. */
export interface GatheredBuffer {
  readonly byteLength: number;
  /** Fills all of the target, which is as long. */
  readonly write: (target: Uint8Array) => void;
}

export interface GatheredNode {
  readonly length: number;
  readonly nullCount: number;
}

const nothing: GatheredBuffer = { byteLength: 0, write: () => {} };

/**
 * Gathers picked cells of blocks into the nodes and buffers of one record batch, in the order of the format ("RecordBatch message"). What
 * sizes depend on is worked out at once; bytes are copied when a buffer is written, straight to where it lies.
 */
export class BatchGather {
  readonly nodes: GatheredNode[] = [];
  readonly buffers: GatheredBuffer[] = [];
  readonly #scratch: ScratchMemory;
  readonly #woven = new Map<readonly CellPick[], WovenPicks>();
  readonly #placed = new Map<CellPick, PlacedCells>();

  constructor(scratch: ScratchMemory) {
    this.#scratch = scratch;
  }

  /**
   * A column of `count` cells: `sources[i]` is that of block i, and each place is in one of the picks. Throws INTERNAL for a type that no
   * Iceberg type maps to, OVERLOADED where a buffer would be larger than the format allows.
   */
  column(type: DataType, sources: readonly (Data | undefined)[], picks: readonly CellPick[], count: number): void {
    if (DataType.isNull(type)) {
      this.nodes.push({ length: count, nullCount: count });
      return;
    }
    this.#validity(sources, picks, count);
    if (DataType.isStruct(type)) {
      for (const [index, field] of type.children.entries()) this.column(field.type, childrenOf(sources, index), picks, count);
    } else if (DataType.isList(type) || DataType.isMap(type)) {
      const { elements, total } = this.#offsets(sources, picks, count);
      const [field] = type.children;
      if (field === undefined) throw new IcecoreError('INTERNAL', `The Arrow type ${type} has no type of its elements.`);
      this.column(field.type, childrenOf(sources, 0), elements, total);
    } else if (DataType.isUtf8(type) || DataType.isBinary(type)) {
      this.#values(sources, picks, count);
    } else if (DataType.isBool(type)) {
      this.#booleans(sources, picks, count);
    } else {
      this.#cells(sources, picks, count, cellBytes(type), DataType.isFloat(type) && type.precision === Precision.DOUBLE);
    }
  }

  /** A column without a null has no bitmap. */
  #validity(sources: readonly (Data | undefined)[], picks: readonly CellPick[], count: number): void {
    const hasNulls = picks.some((pick) => bitmapOf(blockOf(sources, pick)) !== null);
    if (!hasNulls) {
      this.nodes.push({ length: count, nullCount: 0 });
      this.buffers.push(nothing);
      return;
    }
    const { set, bits } = this.#bits(sources, picks, count, bitmapOf);
    this.nodes.push({ length: count, nullCount: count - set });
    this.buffers.push(set === count ? nothing : bits);
  }

  #booleans(sources: readonly (Data | undefined)[], picks: readonly CellPick[], count: number): void {
    this.buffers.push(this.#bits(sources, picks, count, ({ values }) => values as Uint8Array).bits);
  }

  /** `bitsOf` gives null where all cells of a block are 1. */
  #bits(
    sources: readonly (Data | undefined)[],
    picks: readonly CellPick[],
    count: number,
    bitsOf: (data: Data) => Uint8Array | null,
  ): { readonly set: number; readonly bits: GatheredBuffer } {
    const byteLength = Math.ceil(count / 8);
    let set = 0;
    if (picks.every(isContiguous)) {
      const bits = this.#scratch.bytes(byteLength).fill(0);
      for (const pick of picks) {
        const data = blockOf(sources, pick);
        set += copyBits(bitsOf(data) ?? onesOf(data), data.offset + pick.from, bits, pick.at, pick.count);
      }
      return { set, bits: { byteLength, write: (target) => target.set(bits) } };
    }
    const bytes = this.#scratch.bytes(count);
    for (const pick of picks) {
      const data = blockOf(sources, pick);
      set += this.#scatter(bitsOf(data), data.offset, pick, bytes);
    }
    return { set, bits: { byteLength, write: (target) => packBits(bytes, count, target) } };
  }

  /** A byte for each cell. Gives how many are 1. */
  #scatter(bits: Uint8Array | null, offset: number, pick: CellPick, target: Uint8Array): number {
    if (!isRuns(pick)) {
      if (bits !== null) return scatterRowBits(bits, offset, pick, target);
      scatterRowOnes(pick, target);
      return pick.count;
    }
    const { cells, places } = this.#placesOf(pick);
    if (bits !== null) return scatterBits(bits, offset, cells, places, pick.count, target);
    scatterOnes(places, pick.count, target);
    return pick.count;
  }

  /** The offsets of cells of variable length, and their elements or bytes as picks of their own. */
  #offsets(
    sources: readonly (Data | undefined)[],
    picks: readonly CellPick[],
    count: number,
  ): { readonly elements: readonly CellPick[]; readonly total: number } {
    const offsets = this.#newOffsets(count);
    if (picks.every(isContiguous)) {
      let total = 0;
      const inOrder = picks.toSorted((one, other) => one.at - other.at);
      const elements = inOrder.map(({ block, from, at, count }) => {
        const source: Int32Array = blockOf(sources, { block }).valueOffsets;
        const start = source[from] ?? 0;
        const length = (source[from + count] ?? 0) - start;
        checkLength(total + length);
        for (let index = 1; index <= count; index++) offsets[at + index] = (source[from + index] as number) - start + total;
        const pick: CellPick = { block, rows: null, from: start, count: length, at: total, stride: 1 };
        total += length;
        return pick;
      });
      return { elements, total };
    }
    const runs = picks.map((pick) => {
      const { cells } = this.#placesOf(pick);
      const [starts, lengths] = [this.#scratch.int32(pick.count), this.#scratch.int32(pick.count)];
      const total = measureRuns(blockOf(sources, pick).valueOffsets, cells, pick.count, starts, lengths);
      return { pick, starts, lengths, total };
    });
    for (const { pick, lengths } of runs) scatterLengths(lengths, this.#placesOf(pick).places, pick.count, offsets);
    const total = sumUp(offsets, count);
    const elements = runs.map(({ pick, starts, lengths, total }): CellRuns => {
      const ats = this.#scratch.int32(pick.count);
      gatherOffsets(offsets, this.#placesOf(pick).places, pick.count, ats);
      return { block: pick.block, starts, lengths, ats, count: total };
    });
    return { elements, total };
  }

  /** Texts: short runs of bytes, picked one by one. */
  #values(sources: readonly (Data | undefined)[], picks: readonly CellPick[], count: number): void {
    const rows = picks.filter((pick): pick is RowPick => !isRuns(pick));
    if (rows.length < picks.length || rows.every(isContiguous)) {
      const { elements, total } = this.#offsets(sources, picks, count);
      this.#cells(sources, elements, total, 1);
      return;
    }
    const offsets = this.#newOffsets(count);
    for (const pick of rows) measureValues(blockOf(sources, pick).valueOffsets, pick, offsets);
    const byteLength = sumUp(offsets, count);
    const valuesOf = (pick: RowPick): Values => {
      const { values, valueOffsets } = blockOf(sources, pick);
      return { bytes: bytesOf(values), offsets: valueOffsets };
    };
    const write = (bytes: Uint8Array) => {
      const { weaves, rest } = this.#wovenOf(picks);
      for (const weave of weaves) weaveValues(weave.picks.map(valuesOf), { bytes, offsets }, weave);
      for (const pick of rest) if (!isRuns(pick)) copyValues(valuesOf(pick), { bytes, offsets }, pick);
    };
    this.buffers.push({ byteLength, write });
  }

  #newOffsets(count: number): Int32Array {
    const offsets = this.#scratch.int32(count + 1);
    const bytes = bytesOf(offsets);
    this.buffers.push({ byteLength: bytes.length, write: (target) => target.set(bytes) });
    offsets[0] = 0;
    return offsets;
  }

  #cells(
    sources: readonly (Data | undefined)[],
    picks: readonly CellPick[],
    count: number,
    width: number,
    isDouble = false,
  ): void {
    const byteLength = count * width;
    checkLength(byteLength);
    const sourceOf = (block: number) => bytesOf(blockOf(sources, { block }).values);
    const write = (target: Uint8Array) => {
      const { weaves, rest } = this.#wovenOf(picks);
      const rows: RowPick[] = [];
      for (const pick of rest) {
        if (isRuns(pick)) copyRuns(sourceOf(pick.block), target, pick, width);
        else rows.push(pick);
      }
      copyCells(sourceOf, target, { weaves, picks: rows }, width, isDouble);
    };
    this.buffers.push({ byteLength, write });
  }

  /** The columns of a batch have the same picks. */
  #wovenOf(picks: readonly CellPick[]): WovenPicks {
    const known = this.#woven.get(picks);
    if (known !== undefined) return known;
    const woven = wovenPicks(picks);
    this.#woven.set(picks, woven);
    return woven;
  }

  #placesOf(pick: CellPick): PlacedCells {
    const known = this.#placed.get(pick);
    if (known !== undefined) return known;
    const placed = placeCells(pick, this.#scratch.int32(pick.count), this.#scratch.int32(pick.count));
    this.#placed.set(pick, placed);
    return placed;
  }
}

function blockOf(sources: readonly (Data | undefined)[], { block }: { readonly block: number }): Data {
  const data = sources[block];
  if (data === undefined) throw new IcecoreError('INTERNAL', `Rows were picked of block ${block}, which has no such column.`);
  return data;
}

function childrenOf(sources: readonly (Data | undefined)[], index: number): readonly (Data | undefined)[] {
  return sources.map((data) => data?.children[index]);
}

/** Null where no cell is. */
function bitmapOf(data: Data): Uint8Array | null {
  return data.nullCount > 0 && data.nullBitmap.length > 0 ? data.nullBitmap : null;
}

function onesOf(data: Data): Uint8Array {
  return new Uint8Array((data.offset + data.length + 7) >> 3).fill(0xff);
}

function bytesOf(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Bytes of a cell of fixed width. Throws INTERNAL where the type has none. */
function cellBytes(type: DataType): number {
  const { ArrayType } = type;
  if (typeof ArrayType?.BYTES_PER_ELEMENT !== 'number' || DataType.isDictionary(type) || type.children?.length > 0) {
    throw new IcecoreError('INTERNAL', `Cells of the Arrow type ${type} cannot be gathered.`);
  }
  return strideForType(type) * ArrayType.BYTES_PER_ELEMENT;
}

function checkLength(length: number): void {
  if (length <= bufferBytesMax) return;
  throw new IcecoreError('OVERLOADED', 'A column of one batch would hold more than 2 GiB. Ask for smaller batches.');
}

function measureRuns(offsets: Int32Array, cells: Int32Array, count: number, starts: Int32Array, lengths: Int32Array): number {
  let total = 0;
  for (let index = 0; index < count; index++) {
    const cell = cells[index] as number;
    const start = offsets[cell] as number;
    const length = (offsets[cell + 1] as number) - start;
    starts[index] = start;
    lengths[index] = length;
    total += length;
  }
  return total;
}

function scatterLengths(lengths: Int32Array, places: Int32Array, count: number, offsets: Int32Array): void {
  for (let index = 0; index < count; index++) offsets[(places[index] as number) + 1] = lengths[index] as number;
}

/** Makes offsets of lengths; gives the last. */
function sumUp(offsets: Int32Array, count: number): number {
  let sum = 0;
  for (let index = 1; index <= count; index++) {
    sum += offsets[index] as number;
    offsets[index] = sum;
  }
  checkLength(sum);
  return sum;
}

function gatherOffsets(offsets: Int32Array, places: Int32Array, count: number, ats: Int32Array): void {
  for (let index = 0; index < count; index++) ats[index] = offsets[places[index] as number] as number;
}
