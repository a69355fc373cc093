import { IcecoreError } from '../../errors.ts';
import { mix32 } from './order-hash.ts';

/** Over fewer bits, some permutations of five or six groups would come out more often than others. */
const networkBitsMin = 8;

/**
 * A permutation of the whole numbers below `count`, computed and not stored: a Feistel network of one round a word over as many
 * bits as hold them, and at least eight, walked on where it leaves the range. An even number of words; count at most 2^53 (docs/order.md).
 * Throws BAD_USER_INPUT beyond that.
 */
export function permutation(count: number, words: Uint32Array): (index: number) => number {
  const { low, highMask, lowMask } = networkOf(count);
  return (index) => {
    let image = index;
    do {
      let left = Math.floor(image / low);
      let right = image - left * low;
      // Two rounds change both halves, and leave each in its place.
      for (let word = 0; word < words.length; word += 2) {
        left = (left ^ mix32(right + (words[word] ?? 0))) & highMask;
        right = (right ^ mix32(left + (words[word + 1] ?? 0))) & lowMask;
      }
      image = left * low + right;
    } while (image >= count);
    return image;
  };
}

/** The index of each image of `permutation`, by the rounds in reverse. Throws as that. */
export function inversePermutation(count: number, words: Uint32Array): (image: number) => number {
  const { low, highMask, lowMask } = networkOf(count);
  return (image) => {
    let index = image;
    do {
      let left = Math.floor(index / low);
      let right = index - left * low;
      for (let word = words.length - 2; word >= 0; word -= 2) {
        right = (right ^ mix32(left + (words[word + 1] ?? 0))) & lowMask;
        left = (left ^ mix32(right + (words[word] ?? 0))) & highMask;
      }
      index = left * low + right;
    } while (index >= count);
    return index;
  };
}

function networkOf(count: number): { readonly low: number; readonly highMask: number; readonly lowMask: number } {
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new IcecoreError('BAD_USER_INPUT', `A permutation of ${count} rows cannot be computed: 2^53 - 1 are the most.`);
  }
  const bits = Math.max(networkBitsMin, bitLength(Math.max(count - 1, 0)));
  const lowBits = bits >>> 1;
  return { low: 2 ** lowBits, highMask: 2 ** (bits - lowBits) - 1, lowMask: 2 ** lowBits - 1 };
}

/** Bits that the number takes: 3 for 4 to 7. */
function bitLength(value: number): number {
  const upper = Math.floor(value / 2 ** 32);
  return upper === 0 ? 32 - Math.clz32(value) : 64 - Math.clz32(upper);
}
