import { IcecoreError } from '../errors.ts';
import { cellLoops } from './cell-loops.ts';
import { isContiguous, type RowPick } from './row-pick.ts';

/** Rows that several picks put next to each other are copied in turns of so many, which keeps what is written in the first cache. */
export const turnRows = 512;

/**
 * Copies the picked cells of blocks, `width` bytes each, to their places in the target. `sourceOf` gives the values of a block. `isDouble`
 * where cells are doubles: those are copied as such. Bits of all others survive by the language's own rules, since they travel as integers;
 * those of a NaN among doubles do in V8.
 */
export function copyCells(
  sourceOf: (block: number) => Uint8Array,
  target: Uint8Array,
  picks: readonly RowPick[],
  width: number,
  isDouble: boolean,
): void {
  const { view, rows, strided, perCell } = cellLoops(width, isDouble);
  // A view of bytes that lie anywhere is one of a copy.
  if (target.byteOffset % 8 !== 0) throw new IcecoreError('INTERNAL', 'Cells can be gathered to multiples of 8 bytes alone.');
  const to = view(target);
  const between: RowPick[] = [];
  for (const pick of picks) {
    if (pick.count === 0) continue;
    const { from, count, at, stride } = pick;
    if (isContiguous(pick)) target.set(sourceOf(pick.block).subarray(from * width, (from + count) * width), at * width);
    else if (pick.rows === null) between.push(pick);
    else rows(view(sourceOf(pick.block)), to, pick.rows, from, count, at, stride, perCell);
  }
  const sources = between.map(({ block }) => view(sourceOf(block)));
  const longest = between.reduce((most, { count }) => Math.max(most, count), 0);
  for (let done = 0; done < longest; done += turnRows) {
    for (let index = 0; index < between.length; index++) {
      const { from, count, at, stride } = between[index] as RowPick;
      const turn = Math.min(turnRows, count - done);
      if (turn > 0)
        strided(sources[index] as (typeof sources)[number], to, from + done, turn, at + done * stride, stride, perCell);
    }
  }
}
