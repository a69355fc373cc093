/** Random numbers of a seed, the same on every machine (mulberry32). */
export class Dice {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** From 0 to below `limit`. */
  below(limit: number): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), this.#state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296) * limit);
  }
}

/** The bytes cut short, with some flipped, with a part doubled or taken out. */
export function mutated(bytes: Uint8Array, dice: Dice): Uint8Array {
  const copy = Buffer.from(bytes);
  const at = dice.below(copy.length);
  const length = 1 + dice.below(Math.min(64, copy.length - at));
  switch (dice.below(5)) {
    case 0:
      return copy.subarray(0, at);
    case 1:
      return Buffer.concat([copy.subarray(0, at + length), copy.subarray(at)]);
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + length)]);
    case 3:
      for (let index = 0; index < length; index++) copy[at + index] = dice.below(256);
      return copy;
    default:
      for (let flips = 1 + dice.below(4); flips > 0; flips--) {
        const place = dice.below(copy.length);
        copy[place] = (copy[place] ?? 0) ^ (1 << dice.below(8));
      }
      return copy;
  }
}
