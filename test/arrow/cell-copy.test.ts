import { expect, it } from 'vitest';
import { copyCells } from '../../src/arrow/cell-copy.ts';

it.each([
  [2, false],
  [4, false],
  [5, false],
  [8, false],
  [8, true],
  [16, false],
])('picks cells of %i bytes from a column of more than 2 GiB', (width, isDouble) => {
  // Pages that nobody writes to take no memory.
  const column = new Uint8Array(Buffer.allocUnsafeSlow(2 ** 31 + 80).buffer);
  const last = Math.floor(column.length / width) - 1;
  column.fill(7, last * width, (last + 1) * width);
  const target = new Uint8Array(2 * width);
  const picks = [{ block: 0, rows: Uint32Array.of(last, last), from: 0, count: 2, at: 0, stride: 1 }];
  copyCells(() => column, target, { weaves: [], picks }, width, isDouble);
  expect(target).toEqual(new Uint8Array(2 * width).fill(7));
});
