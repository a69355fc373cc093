import type { Data, DataType } from 'apache-arrow';
import { aligned, readPart } from './block-file-part.ts';
import { PartBytes } from './block-file-part-bytes.ts';
import { BatchGather } from './column-gather.ts';
import type { RowPick } from './row-pick.ts';
import { ScratchMemory } from './scratch-memory.ts';

const scratch = new ScratchMemory();

/** Gives at least so many bytes. */
export type TakeMemory = (bytes: number) => Uint8Array<ArrayBuffer>;

/**
 * A column of `rowCount` picked cells, on the memory that `take` gives: `sources[i]` is that of block i. Throws OVERLOADED beyond 2 GiB.
 */
export function gatheredColumn(
  type: DataType,
  sources: readonly Data[],
  picks: readonly RowPick[],
  rowCount: number,
  take: TakeMemory,
): Data {
  scratch.reset();
  const gather = new BatchGather(scratch);
  gather.column(type, sources, picks, rowCount);
  const memory = take(gather.buffers.reduce((sum, { byteLength }) => sum + aligned(byteLength), 0));
  const { bytes, numbers } = new PartBytes(memory).writeGathered(type, gather);
  return readPart(type, bytes.buffer as ArrayBuffer, bytes.byteOffset, Float64Array.from(numbers));
}
