import { type ByteCursor, readHybrid } from './hybrid.ts';
import { damaged } from './parquet-error.ts';

/** Bits that a level of at most `max` takes. */
export function levelWidth(max: number): number {
  return 32 - Math.clz32(max);
}

/** Throws where a level is greater than `max`. */
export function readLevels(cursor: ByteCursor, max: number, count: number, target: Uint8Array): void {
  if (!readHybrid(cursor, levelWidth(max), count, target, max)) throw damaged('a value is nested deeper than its column');
}

/** Says of each slot whether it has a value; gives how many slots there are. */
export function slotsOf(definitions: Uint8Array, count: number, slotLevel: number, max: number, valid: Uint8Array): number {
  let slots = 0;
  for (let index = 0; index < count; index++) {
    const level = definitions[index] as number;
    if (level >= slotLevel) valid[slots++] = level === max ? 1 : 0;
  }
  return slots;
}

/** A byte for each value of a chunk, page by page. */
export class LevelStore {
  #levels = new Uint8Array(1024);
  #count = 0;

  /** The next `count` levels, zero so far; valid until the next call. */
  extend(count: number): Uint8Array {
    const start = this.#count;
    this.#count += count;
    if (this.#count > this.#levels.length) {
      const levels = new Uint8Array(Math.max(this.#count, this.#levels.length * 2));
      levels.set(this.#levels.subarray(0, start));
      this.#levels = levels;
    }
    return this.#levels.subarray(start, this.#count);
  }

  get levels(): Uint8Array {
    return this.#levels.subarray(0, this.#count);
  }
}
