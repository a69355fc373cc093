import { mix32 } from './order-hash.ts';

/** Matching rows of a block, at most: what is sorted at once, and what a reader of a lane holds. */
export const blockRowsMax = 65_536;

/**
 * The rows of a block, by their indices from 0, in the order of (32-bit hash; index). `words` are the epoch's for rows, `block` is the
 * block's key, below 2^32. The hash has no two rows of a block alike, so the index never decides.
 */
export function shuffledBlock(words: Uint32Array, block: number, rowCount: number): Uint16Array {
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = words;
  const first = mix32(mix32(block ^ w0) + w1);
  const second = mix32(mix32(block ^ w2) + w3);
  const rows = new Uint16Array(rowCount);
  for (const places of [lowPlaces, middlePlaces, highPlaces]) places.fill(0);
  hashRows(first | 0, second | 0, rowCount);
  for (const places of [lowPlaces, middlePlaces, highPlaces]) sumUp(places);
  dealByLow(rowCount);
  dealByMiddle(rowCount);
  dealByHigh(rowCount, rows);
  return rows;
}

// A radix sort from the lowest bits on: without a comparison that the processor would have to guess, and with places few enough for its
// first cache. Each deal is stable. The memory stays for the next block of this thread: nothing here outlives a call.
const lowBits = 11;
const middleBits = 11;
const highBits = 32 - lowBits - middleBits;
const lowMask = 2 ** lowBits - 1;
const middleMask = 2 ** middleBits - 1;
/** Where the next row with such bits goes; one more than there are, since a count lies behind its own. */
const lowPlaces = new Int32Array(2 ** lowBits + 1);
const middlePlaces = new Int32Array(2 ** middleBits + 1);
const highPlaces = new Int32Array(2 ** highBits + 1);
const hashes = new Int32Array(blockRowsMax);
const dealtHashes = new Int32Array(blockRowsMax);
const dealtRows = new Uint16Array(blockRowsMax);
/** What is left after two deals: the high bits of a hash over its row. The hashes are not needed any more. */
const dealtTwice = hashes;

// `| 0` keeps numbers in 32 bits, which spares V8 a check for overflow each row; small functions are compiled early.

function hashRows(first: number, second: number, rowCount: number): void {
  for (let row = 0; row < rowCount; row = (row + 1) | 0) {
    const hash = mixed(mixed((row + first) | 0) ^ second);
    hashes[row] = hash;
    count(lowPlaces, hash & lowMask);
    count(middlePlaces, (hash >>> lowBits) & middleMask);
    count(highPlaces, hash >>> (lowBits + middleBits));
  }
}

/** `mix32` with a sign. */
function mixed(value: number): number {
  let mixed = Math.imul(value ^ (value >>> 16), 0x21f0aaad);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97);
  return mixed ^ (mixed >>> 15);
}

function count(places: Int32Array, bits: number): void {
  const behind = (bits + 1) | 0;
  places[behind] = ((places[behind] as number) + 1) | 0;
}

function sumUp(places: Int32Array): void {
  let sum = 0;
  for (let index = 0; index < places.length; index = (index + 1) | 0) {
    sum = (sum + (places[index] as number)) | 0;
    places[index] = sum;
  }
}

function next(places: Int32Array, bits: number): number {
  const place = places[bits] as number;
  places[bits] = (place + 1) | 0;
  return place;
}

function dealByLow(rowCount: number): void {
  for (let row = 0; row < rowCount; row = (row + 1) | 0) {
    const hash = hashes[row] as number;
    const place = next(lowPlaces, hash & lowMask);
    dealtHashes[place] = hash;
    dealtRows[place] = row;
  }
}

function dealByMiddle(rowCount: number): void {
  for (let index = 0; index < rowCount; index = (index + 1) | 0) {
    const hash = dealtHashes[index] as number;
    const place = next(middlePlaces, (hash >>> lowBits) & middleMask);
    dealtTwice[place] = ((hash >>> (lowBits + middleBits)) << 16) | (dealtRows[index] as number);
  }
}

function dealByHigh(rowCount: number, rows: Uint16Array): void {
  for (let index = 0; index < rowCount; index = (index + 1) | 0) {
    const dealt = dealtTwice[index] as number;
    rows[next(highPlaces, dealt >>> 16)] = dealt & 0xffff;
  }
}
