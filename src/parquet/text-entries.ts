import type { ByteCursor } from './hybrid.ts';
import { freeBytes, newBytes } from './memory.ts';
import { damaged } from './parquet-error.ts';

/** What copies of whole words may read and write behind the last text: memory of texts has it to spare. */
export const slackBytes = 16;
const wordsEach = 4;
const paddedBytes = wordsEach * 4;
/** What it takes to pad a text is regained by so many copies of it. */
const paddingWorthCopies = 8;
/** A call for one copy costs as much as so many bytes of a loop. */
const loopBytesMax = 128;

/**
 * The texts of a dictionary, as they are copied again and again. Bytes are copied in whole words, and what is too much is written over by
 * the next text: byte by byte takes three times as long.
 */
export class TextEntries {
  readonly #offsets: Int32Array;
  readonly #bytes: Uint8Array;
  /** All of them in four words each, where none is longer: then no copy has to ask how long. */
  readonly #padded: Int32Array | null;

  /** `copies` is how many there will be, about. */
  constructor(texts: { readonly offsets: Int32Array; readonly bytes: Uint8Array; readonly count: number }, copies: number) {
    this.#offsets = texts.offsets;
    this.#bytes = texts.bytes;
    this.#padded = copies < texts.count * paddingWorthCopies ? null : paddedWords(texts.offsets, texts.bytes, texts.count);
  }

  /** Copies the texts of the indexes into `target`, each to where `starts` says; behind the last, `starts` has the end of all. */
  copy(indexes: Int32Array, count: number, target: Uint8Array, starts: Int32Array): void {
    const words = new DataView(target.buffer, target.byteOffset, target.byteLength);
    if (this.#padded === null) this.#copyAny(indexes, count, target, words, starts);
    else copyPadded(this.#padded, indexes, count, words, starts);
  }

  free(): void {
    if (this.#padded !== null) freeBytes(this.#padded);
  }

  #copyAny(indexes: Int32Array, count: number, target: Uint8Array, words: DataView, starts: Int32Array): void {
    const [offsets, bytes] = [this.#offsets, this.#bytes];
    const source = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let index = 0; index < count; index++) {
      const from = offsets[indexes[index] as number] as number;
      const to = starts[index] as number;
      const length = (starts[index + 1] as number) - to;
      if (length > loopBytesMax) target.set(bytes.subarray(from, from + length), to);
      else copyWords(source, from, length, words, to);
    }
  }
}

function paddedWords(offsets: Int32Array, bytes: Uint8Array, count: number): Int32Array | null {
  let longest = 0;
  for (let index = 0; index < count; index++) {
    longest = Math.max(longest, (offsets[index + 1] as number) - (offsets[index] as number));
  }
  if (longest > paddedBytes) return null;
  const padded = newBytes(count * paddedBytes);
  for (let index = 0; index < count; index++) {
    const at = offsets[index] as number;
    padded.set(bytes.subarray(at, at + paddedBytes), index * paddedBytes);
  }
  return new Int32Array(padded.buffer);
}

function copyPadded(padded: Int32Array, indexes: Int32Array, count: number, target: DataView, starts: Int32Array): void {
  for (let index = 0; index < count; index++) {
    const from = (indexes[index] as number) * wordsEach;
    const to = starts[index] as number;
    target.setInt32(to, padded[from] as number, true);
    target.setInt32(to + 4, padded[from + 1] as number, true);
    target.setInt32(to + 8, padded[from + 2] as number, true);
    target.setInt32(to + 12, padded[from + 3] as number, true);
  }
}

/** Copies the bytes of one text; up to `slackBytes` behind it are read and written. */
function copyWords(source: DataView, from: number, length: number, target: DataView, to: number): void {
  for (let at = 0; at < length; at += 16) {
    target.setInt32(to + at, source.getInt32(from + at, true), true);
    target.setInt32(to + at + 4, source.getInt32(from + at + 4, true), true);
    target.setInt32(to + at + 8, source.getInt32(from + at + 8, true), true);
    target.setInt32(to + at + 12, source.getInt32(from + at + 12, true), true);
  }
}

/**
 * Copies texts that lie one behind the other, each with its length in four bytes before it, to `to` and behind, and sets where each ends.
 * Throws where they are longer than the bytes that are there, or than `target` has room for, but for `slackBytes`.
 */
export function copyPrefixed(cursor: ByteCursor, count: number, target: Uint8Array, to: number, ends: Int32Array): void {
  const { bytes, view: source, end } = cursor;
  const words = new DataView(target.buffer, target.byteOffset, target.byteLength);
  const targetEnd = target.length - slackBytes;
  const wordwiseEnd = source.byteLength - slackBytes;
  let from = cursor.at;
  let next = to;
  for (let index = 0; index < count; index++) {
    if (from + 4 > end) throw damaged('a page has fewer values than it says');
    const length = source.getInt32(from, true);
    from += 4;
    if (length < 0 || length > end - from || length > targetEnd - next) throw damaged('a text is longer than its page');
    if (length > loopBytesMax || from + length > wordwiseEnd) target.set(bytes.subarray(from, from + length), next);
    else copyWords(source, from, length, words, next);
    from += length;
    next += length;
    ends[index] = next;
  }
}
