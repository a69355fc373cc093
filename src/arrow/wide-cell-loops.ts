import { alignedTo, type CellLoops } from './cell-loop.ts';

/** Cells of eight bytes that are doubles: in the time before V8 has compiled a loop in earnest, these cost less than big integers. */
export const doubles: CellLoops<Float64Array> = {
  perCell: 1,
  view(bytes) {
    const { buffer, byteOffset, byteLength } = alignedTo(8, bytes);
    return new Float64Array(buffer, byteOffset, Math.floor(byteLength / 8));
  },
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

/** Other cells of eight bytes: a compiled loop moves big integers as the words that they are. */
export const longs: CellLoops<BigInt64Array> = {
  perCell: 1,
  view(bytes) {
    const { buffer, byteOffset, byteLength } = alignedTo(8, bytes);
    return new BigInt64Array(buffer, byteOffset, Math.floor(byteLength / 8));
  },
  rows(source, target, rows, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = source[rows[index] as number] as bigint;
    }
  },
  strided(source, target, from, count, at, stride) {
    const end = (from + count) | 0;
    for (let index = from | 0, place = at | 0; index < end; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = source[index] as bigint;
    }
  },
  woven(one, two, three, four, target, froms, count, at, stride) {
    const [first, second, third, fourth] = froms;
    for (let index = 0, place = at | 0; index < count; index = (index + 1) | 0, place = (place + stride) | 0) {
      target[place] = one[(first + index) | 0] as bigint;
      target[(place + 1) | 0] = two[(second + index) | 0] as bigint;
      target[(place + 2) | 0] = three[(third + index) | 0] as bigint;
      target[(place + 3) | 0] = four[(fourth + index) | 0] as bigint;
    }
  },
};
