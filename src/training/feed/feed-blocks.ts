import type { Data } from 'apache-arrow';
import { BlockFile } from '../../arrow/block-file.ts';
import type { CheckedParts } from '../../arrow/checked-parts.ts';
import { gatheredColumn } from '../../arrow/gathered-column.ts';
import { MessageMemory } from '../../arrow/message-memory.ts';
import { ScratchMemory } from '../../arrow/scratch-memory.ts';
import { IcecoreError } from '../../errors.ts';
import {
  feedBatchBlocksBytesMax,
  feedBlockMemoryKeptMax,
  feedFilesOpenMax,
  feedMakersMax,
  feedPieceRowsMin,
  feedShuffledRowsBytesMax,
} from '../../limits.ts';
import { ByteLru } from '../../tables/byte-lru.ts';
import { blockRowsMax } from '../order/block-shuffle.ts';
import type { ColumnRange } from './column-ranges.ts';
import type { GroupFile } from './feed-worker-messages.ts';

/** The order of the rows of a block. */
export interface BlockOrder {
  /** Of what decides about it: equal names, equal orders. */
  readonly name: string;
  readonly rows: () => Uint16Array;
}

/** Some columns of rows [from, to) of a block in an order; null for a whole block as it stands. */
export interface BlockPiece {
  readonly file: GroupFile;
  readonly block: number;
  readonly range: ColumnRange;
  readonly order: BlockOrder | null;
  readonly from: number;
  readonly to: number;
}

/** Of all memory for blocks, what is kept at least for those to come. */
const keptShare = 6;

interface HeldBlock {
  readonly columns: readonly Data[];
  /** What they lie on, and nothing else does. */
  readonly memory: ReadonlySet<ArrayBufferLike>;
  readonly bytes: number;
}

/**
 * The blocks that a worker reads, their rows in order already: those used last stay in memory up to a limit, whichever feed they are for. A
 * feed that stalls holds none.
 */
export class FeedBlocks {
  /** Of blocks and messages that were done with, of all feeds together. */
  readonly memory = new MessageMemory(feedBlockMemoryKeptMax);
  readonly scratch = new ScratchMemory();
  readonly #checked: CheckedParts | null;
  readonly #bytesMax: number;
  readonly #batchBytesMax: number;
  /** In order of last use. */
  readonly #held = new Map<string, HeldBlock>();
  #bytes = 0;
  /** Blocks that left, whose memory is used again when nobody reads them any more. */
  #left: HeldBlock[] = [];
  #leftBytes = 0;
  /** Of blocks that are shuffled piece by piece. */
  #rows = new ByteLru<Uint16Array>(feedShuffledRowsBytesMax);
  /** In order of last use; closed when they leave. */
  readonly #files = new Map<string, BlockFile>();

  /** `batchBytesMax` is of the pieces that are used until `settle`, those in memory anyway included. */
  constructor(bytesMax: number, batchBytesMax = feedBatchBlocksBytesMax, checked: CheckedParts | null = null) {
    this.#checked = checked;
    this.#bytesMax = bytesMax;
    this.#batchBytesMax = batchBytesMax;
  }

  /**
   * Rows of a piece of a block that is put in order, like which so many lanes can hold one each: the whole block where there is memory for it,
   * else a power of two. What is shuffled in pieces is read from its file once for each.
   */
  pieceRows({ file, block, range }: Pick<BlockPiece, 'file' | 'block' | 'range'>, lanes: number): number {
    const opened = this.#file(file);
    if (opened === null) return blockRowsMax;
    const rowBytes = opened.columnBytes(block, range.from, range.to) / (opened.rowCounts[block] ?? 1);
    // Half of the memory, for others read too.
    const fitting = this.#bytesMax / 2 / lanes / rowBytes;
    return Math.min(blockRowsMax, 2 ** Math.floor(Math.log2(Math.max(fitting, feedPieceRowsMin))));
  }

