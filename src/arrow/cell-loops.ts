import { alignedTo, type CellLoops, type Cells } from './cell-loop.ts';
import { doubles, longs } from './wide-cell-loops.ts';

/**
 * The loops for cells of `width` bytes. Each sees one kind of array alone, which is what makes it fast: so the same few lines stand here
 * once a width. `| 0` spares a check for overflow each cell.
 */
export function cellLoops(width: number, isDouble: boolean): CellLoops<Cells> {
  return loopsOf(width, isDouble) as unknown as CellLoops<Cells>;
}

function loopsOf(width: number, isDouble: boolean): unknown {
  if (isDouble) return doubles;
  if (width === 8) return longs;
  if (width === 4) return words;
  if (width === 2) return halves;
  return width % 4 === 0 ? manyWords(width / 4) : manyBytes(width);
}

const words: CellLoops<Int32Array> = {
  perCell: 1,
  view: int32s,
  rows(source, target, rows, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = source[rows[index] as number] as number;
    }
  },
  strided(source, target, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = source[index] as number;
    }
  },
  woven(one, two, three, four, target, froms, count, at, stride) {
    const [first, second, third, fourth] = froms;
    for (let index = 0, place = at | 0; index < count; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = one[(first + index) | 0] as number;
      target[(place + 1) | 0] = two[(second + index) | 0] as number;
      target[(place + 2) | 0] = three[(third + index) | 0] as number;
      target[(place + 3) | 0] = four[(fourth + index) | 0] as number;
    }
  },
};

const halves: CellLoops<Int16Array> = {
  perCell: 1,
  view(bytes) {
    const { buffer, byteOffset, byteLength } = alignedTo(2, bytes);
    return new Int16Array(buffer, byteOffset, Math.floor(byteLength / 2));
  },
  rows(source, target, rows, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index++, place = (place + stride) | 0) {
      target[place] = source[rows[index] as number] as number;
    }
  },
  strided(source, target, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index++, place = (place + stride) | 0)
      target[place] = source[index] as number;
  },
  woven: null,
};

function manyWords(perCell: number): CellLoops<Int32Array> {
  return { perCell, view: int32s, rows: rowsOfWords, strided: stridedWords, woven: null };
}

function manyBytes(perCell: number): CellLoops<Uint8Array> {
  return { perCell, view: (bytes) => bytes, rows: rowsOfBytes, strided: stridedBytes, woven: null };
}

const rowsOfWords: CellLoops<Int32Array>['rows'] = (source, target, rows, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) target[place + part] = source[cell + part] as number;
  }
};

const stridedWords: CellLoops<Int32Array>['strided'] = (source, target, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) target[place + part] = source[index * perCell + part] as number;
  }
};

const rowsOfBytes: CellLoops<Uint8Array>['rows'] = (source, target, rows, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) target[place + part] = source[cell + part] as number;
  }
};

const stridedBytes: CellLoops<Uint8Array>['strided'] = (source, target, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) target[place + part] = source[index * perCell + part] as number;
  }
};

function int32s(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = alignedTo(4, bytes);
  return new Int32Array(buffer, byteOffset, Math.floor(byteLength / 4));
}
