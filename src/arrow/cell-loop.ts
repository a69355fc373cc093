/** Cells as the numbers of an array, `perCell` to a cell. */
export type Cells = Uint8Array | Int16Array | Int32Array | Float64Array | BigInt64Array;

/** How cells of one width are copied. */
export interface CellLoops<Array extends Cells> {
  readonly perCell: number;
  /** Bytes that begin at a multiple of the number's size are not copied. */
  readonly view: (bytes: Uint8Array) => Array;
  /** Copies `count` cells, from `rows[from]` on, to every `stride`-th place from `at` on. */
  readonly rows: (
    source: Array,
    target: Array,
    rows: Uint16Array | Uint32Array,
    from: number,
    count: number,
    at: number,
    stride: number,
    perCell: number,
  ) => void;
  /** Copies `count` cells, from cell `from` on, to every `stride`-th place from `at` on. */
  readonly strided: (
    source: Array,
    target: Array,
    from: number,
    count: number,
    at: number,
    stride: number,
    perCell: number,
  ) => void;
  /** Copies `count` cells of each of four, from cells `froms` on, to four places next to each other, and so on every `stride` places. */
  readonly woven:
    | ((
        one: Array,
        two: Array,
        three: Array,
        four: Array,
        target: Array,
        froms: readonly [number, number, number, number],
        count: number,
        at: number,
        stride: number,
      ) => void)
    | null;
}

/** Buffers of streams that others wrote may lie anywhere. */
export function alignedTo(bytesEach: number, bytes: Uint8Array): Uint8Array {
  return bytes.byteOffset % bytesEach === 0 ? bytes : bytes.slice();
}