  /**
   * The columns of a piece; null where its file is gone or is not what it was. Good until `settle`. Throws OVERLOADED where those of one
   * batch would be more than there is memory for.
   */
  columns(piece: BlockPiece): readonly Data[] | null {
    const name = nameOf(piece);
    const known = this.#held.get(name);
    if (known !== undefined) {
      this.#held.delete(name);
      this.#held.set(name, known);
      return known.columns;
    }
    const { file, range, order } = piece;
    const ordered = this.#read(piece, order === null ? null : this.#rowsOf(piece, order));
    if (ordered === null) {
      this.closeFile(file.path);
      return null;
    }
    this.#hold(name, ordered);
    // Other columns of the batch are in the memory of other threads.
    const share = range.share === 1 ? 1 : Math.max(range.share, 1 / feedMakersMax);
    if (this.#bytes + this.#leftBytes > this.#batchBytesMax * share) throw tooLarge(this.#batchBytesMax);
    return ordered;
  }

  /** A reader is through with a piece: others read it from its file. */
  drop(piece: BlockPiece): void {
    this.#forget(nameOf(piece));
  }

  /** Nobody reads what was given any more. */
  settle(): void {
    for (const { memory } of this.#left) for (const buffer of memory) this.memory.give(buffer);
    this.#left = [];
    this.#leftBytes = 0;
    this.memory.keepAtMost(this.#keptBytesMax);
  }

  /** What is kept for blocks to come counts as blocks, but for some that those which come and go lie on. */
  get #keptBytesMax(): number {
    return Math.min(feedBlockMemoryKeptMax, Math.max(this.#bytesMax - this.#bytes, this.#bytesMax / keptShare));
  }

  /** A reader is through with a file. One that left the cache takes its place on disk until it is closed. */
  closeFile(path: string): void {
    this.#files.get(path)?.close();
    this.#files.delete(path);
  }

  /** Nobody reads now: all memory is free when this returns. */
  clear(): void {
    for (const path of [...this.#files.keys()]) this.closeFile(path);
    for (const name of [...this.#held.keys()]) this.#forget(name);
    this.settle();
    this.#rows = new ByteLru(feedShuffledRowsBytesMax);
    this.memory.clear();
    this.scratch.clear();
  }

  /** Where rows are put in order, column by column on the same memory: what was read a moment ago is near the processor still. */
  #read({ file, block, range }: BlockPiece, rows: Uint16Array | null): readonly Data[] | null {
    const opened = this.#file(file);
    if (opened === null) return null;
    const wanted = Array.from({ length: range.to - range.from }, (_, index) => range.from + index);
    const take = (bytes: number) => this.memory.take(bytes).buffer;
    if (rows === null) return opened.read(block, wanted, take);
    const ordered: Data[] = [];
    for (const column of wanted) {
      const [read] = opened.read(block, [column], take) ?? [];
      if (read === undefined) return null;
      ordered.push(this.#ordered(read, rows));
      for (const memory of memoryOf([read])) this.memory.give(memory);
    }
    return ordered;
  }

  /** Batches read it from front to back: picked here and there from many blocks at once, most rows would miss the processor's cache. */
  #ordered(column: Data, rows: Uint16Array): Data {
    const all = { block: 0, rows, from: 0, count: rows.length, at: 0, stride: 1 };
    return gatheredColumn(column.type, [column], [all], rows.length, (bytes) => this.memory.take(bytes));
  }

  #rowsOf({ from, to }: BlockPiece, { name, rows: make }: BlockOrder): Uint16Array {
    const known = this.#rows.get(name);
    const rows = known ?? make();
    // The next piece is of the same order.
    if (known === undefined && to < rows.length) this.#rows.set(name, rows, rows.byteLength);
    return rows.subarray(from, to);
  }

  #hold(name: string, columns: readonly Data[]): void {
    const memory = memoryOf(columns);
    const bytes = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    this.#held.set(name, { columns, memory, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#held.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#forget(oldest);
    }
  }

  #forget(name: string): void {
    const held = this.#held.get(name);
    if (held === undefined) return;
    this.#held.delete(name);
    this.#bytes -= held.bytes;
    this.#left.push(held);
    this.#leftBytes += held.bytes;
  }

  #file({ path, key }: GroupFile): BlockFile | null {
    const open = this.#files.get(path);
    if (open !== undefined) {
      this.#files.delete(path);
      this.#files.set(path, open);
      return open;
    }
    const file = BlockFile.open(path, key, this.#checked);
    if (file === null) return null;
    this.#files.set(path, file);
    for (const oldest of this.#files.keys()) {
      if (this.#files.size <= feedFilesOpenMax) break;
      this.closeFile(oldest);
    }
    return file;
  }
}

function tooLarge(bytesMax: number): IcecoreError {
  return new IcecoreError(
    'OVERLOADED',
    `The rows of one batch lie in blocks of more than ${bytesMax} bytes together, which is all that a server reads for one. Ask for smaller batches, fewer lanes, or fewer columns.`,
    { context: { bytesMax } },
  );
}

function nameOf({ file, block, range, order, from, to }: BlockPiece): string {
  return `${block} ${range.from} ${range.to} ${from} ${to} ${order?.name ?? ''} ${file.key}`;
}

/** All that columns lie on, nested ones too. */
function memoryOf(columns: readonly Data[]): ReadonlySet<ArrayBufferLike> {
  const memory = new Set<ArrayBufferLike>();
  const visit = ({ values, valueOffsets, nullBitmap, children }: Data): void => {
    for (const part of [values, valueOffsets, nullBitmap] as (ArrayBufferView | undefined)[]) {
      if (part !== undefined && part.byteLength > 0) memory.add(part.buffer);
    }
    children.forEach(visit);
  };
  columns.forEach(visit);
  return memory;
}
