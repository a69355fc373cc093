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
  if (!Number.isSafeInteger(count) || count < 0) {
    throw new IcecoreError('BAD_USER_INPUT', `A permutation of ${count} rows cannot be computed: 2^53 - 1 are the most.`);
  }
  const bits = Math.max(networkBitsMin, bitLength(Math.max(count - 1, 0)));
  const lowBits = bits >>> 1;
  const [high, low] = [2 ** (bits - lowBits), 2 ** lowBits];
  return (index) => {
    let image = index;
    do {
      let left = Math.floor(image / low);
      let right = image - left * low;
      let [leftMask, rightMask] = [high - 1, low - 1];
      for (const word of words) {
        const next = (left ^ mix32(right + word)) & leftMask;
        [left, right] = [right, next];
        [leftMask, rightMask] = [rightMask, leftMask];
      }
      image = left * low + right;
    } while (image >= count);
    return image;
  };
}

/** Bits that the number takes: 3 for 4 to 7. */
function bitLength(value: number): number {
  const upper = Math.floor(value / 2 ** 32);
  return upper === 0 ? 32 - Math.clz32(value) : 64 - Math.clz32(upper);
}
