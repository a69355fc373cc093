import { createHash } from 'node:crypto';
import type { FeedOrder } from '../feed/feed-input.ts';

/** The order of semantics, section 2; docs/order.md says it to the bit. */
export const orderName = 'icecore-order/1';

/** What the words of an epoch are for: the permutation of groups, the sorting of rows within a block, the permutation of all rows. */
export type OrderPurpose = 'groups' | 'rows' | 'all';

/** A bijection of 32-bit numbers in which every bit of the input sways every bit of the outcome. Takes any integer, modulo 2^32. */
export function mix32(value: number): number {
  let mixed = value >>> 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}

/** The eight 32-bit words from which everything random of an epoch follows: a SHA-256, little-endian. */
export function orderWords(purpose: OrderPurpose, { seed, epoch }: Pick<FeedOrder, 'seed' | 'epoch'>): Uint32Array {
  const digest = createHash('sha256').update(`${orderName}:${purpose}:${seed}:${epoch}`).digest();
  return Uint32Array.from({ length: 8 }, (_, word) => digest.readUInt32LE(4 * word));
}
