/** Cells as the numbers of an array, `perCell` to a cell. */
type Cells = Uint8Array | Int16Array | Int32Array | Float64Array;
type Rows = Uint16Array | Uint32Array;

/** Copies `count` cells, from `rows[from]` on, to every `stride`-th place from `at` on. */
type CopyRows<Array extends Cells> = (
  source: Array,
  target: Array,
  rows: Rows,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
) => void;

/** Copies `count` cells, from cell `from` on, to every `stride`-th place from `at` on. */
type CopyStrided<Array extends Cells> = (
  source: Array,
  target: Array,
  from: number,
  count: number,
  at: number,
  stride: number,
  perCell: number,
) => void;

/** How cells of one width are copied. */
export interface CellLoops<Array extends Cells> {
  readonly perCell: number;
  /** Bytes that begin at a multiple of the number's size are not copied. */
  readonly view: (bytes: Uint8Array) => Array;
  readonly rows: CopyRows<Array>;
  readonly strided: CopyStrided<Array>;
}

/**
 * The loops for cells of `width` bytes. Each sees one kind of array alone, which is what makes it fast: so the same few lines stand here
 * once a width. `| 0` spares a check for overflow each cell; a 64-bit integer V8 would put on the heap in its own time.
 */
export function cellLoops(width: number, isDouble: boolean): CellLoops<Cells> {
  const loops = isDouble ? doubles : width % 4 === 0 ? wordLoops(width / 4) : width === 2 ? halves : byteLoops(width);
  return loops as unknown as CellLoops<Cells>;
}

function wordLoops(perCell: number): CellLoops<Int32Array> {
  if (perCell === 1) return words;
  return perCell === 2 ? pairs : { perCell, view: int32s, rows: rowsOfWords, strided: stridedWords };
}

function byteLoops(perCell: number): CellLoops<Uint8Array> {
  return { perCell, view: (bytes) => bytes, rows: rowsOfBytes, strided: stridedBytes };
}

const doubles: CellLoops<Float64Array> = {
  perCell: 1,
  view(bytes) {
    const { buffer, byteOffset, byteLength } = alignedTo(8, bytes);
    return new Float64Array(buffer, byteOffset, byteLength >> 3);
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
};

const words: CellLoops<Int32Array> = {
  perCell: 1,
  view: int32s,
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
};

const pairs: CellLoops<Int32Array> = {
  perCell: 2,
  view: int32s,
  rows(source, target, rows, from, count, at, stride) {
    const [end, step] = [(from + count) | 0, stride << 1];
    for (let index = from | 0, place = at << 1; index < end; index++, place = (place + step) | 0) {
      const cell = (rows[index] as number) << 1;
      target[place] = source[cell] as number;
      target[place | 1] = source[cell | 1] as number;
    }
  },
  strided(source, target, from, count, at, stride) {
    const [end, step] = [(from + count) << 1, stride << 1];
    for (let cell = from << 1, place = at << 1; cell < end; cell += 2, place = (place + step) | 0) {
      target[place] = source[cell] as number;
      target[place | 1] = source[cell | 1] as number;
    }
  },
};

const halves: CellLoops<Int16Array> = {
  perCell: 1,
  view(bytes) {
    const { buffer, byteOffset, byteLength } = alignedTo(2, bytes);
    return new Int16Array(buffer, byteOffset, byteLength >> 1);
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
};

const rowsOfWords: CopyRows<Int32Array> = (source, target, rows, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) target[place + part] = source[cell + part] as number;
  }
};

const stridedWords: CopyStrided<Int32Array> = (source, target, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) target[place + part] = source[index * perCell + part] as number;
  }
};

const rowsOfBytes: CopyRows<Uint8Array> = (source, target, rows, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    const cell = (rows[index] as number) * perCell;
    for (let part = 0; part < perCell; part++) target[place + part] = source[cell + part] as number;
  }
};

const stridedBytes: CopyStrided<Uint8Array> = (source, target, from, count, at, stride, perCell) => {
  for (let index = from, place = at * perCell; index < from + count; index++, place += stride * perCell) {
    for (let part = 0; part < perCell; part++) target[place + part] = source[index * perCell + part] as number;
  }
};

function int32s(bytes: Uint8Array): Int32Array {
  const { buffer, byteOffset, byteLength } = alignedTo(4, bytes);
  return new Int32Array(buffer, byteOffset, byteLength >> 2);
}

/** Buffers of streams that others wrote may lie anywhere. */
function alignedTo(bytesEach: number, bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % bytesEach === 0 ? bytes : bytes.slice();
}
