import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import type { Data, Schema } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { temporaryName } from './block-cache-files.ts';
import { blockFileHeader, blockFileTrailer, type DirectoryShape, directoryShape } from './block-file-directory.ts';
import { diskError } from './block-file-failure.ts';
import { type LaidPart, PartBytes } from './block-file-part-bytes.ts';
import { backdate, type CheckedParts, fileState } from './checked-parts.ts';
import { BatchGather } from './column-gather.ts';
import type { RowPick } from './row-pick.ts';
import { ScratchMemory } from './scratch-memory.ts';

/** Of all writers of a thread: each call leaves them empty. */
const parts = new PartBytes();
const scratch = new ScratchMemory();
/** What is laid down is written from so many bytes on. */
const writeBytes = 1024 * 1024;

/** Rows of some columns: of a block, or of a whole row group. */
export interface BlockColumns {
  readonly rowCount: number;
  /** Of the schema's types, each of `rowCount` cells. */
  readonly columns: readonly Data[];
}

/**
 * Writes a block file, either block by block (a block is read at once then) or column by column, for groups too large to hold: one way
 * for all of a file. The file appears under its name when it is whole. Synchronous, for worker threads. All but `abandon` throw OVERLOADED
 * where the disk is full, FAILED_PRECONDITION that can be tried again where somebody removed the file, and leave nothing then.
 */
export class BlockFileWriter {
  /** Where the file will be. */
  readonly path: string;
  readonly #temporary: string;
  readonly #schema: Schema;
  readonly #blockRows: number;
  readonly #checked: CheckedParts | null;
  readonly #shape: DirectoryShape;
  readonly #header: Buffer;
  /** The numbers of each block. */
  readonly #blocks: Float64Array[] = [];
  /** Which columns were written, where they come one by one. */
  readonly #written = new Set<number>();
  #isOpen = true;
  /** Null while it rests. */
  #file: number | null;
  #position = 0;

  private constructor(path: string, key: string, schema: Schema, blockRows: number, checked: CheckedParts | null) {
    this.path = path;
    this.#temporary = temporaryName(path);
    this.#schema = schema;
    this.#blockRows = blockRows;
    this.#checked = checked;
    this.#shape = directoryShape(schema);
    this.#header = blockFileHeader(key, schema);
    try {
      mkdirSync(dirname(path), { recursive: true });
      this.#file = openSync(this.#temporary, 'wx');
    } catch (error) {
      throw diskError(path, error);
    }
    this.#append(this.#header);
  }

  /**
   * `blockRows` is how many rows a block has at most. Makes the directory where there is none. `checked` is told that nobody needs to check
   * the file.
   */
  static create(
    path: string,
    key: string,
    schema: Schema,
    blockRows: number,
    checked: CheckedParts | null = null,
  ): BlockFileWriter {
    return new BlockFileWriter(path, key, schema, blockRows, checked);
  }

  /** Holds no file open until the next call: of thousands that are written in turns, each rests most of the time. */
  rest(): void {
    const file = this.#file;
    // First, since the number is another's file once it is closed, also where closing fails.
    this.#file = null;
    if (file !== null) closeSync(file);
  }

  /** Bytes written so far. */
  get bytes(): number {
    return this.#position;
  }

