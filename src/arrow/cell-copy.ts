import { isContiguous, type RowPick } from './row-pick.ts';

/** Cells of fixed width as the numbers of an array that is fast to copy them by: so many to a cell. */
interface CellView {
  readonly array: Uint8Array | Int16Array | Int32Array | Float64Array;
  readonly perCell: number;
}

type Rows = Uint16Array | Uint32Array;

/** Rows that several picks put next to each other are copied in turns of so many, which keeps what is written in the first cache. */
const turnRows = 512;

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
  const to = viewOf(target, width, isDouble);
  const strided: RowPick[] = [];
  for (const pick of picks) {
    if (pick.count === 0) continue;
    if (isContiguous(pick)) {
      const source = sourceOf(pick.block);
      target.set(source.subarray(pick.from * width, (pick.from + pick.count) * width), pick.at * width);
    } else if (pick.rows === null) {
      strided.push(pick);
    } else {
      copyRows(viewOf(sourceOf(pick.block), width, isDouble), to, pick.rows, pick);
    }
  }
  const sources = strided.map(({ block }) => viewOf(sourceOf(block), width, isDouble));
  inTurns(strided, (turn, index) => {
    const source = sources[index];
    if (source !== undefined) copyStrided(source, to, turn);
  });
}

/** Splits picks that lie between each other into turns of a few rows each. */
export function inTurns(picks: readonly RowPick[], copy: (turn: RowPick, index: number) => void): void {
  const longest = picks.reduce((most, { count }) => Math.max(most, count), 0);
  for (let start = 0; start < longest; start += turnRows) {
    for (const [index, { block, rows, from, count, at, stride }] of picks.entries()) {
      const turnCount = Math.min(turnRows, count - start);
      if (turnCount > 0) copy({ block, rows, from: from + start, count: turnCount, at: at + start * stride, stride }, index);
    }
  }
}

/** Each width has loops of its own, which see one kind of array. */
function copyRows({ array: source, perCell }: CellView, { array: target }: CellView, rows: Rows, pick: RowPick): void {
  const { from, count, at, stride } = pick;
  if (source instanceof Float64Array && target instanceof Float64Array) rows8(source, target, rows, from, count, at, stride);
  else if (source instanceof Int16Array && target instanceof Int16Array) rows2(source, target, rows, from, count, at, stride);
  else if (source instanceof Int32Array && target instanceof Int32Array) {
    if (perCell === 1) rows4(source, target, rows, from, count, at, stride);
    else if (perCell === 2) rows4x2(source, target, rows, from, count, at, stride);
    else rows4xN(source, target, rows, from, count, at, stride, perCell);
  } else if (source instanceof Uint8Array && target instanceof Uint8Array) {
    rows1xN(source, target, rows, from, count, at, stride, perCell);
  }
}

function copyStrided({ array: source, perCell }: CellView, { array: target }: CellView, pick: RowPick): void {
  const { from, count, at, stride } = pick;
  if (source instanceof Float64Array && target instanceof Float64Array) strided8(source, target, from, count, at, stride);
  else if (source instanceof Int16Array && target instanceof Int16Array) strided2(source, target, from, count, at, stride);
  else if (source instanceof Int32Array && target instanceof Int32Array) {
    if (perCell === 1) strided4(source, target, from, count, at, stride);
    else strided4xN(source, target, from, count, at, stride, perCell);
  } else if (source instanceof Uint8Array && target instanceof Uint8Array) {
    strided1xN(source, target, from, count, at, stride, perCell);
  }
}

function viewOf(bytes: Uint8Array, width: number, isDouble: boolean): CellView {
  const elementBytes = isDouble ? 8 : width % 4 === 0 ? 4 : width === 2 ? 2 : 1;
  // Buffers of a stream that others wrote may lie anywhere.
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % elementBytes === 0 ? bytes : bytes.slice();
  const length = Math.floor(byteLength / elementBytes);
  const perCell = width / elementBytes;
  if (isDouble) return { array: new Float64Array(buffer, byteOffset, length), perCell };
  if (elementBytes === 4) return { array: new Int32Array(buffer, byteOffset, length), perCell };
  if (elementBytes === 2) return { array: new Int16Array(buffer, byteOffset, length), perCell };
  return { array: new Uint8Array(buffer, byteOffset, length), perCell };
}

// The same loop for each kind of array: shared, they would see all kinds, and take three times as long.

function rows8(from8: Float64Array, to: Float64Array, rows: Rows, from: number, count: number, at: number, stride: number): void {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    to[place] = from8[rows[index] as number] as number;
  }
}

function rows4(from4: Int32Array, to: Int32Array, rows: Rows, from: number, count: number, at: number, stride: number): void {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    to[place] = from4[rows[index] as number] as number;
  }
}

function rows2(from2: Int16Array, to: Int16Array, rows: Rows, from: number, count: number, at: number, stride: number): void {
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    to[place] = from2[rows[index] as number] as number;
  }
}

function rows4x2(from4: Int32Array, to: Int32Array, rows: Rows, from: number, count: number, at: number, stride: number): void {
  for (let index = from, place = at * 2; index < from + count; index++, place += stride * 2) {
    const cell = (rows[index] as number) * 2;
    to[place] = from4[cell] as number;
    to[place + 1] = from4[cell + 1] as number;
  }
}

function rows4xN(
  from4: Int32Array,
  to: Int32Array,
  rows: Rows,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
): void {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) to[place + part] = from4[cell + part] as number;
  }
}

function rows1xN(
  from1: Uint8Array,
  to: Uint8Array,
  rows: Rows,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
): void {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) to[place + part] = from1[cell + part] as number;
  }
}

function strided8(from8: Float64Array, to: Float64Array, from: number, count: number, at: number, stride: number): void {
  const end = (from + count) | 0;
  for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0) {
    to[place] = from8[index] as number;
    place = (place + stride) | 0;
  }
}

function strided4(from4: Int32Array, to: Int32Array, from: number, count: number, at: number, stride: number): void {
  const end = (from + count) | 0;
  for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0) {
    to[place] = from4[index] as number;
    place = (place + stride) | 0;
  }
}

function strided2(from2: Int16Array, to: Int16Array, from: number, count: number, at: number, stride: number): void {
  const end = (from + count) | 0;
  for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0) {
    to[place] = from2[index] as number;
    place = (place + stride) | 0;
  }
}

function strided4xN(
  from4: Int32Array,
  to: Int32Array,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
): void {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) to[place + part] = from4[index * perCell + part] as number;
  }
}

function strided1xN(
  from1: Uint8Array,
  to: Uint8Array,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
): void {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) to[place + part] = from1[index * perCell + part] as number;
  }
}
