import { closeSync, fstatSync, openSync, readSync, rmSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import type { Data, Schema } from 'apache-arrow';
import {
  blockFileMagic,
  type DirectoryShape,
  directoryShape,
  hasRightChecksum,
  parseHeader,
  parseTrailer,
  trailerBytes,
} from './block-file-directory.ts';
import { readPart } from './block-file-part.ts';
import { type CheckedFile, type CheckedParts, fileState } from './checked-parts.ts';

/**
 * Decoded columns on local disk, in blocks (block-file-directory.ts has the layout). A file that is torn, changed, or another's is as good
 * as none: it is removed, and the caller makes it anew. Synchronous, for worker threads.
 */
export class BlockFile {
  readonly path: string;
  readonly schema: Schema;
  readonly bytes: number;
  /** Rows of each block. */
  readonly rowCounts: readonly number[];
  readonly #shape: DirectoryShape;
  readonly #directory: Float64Array;
  readonly #checked: CheckedParts | null;
  /** In the state in which it was seen last. */
  #known: { readonly state: string; readonly parts: CheckedFile } | null = null;
  #file: number | null;

  private constructor(
    path: string,
    file: number,
    bytes: number,
    schema: Schema,
    directory: Float64Array,
    checked: CheckedParts | null,
  ) {
    this.#checked = checked;
    this.path = path;
    this.schema = schema;
    this.bytes = bytes;
    this.#file = file;
    this.#shape = directoryShape(schema);
    this.#directory = directory;
    const { blockNumbers } = this.#shape;
    this.rowCounts = Array.from({ length: directory.length / blockNumbers }, (_, block) => directory[block * blockNumbers] ?? 0);
  }

  /**
   * Null where there is no whole file with this very key. With `checked`, parts that it knows of are not checked again as long as nobody
   * changes the file; else all are at every read.
   */
  static open(path: string, key: string, checked: CheckedParts | null = null): BlockFile | null {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch {
      return null;
    }
    const opened = opening(path, file, key, (...parts) => new BlockFile(...parts, checked));
    if (opened === null) discard(path, file);
    return opened;
  }

  /** Of columns [from, to) of a block. */
  columnBytes(block: number, from: number, to: number): number {
    const { blockNumbers, columns } = this.#shape;
    return columns.slice(from, to).reduce((sum, { start }) => sum + (this.#directory[block * blockNumbers + start + 1] ?? 0), 0);
  }

  /**
   * The columns of a block, or those wanted of them, on one ArrayBuffer of their own, which `memory` gives (at
   * least the bytes that are asked for); null where the file is no longer what was written: it is closed and removed then.
   */
  read(
    block: number,
    wanted: readonly number[] = this.schema.fields.keys().toArray(),
    memory: (bytes: number) => ArrayBuffer = newMemory,
  ): readonly Data[] | null {
    const { blockNumbers } = this.#shape;
    const columns = wanted.map((column) => this.#shape.columns[column] ?? { start: 0, end: 0 });
    const numbers = this.#directory.subarray(block * blockNumbers, (block + 1) * blockNumbers);
    if (this.#file === null || numbers.length !== blockNumbers) return null;
    let total = 0;
    const parts = columns.map(({ start }): PlacedPart => {
      const [offset = 0, bytes = 0, checksum = 0] = numbers.subarray(start, start + 3);
      total += bytes;
      return { offset, bytes, checksum, at: total - bytes };
    });
    const bytes = Buffer.from(memory(total), 0, total);
    const isWhole = this.#readChecked(this.#file, block, wanted, parts, bytes);
    if (!isWhole) {
      discard(this.path, this.#file);
      this.#file = null;
      return null;
    }
    return columns.map(({ start, end }, column) => {
      const type = this.schema.fields[wanted[column] ?? -1]?.type;
      if (type === undefined) throw new RangeError(`${this.path} has no column ${wanted[column]}.`);
      return readPart(type, bytes.buffer, parts[column]?.at ?? 0, numbers.subarray(start + 3, end));
    });
  }

  /** False where one is not what was written. */
  #readChecked(file: number, block: number, wanted: readonly number[], parts: readonly PlacedPart[], target: Buffer): boolean {
    const state = this.#checked === null ? null : fileState(file);
    if (this.#checked === null || state === null) return readParts(file, parts, target);
    if (this.#known?.state !== state) this.#known = { state, parts: this.#checked.of(state) };
    const checked = this.#known.parts;
    const numbers = wanted.map((column) => block * this.schema.fields.length + column);
    // Nobody changed it before it was read, either.
    if (checked.has(numbers) && readParts(file, parts, target, false) && fileState(file) === state) return true;
    if (!readParts(file, parts, target)) return false;
    checked.add(numbers);
    return true;
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file);
    this.#file = null;
  }
}

/** Without zeros first: all of it is read over. */
function newMemory(bytes: number): ArrayBuffer {
  return Buffer.allocUnsafeSlow(bytes).buffer as ArrayBuffer;
}

interface PlacedPart {
  readonly offset: number;
  readonly bytes: number;
  readonly checksum: number;
  /** Where it goes. */
  readonly at: number;
}

/** Read and checked at a time: few enough to be in the processor's cache still when they are checked, which takes half the time then. */
const readBytes = 256 * 1024;

/** Short parts that follow each other in the file are read at once. False where one is not what was written. */
function readParts(file: number, parts: readonly PlacedPart[], target: Buffer, isChecked = true): boolean {
  for (let first = 0, end = 0; first < parts.length; first = end) {
    const { offset = 0, at = 0 } = parts[first] ?? {};
    let length = 0;
    for (end = first; end < parts.length; end++) {
      const part = parts[end] as PlacedPart;
      if (end > first && (part.offset !== offset + length || length + part.bytes > readBytes)) break;
      length += part.bytes;
    }
    const isWhole =
      end === first + 1
        ? readLong(file, parts[first] as PlacedPart, target, isChecked)
        : readFully(file, target.subarray(at, at + length), offset);
    if (!isWhole) return false;
    const isRight = (part: PlacedPart) => crc32(target.subarray(part.at, part.at + part.bytes)) === part.checksum;
    if (isChecked && end > first + 1 && !parts.slice(first, end).every(isRight)) return false;
  }
  return true;
}

/** A part by itself, piece by piece. */
function readLong(file: number, { offset, bytes, checksum, at }: PlacedPart, target: Buffer, isChecked: boolean): boolean {
  if (!isChecked) return readFully(file, target.subarray(at, at + bytes), offset);
  let found = 0;
  for (let done = 0; done < bytes; done += readBytes) {
    const piece = target.subarray(at + done, at + Math.min(bytes, done + readBytes));
    if (!readFully(file, piece, offset + done)) return false;
    found = crc32(piece, found);
  }
  return found === checksum;
}

function readFully(file: number, target: Buffer, position: number): boolean {
  try {
    for (let done = 0; done < target.length; ) {
      const read = readSync(file, target, done, target.length - done, position + done);
      if (read === 0) return false;
      done += read;
    }
    return true;
  } catch {
    return false;
  }
}

type Made = (path: string, file: number, bytes: number, schema: Schema, directory: Float64Array) => BlockFile;

function opening(path: string, file: number, key: string, make: Made): BlockFile | null {
  const { size } = fstatSync(file);
  if (size < trailerBytes) return null;
  const trailer = Buffer.alloc(trailerBytes);
  if (!readFully(file, trailer, size - trailerBytes)) return null;
  const found = parseTrailer(trailer, size);
  if (found === null) return null;
  const header = Buffer.allocUnsafeSlow(found.headerBytes);
  const directory = Buffer.allocUnsafeSlow(found.directoryBytes);
  if (!readFully(file, header, 0) || !readFully(file, directory, found.directoryOffset)) return null;
  if (!hasRightChecksum(header, directory, trailer) || !header.subarray(0, blockFileMagic.length).equals(blockFileMagic)) {
    return null;
  }
  const { key: written, schema } = parseHeader(header);
  if (written !== key) return null;
  return make(path, file, size, schema, new Float64Array(directory.buffer));
}

function discard(path: string, file: number): void {
  closeSync(file);
  try {
    rmSync(path, { force: true });
  } catch {
    // Whoever may not remove it cannot replace it either, and reads it as missing.
  }
}
