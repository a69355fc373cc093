import { freeBytes, newBytes } from './memory.ts';

/** What copies of whole words may read and write behind the last text: memory of texts has it to spare. */
export const slackBytes = 16;
const wordsEach = 4;
const paddedBytes = wordsEach * 4;
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

  constructor({ offsets, bytes, count }: { readonly offsets: Int32Array; readonly bytes: Uint8Array; readonly count: number }) {
    this.#offsets = offsets;
    this.#bytes = bytes;
    this.#padded = paddedWords(offsets, bytes, count);
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
      let from = offsets[indexes[index] as number] as number;
      let to = starts[index] as number;
      const end = starts[index + 1] as number;
      if (end - to > loopBytesMax) {
        target.set(bytes.subarray(from, from + end - to), to);
        continue;
      }
      for (; to < end; to += 16, from += 16) {
        words.setInt32(to, source.getInt32(from, true), true);
        words.setInt32(to + 4, source.getInt32(from + 4, true), true);
        words.setInt32(to + 8, source.getInt32(from + 8, true), true);
        words.setInt32(to + 12, source.getInt32(from + 12, true), true);
      }
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

/** Most texts are short: then a loop is faster than a call. */
export function copyShort(source: Uint8Array, from: number, length: number, target: Uint8Array, to: number): void {
  if (length <= 24) for (let index = 0; index < length; index++) target[to + index] = source[from + index] as number;
  else target.set(source.subarray(from, from + length), to);
}
