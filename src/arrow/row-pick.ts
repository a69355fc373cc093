/**
 * `count` rows of a block go to the places `at`, `at + stride`, … of a batch: those at `rows[from]`, `rows[from + 1]`, …, or, where
 * `rows` is null, `from`, `from + 1`, …
 */
export interface RowPick {
  readonly block: number;
  readonly rows: Uint16Array | Uint32Array | null;
  readonly from: number;
  readonly count: number;
  readonly at: number;
  readonly stride: number;
}

/** Runs of cells of one block's column, each to a run of places: the elements of lists, whose lists were picked. */
export interface CellRuns {
  readonly block: number;
  /** Of each run: its first cell, how many cells, and its first place. */
  readonly starts: Int32Array;
  readonly lengths: Int32Array;
  readonly ats: Int32Array;
  /** Cells of all runs. */
  readonly count: number;
}

/** Which cells of a block's column go where in a batch's. */
export type CellPick = RowPick | CellRuns;

export function isRuns(pick: CellPick): pick is CellRuns {
  return 'starts' in pick;
}

/** Whether the cells of a block lie in the batch as they lie in the block. */
export function isContiguous(pick: CellPick): pick is RowPick & { readonly rows: null } {
  return !isRuns(pick) && pick.rows === null && (pick.stride === 1 || pick.count === 1);
}

/** Each cell and its place, one by one. */
export interface PlacedCells {
  readonly cells: Int32Array;
  readonly places: Int32Array;
}

/** Spells a pick out into two arrays of `pick.count`, which it fills and gives back. */
export function placeCells(pick: CellPick, cells: Int32Array, places: Int32Array): PlacedCells {
  if (isRuns(pick)) placeRuns(pick, cells, places);
  else placeRows(pick, cells, places);
  return { cells, places };
}

function placeRows({ rows, from, count, at, stride }: RowPick, cells: Int32Array, places: Int32Array): void {
  if (rows === null) for (let index = 0; index < count; index++) cells[index] = from + index;
  else cells.set(rows.subarray(from, from + count));
  for (let index = 0, place = at; index < count; index++, place += stride) places[index] = place;
}

function placeRuns({ starts, lengths, ats }: CellRuns, cells: Int32Array, places: Int32Array): void {
  for (let run = 0, index = 0; run < starts.length; run++) {
    const start = starts[run] as number;
    const at = ats[run] as number;
    const end = index + (lengths[run] as number);
    for (let offset = 0; index < end; index++, offset++) {
      cells[index] = start + offset;
      places[index] = at + offset;
    }
  }
}
