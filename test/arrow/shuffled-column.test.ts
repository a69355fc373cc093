import fc from 'fast-check';
import { expect, it } from 'vitest';
import { MessageMemory } from '../../src/arrow/message-memory.ts';
import { ScratchMemory } from '../../src/arrow/scratch-memory.ts';
import { shuffledColumn } from '../../src/arrow/shuffled-column.ts';
import { batchCases } from './batch-case.ts';
import { cellText } from './cell-text.ts';

it('puts the rows of a column of any type in another order, on memory that may have been used before', () => {
  const scratch = new ScratchMemory();
  const memory = new MessageMemory(2 ** 20);
  fc.assert(
    fc.property(batchCases, ({ blocks }) => {
      for (const column of blocks.flat()) {
        const rows = Uint16Array.from({ length: column.length }, (_, index) => (index * 7 + 3) % column.length);
        const shuffled = shuffledColumn(column, rows, scratch, memory);
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
