import type { Data, DataType } from 'apache-arrow';
import { PartBytes, readPart } from './block-file-part.ts';
import { BatchGather } from './column-gather.ts';
import type { RowPick } from './row-pick.ts';
import { ScratchMemory } from './scratch-memory.ts';

const scratch = new ScratchMemory();

/** A column of `rowCount` picked cells on memory of its own: `sources[i]` is that of block i. Throws OVERLOADED beyond 2 GiB. */
export function gatheredColumn(type: DataType, sources: readonly Data[], picks: readonly RowPick[], rowCount: number): Data {
  scratch.reset();
  const gather = new BatchGather(scratch);
  gather.column(type, sources, picks, rowCount);
  const { bytes, numbers } = new PartBytes(
    gather.buffers.reduce((sum, { byteLength }) => sum + byteLength + 64, 0),
  ).writeGathered(type, gather);
  return readPart(type, bytes.buffer as ArrayBuffer, bytes.byteOffset, Float64Array.from(numbers));
}
