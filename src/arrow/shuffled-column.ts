import type { Data, DataType } from 'apache-arrow';
import { aligned, partNumbers, readPart } from './block-file-part.ts';
import { BatchGather } from './column-gather.ts';
import type { MessageMemory } from './message-memory.ts';
import type { ScratchMemory } from './scratch-memory.ts';

/**
 * The rows of a block's column in another order, on memory of their own. What is read from it in that order afterwards lies one behind the
 * other: picked here and there from many blocks at once, most rows would miss the cache.
 */
export function shuffledColumn(column: Data, rows: Uint16Array, scratch: ScratchMemory, memory: MessageMemory): Data {
  scratch.reset();
  const gather = new BatchGather(scratch);
  const { type } = column;
  gather.column(type, [column], [{ block: 0, rows, from: 0, count: rows.length, at: 0, stride: 1 }], rows.length);
  const { nodes, buffers } = gather;
  const bytes = memory.take(buffers.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0));
  let start = 0;
  for (const { byteLength, write } of buffers) {
    write(bytes.subarray(start, start + byteLength));
    start += aligned(byteLength);
  }
  const numbers = new Float64Array(partNumbers(type));
  let [at, node, buffer] = [0, 0, 0];
  const describe = (type: DataType): void => {
    const { length, nullCount } = nodes[node++] ?? { length: 0, nullCount: 0 };
    numbers[at++] = length;
    numbers[at++] = nullCount;
    const own = partNumbers(type) - 2 - (type.children ?? []).reduce((sum, child) => sum + partNumbers(child.type), 0);
    for (let index = 0; index < own; index++) numbers[at++] = buffers[buffer++]?.byteLength ?? 0;
    for (const child of type.children ?? []) describe(child.type);
  };
  describe(type);
  return readPart(type, bytes.buffer, 0, numbers);
}
