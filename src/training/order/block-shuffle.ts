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
  const hashes = new Uint32Array(rowCount);
  for (let index = 0; index < rowCount; index++) hashes[index] = mix32(mix32(index + first) ^ second);
  return sortedByHash(hashes);
}

/**
 * Rows are dealt by the upper bits of their hashes to runs of two to four, then put in order by insertion, which never leaves a run:
 * hashes are spread evenly, so this takes a tenth of a comparing sort's time. Stable.
 */
function sortedByHash(hashes: Uint32Array): Uint16Array {
  const bits = Math.max(1, 30 - Math.clz32(hashes.length));
  const shift = 32 - bits;
  const places = new Uint32Array(2 ** bits + 1);
  for (let row = 0; row < hashes.length; row++) {
    const next = ((hashes[row] ?? 0) >>> shift) + 1;
    places[next] = (places[next] ?? 0) + 1;
  }
  for (let run = 1; run < places.length; run++) places[run] = (places[run] ?? 0) + (places[run - 1] ?? 0);
  const rows = new Uint16Array(hashes.length);
  const sorted = new Uint32Array(hashes.length);
  for (let row = 0; row < hashes.length; row++) {
    const hash = hashes[row] ?? 0;
    const place = places[hash >>> shift] ?? 0;
    places[hash >>> shift] = place + 1;
    sorted[place] = hash;
    rows[place] = row;
  }
  for (let end = 1; end < sorted.length; end++) {
    // Not by destructuring, which would make an array a row.
    const hash = sorted[end] ?? 0;
    const row = rows[end] ?? 0;
    let place = end;
    for (; place > 0 && (sorted[place - 1] ?? 0) > hash; place--) {
      sorted[place] = sorted[place - 1] ?? 0;
      rows[place] = rows[place - 1] ?? 0;
    }
    sorted[place] = hash;
    rows[place] = row;
  }
  return rows;
}
