import { IcecoreError } from '../errors.ts';
import type { CellLoops, Cells } from './cell-loop.ts';
import { cellLoops } from './cell-loops.ts';
import { isContiguous, type RowPick } from './row-pick.ts';
import { lanesAtOnce, type Weave } from './woven-picks.ts';

/** Bytes that lanes are woven into at a time: what is written stays in the first cache until all lanes have come by. */
const turnBytes = 32 * 1024;

/**
 * Copies the picked cells of blocks, `width` bytes each, to their places in the target. `sourceOf` gives the values of a block. `isDouble`
 * where cells are doubles: those are copied as such. Bits of all others survive by the language's own rules, since they travel as integers;
 * those of a NaN among doubles do in V8.
 */
export function copyCells(
  sourceOf: (block: number) => Uint8Array,
  target: Uint8Array,
  { weaves, picks }: { readonly weaves: readonly Weave[]; readonly picks: readonly RowPick[] },
  width: number,
  isDouble: boolean,
): void {
  const loops = cellLoops(width, isDouble);
  // A view of bytes that lie anywhere is one of a copy.
  if (target.byteOffset % 8 !== 0) throw new IcecoreError('INTERNAL', 'Cells can be gathered to multiples of 8 bytes alone.');
  const to = loops.view(target);
  for (const pick of picks) {
    if (pick.count === 0) continue;
    const { from, count, at, stride } = pick;
    if (isContiguous(pick)) target.set(sourceOf(pick.block).subarray(from * width, (from + count) * width), at * width);
    else if (pick.rows === null) loops.strided(loops.view(sourceOf(pick.block)), to, from, count, at, stride, loops.perCell);
    else loops.rows(loops.view(sourceOf(pick.block)), to, pick.rows, from, count, at, stride, loops.perCell);
  }
  for (const weave of weaves) {
    const sources = weave.picks.map(({ block }) => loops.view(sourceOf(block)));
    weaveCells(loops, sources, to, weave, Math.max(1, Math.floor(turnBytes / (width * weave.picks.length))));
  }
}

function weaveCells(loops: CellLoops<Cells>, sources: readonly Cells[], target: Cells, weave: Weave, turnRows: number): void {
  const { picks, at, count } = weave;
  const { strided, woven, perCell } = loops;
  const lanes = picks.length;
  for (let done = 0; done < count; done += turnRows) {
    const turn = Math.min(turnRows, count - done);
    for (let lane = 0; lane < lanes; lane += woven === null ? 1 : lanesAtOnce) {
      const fromOf = (which: number) => (picks[which] as RowPick).from + done;
      const sourceOf = (which: number) => sources[which] as Cells;
      const place = at + done * lanes + lane;
      if (woven === null) strided(sourceOf(lane), target, fromOf(lane), turn, place, lanes, perCell);
      else {
        const froms = [fromOf(lane), fromOf(lane + 1), fromOf(lane + 2), fromOf(lane + 3)] as const;
        woven(sourceOf(lane), sourceOf(lane + 1), sourceOf(lane + 2), sourceOf(lane + 3), target, froms, turn, place, lanes);
      }
    }
  }
}
