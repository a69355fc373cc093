import { type CellPick, type CellRuns, isContiguous, isRuns, placeCells, type RowPick } from './row-pick.ts';

/**
 * Copies the picked cells of a column, `width` bytes each, to their places in the target. Bits survive, those of a NaN included: the
 * 64-bit cells go through DataViews' integers, which V8 keeps in registers, where copies through a Float64Array may make a NaN quiet.
 */
export function copyCells(source: Uint8Array, target: Uint8Array, pick: CellPick, width: number): void {
  if (isContiguous(pick)) {
    target.set(source.subarray(pick.from * width, (pick.from + pick.count) * width), pick.at * width);
    return;
  }
  const from = new DataView(source.buffer, source.byteOffset, source.byteLength);
  const to = new DataView(target.buffer, target.byteOffset, target.byteLength);
  if (isRuns(pick)) {
    copyRuns(source, target, from, to, pick, width);
    return;
  }
  const { rows, count, at, stride } = rowsOf(pick);
  const copy = copyOf(width);
  if (copy !== null) copy(from, to, rows.array, rows.from, count, at, stride);
  else copyWide(source, target, rows.array, rows.from, count, at, stride, width);
}

function rowsOf(pick: RowPick) {
  const { rows, from, count, at, stride } = pick;
  if (rows !== null) return { rows: { array: rows, from }, count, at, stride };
  const { cells } = placeCells(pick, new Uint32Array(count), new Uint32Array(count));
  return { rows: { array: cells, from: 0 }, count, at, stride };
}

type Rows = Uint16Array | Uint32Array;
type StridedCopy = (
  source: DataView,
  target: DataView,
  rows: Rows,
  from: number,
  count: number,
  at: number,
  stride: number,
) => void;

/** Each width has a loop of its own, which sees one kind of array and one kind of number. */
function copyOf(width: number): StridedCopy | null {
  switch (width) {
    case 1:
      return copy1;
    case 2:
      return copy2;
    case 4:
      return copy4;
    case 8:
      return copy8;
    case 16:
      return copy16;
    default:
      return null;
  }
}

const copy1: StridedCopy = (source, target, rows, from, count, at, stride) => {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    target.setUint8(place, source.getUint8(rows[index] as number));
  }
};

const copy2: StridedCopy = (source, target, rows, from, count, at, stride) => {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    target.setInt16(place * 2, source.getInt16((rows[index] as number) * 2, true), true);
  }
};

const copy4: StridedCopy = (source, target, rows, from, count, at, stride) => {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    target.setInt32(place * 4, source.getInt32((rows[index] as number) * 4, true), true);
  }
};

const copy8: StridedCopy = (source, target, rows, from, count, at, stride) => {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    target.setBigInt64(place * 8, source.getBigInt64((rows[index] as number) * 8, true), true);
  }
};

const copy16: StridedCopy = (source, target, rows, from, count, at, stride) => {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    const cell = (rows[index] as number) * 16;
    target.setBigInt64(place * 16, source.getBigInt64(cell, true), true);
    target.setBigInt64(place * 16 + 8, source.getBigInt64(cell + 8, true), true);
  }
};

function copyWide(
  source: Uint8Array,
  target: Uint8Array,
  rows: Rows,
  from: number,
  count: number,
  at: number,
  stride: number,
  width: number,
): void {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    const cell = (rows[index] as number) * width;
    const to = place * width;
    for (let byte = 0; byte < width; byte++) target[to + byte] = source[cell + byte] as number;
  }
}

/** Longer ones are worth a call of the engine's own copy, which costs as much as some hundred bytes. */
const wordBytesMax = 256;

function copyRuns(
  source: Uint8Array,
  target: Uint8Array,
  from: DataView,
  to: DataView,
  { starts, lengths, ats }: CellRuns,
  width: number,
): void {
  for (let run = 0; run < starts.length; run++) {
    const bytes = (lengths[run] as number) * width;
    let read = (starts[run] as number) * width;
    let write = (ats[run] as number) * width;
    if (bytes > wordBytesMax) {
      target.set(source.subarray(read, read + bytes), write);
      continue;
    }
    const words = write + (bytes & ~7);
    for (; write < words; read += 8, write += 8) to.setBigInt64(write, from.getBigInt64(read, true), true);
    if ((bytes & 4) !== 0) {
      to.setInt32(write, from.getInt32(read, true), true);
      read += 4;
      write += 4;
    }
    if ((bytes & 2) !== 0) {
      to.setInt16(write, from.getInt16(read, true), true);
      read += 2;
      write += 2;
    }
    if ((bytes & 1) !== 0) to.setUint8(write, from.getUint8(read));
  }
}
