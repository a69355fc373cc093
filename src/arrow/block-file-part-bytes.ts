import { type Data, DataType } from 'apache-arrow';
import { aligned, buffersOf } from './block-file-part.ts';
import type { BatchGather } from './column-gather.ts';

/** Memory beyond this is let go of once its parts are written. */
const keptBytesMax = 16 * 1024 * 1024;
const startBytes = 1024 * 1024;

/** One part, on memory that is used again: good until the bytes are taken. */
export interface LaidPart {
  readonly bytes: Buffer;
  readonly numbers: readonly number[];
}

/** Lays parts down one behind the other, until they are taken. */
export class PartBytes {
  #bytes: Buffer<ArrayBuffer>;
  #length = 0;
  #numbers: number[] = [];

  /** On memory that is given, until more is needed. */
  constructor(memory: Uint8Array<ArrayBuffer> = Buffer.allocUnsafeSlow(startBytes)) {
    this.#bytes = Buffer.from(memory.buffer, memory.byteOffset, memory.byteLength);
  }

  get length(): number {
    return this.#length;
  }

  /** A column: one that is sliced comes as if it had never been part of another. */
  write(data: Data): LaidPart {
    return this.#part(() => this.#node(data));
  }

  /** A column as it is gathered, which has to be the only one of `gathered`. */
  writeGathered(type: DataType, gathered: BatchGather): LaidPart {
    return this.#part(() => {
      const [nodes, buffers] = [[...gathered.nodes], [...gathered.buffers]];
      const lay = (type: DataType) => {
        const { length, nullCount } = nodes.shift() ?? { length: 0, nullCount: 0 };
        this.#numbers.push(length, nullCount);
        for (let count = buffersOf(type); count > 0; count--) {
          const buffer = buffers.shift();
          buffer?.write(this.#extend(buffer.byteLength));
        }
        for (const child of type.children ?? []) lay(child.type);
      };
      lay(type);
    });
  }

  /** Everything laid down; begins anew. Good until the next part. */
  take(): Buffer {
    const taken = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    if (this.#bytes.length > keptBytesMax) this.#bytes = Buffer.allocUnsafeSlow(startBytes);
    return taken;
  }

  #part(lay: () => void): LaidPart {
    const start = this.#length;
    this.#numbers = [];
    lay();
    return { bytes: this.#bytes.subarray(start, this.#length), numbers: this.#numbers };
  }

  #node(data: Data): void {
    const { type, length } = data;
    const nullCount = DataType.isNull(type) ? length : data.nullCount;
    this.#numbers.push(length, nullCount);
    if (DataType.isNull(type)) return;
    if (nullCount === 0) this.#extend(0);
    else sliceBits(data.nullBitmap as Uint8Array, data.offset, length, this.#extend(Math.ceil(length / 8)));
    if (DataType.isStruct(type)) {
      for (const child of data.children) this.#node(cut(child, 0, length));
    } else if (DataType.isList(type) || DataType.isMap(type)) {
      const { begin, end } = this.#offsets(data);
      const [child] = data.children;
      if (child !== undefined) this.#node(cut(child, begin, end - begin));
    } else if (DataType.isUtf8(type) || DataType.isBinary(type)) {
      const { begin, end } = this.#offsets(data);
      this.#copy(bytesOf(data.values).subarray(begin, end), end - begin);
    } else if (DataType.isBool(type)) {
      sliceBits(bytesOf(data.values), data.offset, length, this.#extend(Math.ceil(length / 8)));
    } else {
      const bytes = length * data.stride * type.ArrayType.BYTES_PER_ELEMENT;
      this.#copy(bytesOf(data.values).subarray(0, bytes), bytes);
    }
  }

  /** Offsets from zero on. */
  #offsets({ length, valueOffsets }: Data): { readonly begin: number; readonly end: number } {
    const target = this.#extend(4 * (length + 1));
    if (length === 0) {
      target.fill(0);
      return { begin: 0, end: 0 };
    }
    const source = valueOffsets as Int32Array;
    const begin = source[0] ?? 0;
    const offsets = new Int32Array(target.buffer, target.byteOffset, length + 1);
    if (begin === 0) offsets.set(source.subarray(0, length + 1));
    else for (let index = 0; index <= length; index++) offsets[index] = (source[index] ?? 0) - begin;
    return { begin, end: source[length] ?? 0 };
  }

  /** What a writer left out at the end, where all is null, is zero. */
  #copy(source: Uint8Array, bytes: number): void {
    const target = this.#extend(bytes);
    target.set(source);
    if (source.length < bytes) target.fill(0, source.length);
  }

  /** Room for a buffer; what is behind it is zero up to the next. */
  #extend(bytes: number): Uint8Array {
    const start = this.#length;
    const end = start + aligned(bytes);
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, start));
      this.#bytes = grown;
    }
    this.#bytes.fill(0, start + bytes, end);
    this.#length = end;
    this.#numbers.push(bytes);
    return this.#bytes.subarray(start, start + bytes);
  }
}

function cut(data: Data, from: number, length: number): Data {
  return from === 0 && data.length === length ? data : data.slice(from, length);
}

function bytesOf(values: ArrayBufferView | undefined): Uint8Array {
  if (values === undefined) return new Uint8Array(0);
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** Bits [from, from + count) to the front of the target; those behind the last are zero. */
function sliceBits(source: Uint8Array, from: number, count: number, target: Uint8Array): void {
  const [first, shift] = [from >> 3, from & 7];
  if (shift === 0) target.set(source.subarray(first, first + target.length));
  else {
    for (let byte = 0; byte < target.length; byte++) {
      const [low, high] = [source[first + byte] ?? 0, source[first + byte + 1] ?? 0];
      target[byte] = (low >> shift) | (high << (8 - shift));
    }
  }
  if (count % 8 > 0) target[target.length - 1] = (target.at(-1) ?? 0) & ((1 << (count & 7)) - 1);
}
