import fc from 'fast-check';
import { expect, it } from 'vitest';
import { gatheredColumn } from '../../src/arrow/gathered-column.ts';
import { MessageMemory } from '../../src/arrow/message-memory.ts';
import { batchCases } from './batch-case.ts';
import { cellText } from './cell-text.ts';

it('puts the rows of a column of any type in another order, on memory that may have been used before', () => {
  const memory = new MessageMemory(2 ** 20);
  fc.assert(
    fc.property(batchCases, ({ blocks }) => {
      for (const column of blocks.flat()) {
        const rows = Uint16Array.from({ length: column.length }, (_, index) => (index * 7 + 3) % column.length);
        const all = { block: 0, rows, from: 0, count: rows.length, at: 0, stride: 1 };
        const shuffled = gatheredColumn(column.type, [column], [all], rows.length, (bytes) => memory.take(bytes));
        expect(Array.from(rows, (_, index) => cellText(shuffled, index))).toEqual(
          Array.from(rows, (row) => cellText(column, row)),
        );
        for (const { buffer } of [shuffled.values, shuffled.nullBitmap].filter((view) => ArrayBuffer.isView(view))) {
          if (buffer.byteLength > 0) new Uint8Array(buffer).fill(0xa5);
          memory.give(buffer);
        }
      }
    }),
  );
});
