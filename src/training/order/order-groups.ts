import { IcecoreError } from '../../errors.ts';
import { blockRowsMax } from './block-shuffle.ts';

/** The groups with a matching row, in order of (data sequence number, path bytes, ordinal); a group's key is its index here. */
export interface OrderGroups {
  readonly count: number;
  readonly rows: number;
  /** Blocks of all groups. */
  readonly blocks: number;
  /** Matching rows of each. */
  readonly rowCounts: Uint32Array;
  /** The key of each group's first block. */
  readonly firstBlocks: Uint32Array;
  /** The place of each among all groups given; null where that is its key, since none was left out. */
  readonly places: Uint32Array | null;
}

/**
 * Groups by their matching rows, those without one left out. `matchingRows` is kept, not copied, where all have one.
 * Throws BAD_USER_INPUT beyond 2^53 rows or 2^32 blocks.
 */
export function orderGroups(matchingRows: Uint32Array): OrderGroups {
  const whole = !matchingRows.includes(0);
  const places = whole ? null : Uint32Array.from(matchingRows.keys()).filter((place) => matchingRows[place] !== 0);
  const rowCounts = whole ? matchingRows : matchingRows.filter((rowCount) => rowCount !== 0);
  const firstBlocks = new Uint32Array(rowCounts.length);
  let [rows, blocks] = [0, 0];
  for (const [key, rowCount] of rowCounts.entries()) {
    firstBlocks[key] = blocks;
    rows += rowCount;
    blocks += Math.ceil(rowCount / blockRowsMax);
  }
  if (!Number.isSafeInteger(rows) || blocks > 2 ** 32) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `${rows} rows in ${blocks} blocks cannot be ordered: 2^53 - 1 rows and 2^32 blocks are the most.`,
    );
  }
  return { count: rowCounts.length, rows, blocks, rowCounts, firstBlocks, places };
}