  /** The next block. */
  write({ rowCount, columns }: BlockColumns): void {
    this.#check(this.#written.size === 0, 'is written column by column');
    this.#check(rowCount <= this.#blockRows, `takes blocks of ${this.#blockRows} rows, not of ${rowCount}`);
    this.#check(
      columns.length === this.#schema.fields.length,
      `has ${this.#schema.fields.length} columns, not ${columns.length}`,
    );
    const numbers = this.#newBlock(rowCount);
    for (const [column, data] of columns.entries()) this.#writePart(numbers, column, data);
    this.#flush();
  }

  /** The next block, of rows of other blocks: `sources[i]` are the columns of block i, and the picks fill each place once. */
  writePicks(sources: readonly (readonly Data[])[], picks: readonly RowPick[], rowCount: number): void {
    this.#check(this.#written.size === 0, 'is written column by column');
    this.#check(rowCount <= this.#blockRows, `takes blocks of ${this.#blockRows} rows, not of ${rowCount}`);
    const numbers = this.#newBlock(rowCount);
    for (const [column, { type }] of this.#schema.fields.entries()) {
      scratch.reset();
      const gather = new BatchGather(scratch);
      gather.column(
        type,
        sources.map((columns) => columns[column]),
        picks,
        rowCount,
      );
      this.#add(numbers, column, parts.writeGathered(type, gather));
    }
    this.#flush();
  }

  /** The next rows, as many as they are, in as many blocks as they take. */
  writeRows({ rowCount, columns }: BlockColumns): void {
    for (let from = 0; from < rowCount; from += this.#blockRows) {
      const count = Math.min(this.#blockRows, rowCount - from);
      this.write({ rowCount: count, columns: columns.map((data) => data.slice(from, count)) });
    }
  }

  /** A whole column of the file; all have the same number of rows. */
  writeColumn(column: number, data: Data): void {
    this.#check(this.#written.size > 0 || this.#blocks.length === 0, 'is written block by block');
    this.#check(column in this.#schema.fields && !this.#written.has(column), `cannot take column ${column} now`);
    if (this.#written.size === 0) {
      for (let from = 0; from < data.length; from += this.#blockRows) {
        this.#newBlock(Math.min(this.#blockRows, data.length - from));
      }
    }
    parts.take();
    this.#written.add(column);
    this.#check(data.length === this.#rowCount, `has ${this.#rowCount} rows, its column ${column} ${data.length}`);
    let from = 0;
    for (const numbers of this.#blocks) {
      const count = numbers[0] ?? 0;
      this.#writePart(numbers, column, count === data.length ? data : data.slice(from, count));
      from += count;
    }
    this.#flush();
  }

  /** Puts the file in its place, where it replaces another; its bytes. */
  finish(): number {
    const columns = this.#schema.fields.length;
    this.#check(this.#written.size === 0 || this.#written.size === columns, `lacks columns of its ${columns}`);
    const directory = Buffer.concat(this.#blocks.map(({ buffer }) => new Uint8Array(buffer as ArrayBuffer)));
    const trailer = blockFileTrailer(this.#header, this.#position, directory);
    this.#append(directory);
    this.#append(trailer);
    try {
      if (this.#file !== null) backdate(this.#file);
      renameSync(this.#temporary, this.path);
      const state = this.#file === null ? null : fileState(this.#file);
      if (state !== null) this.#checked?.of(state).addAll();
      this.#end();
    } catch (error) {
      this.abandon();
      throw diskError(this.path, error);
    }
    return this.#position;
  }

  /** Leaves nothing; does nothing after `finish`. */
  abandon(): void {
    this.#end();
    rmSync(this.#temporary, { force: true });
  }

  get #rowCount(): number {
    return this.#blocks.reduce((sum, numbers) => sum + (numbers[0] ?? 0), 0);
  }

  #newBlock(rowCount: number): Float64Array {
    // What another's failed call left.
    parts.take();
    const numbers = new Float64Array(this.#shape.blockNumbers);
    numbers[0] = rowCount;
    this.#blocks.push(numbers);
    return numbers;
  }

  #writePart(block: Float64Array, column: number, data: Data): void {
    this.#check(data.length === block[0], `has a block of ${block[0]} rows, and ${data.length} in column ${column}`);
    this.#add(block, column, parts.write(data));
  }

  #add(block: Float64Array, column: number, { bytes, numbers }: LaidPart): void {
    const start = this.#shape.columns[column]?.start ?? 0;
    block.set([this.#position + parts.length - bytes.length, bytes.length, crc32(bytes), ...numbers], start);
    if (parts.length >= writeBytes) this.#flush();
  }

  #flush(): void {
    this.#append(parts.take());
  }

  #append(bytes: Buffer): void {
    if (!this.#isOpen) throw new IcecoreError('INTERNAL', `The block file ${this.path} is closed.`);
    try {
      this.#file ??= openSync(this.#temporary, 'r+');
      const file = this.#file;
      for (let done = 0; done < bytes.length; ) done += writeSync(file, bytes, done, bytes.length - done, this.#position + done);
    } catch (error) {
      this.abandon();
      throw diskError(this.path, error);
    }
    this.#position += bytes.length;
  }

  #end(): void {
    this.rest();
    this.#isOpen = false;
  }

  #check(isRight: boolean, otherwise: string): void {
    if (!isRight) throw new IcecoreError('INTERNAL', `The block file ${this.path} ${otherwise}.`);
  }
}
