import type { RowPick } from './row-pick.ts';
import { copyBytes, wordsOf } from './run-copy.ts';
import type { Weave } from './woven-picks.ts';

/**
 * Bytes that are copied at a time. Most texts are shorter, and none of those needs a guess of the processor how long it is: what is copied
 * too much is copied over by the next.
 */
const stepBytes = 16;
/** Longer ones are worth a call of the engine's own copy. */
const longBytes = 512;
/** Of 32 bits. */
const numberMax = 2 ** 31 - 1;

/** Texts or binary values of a block. */
export interface Values {
  readonly bytes: Uint8Array;
  readonly offsets: Int32Array;
}

/** Where values go: those of place p begin at `offsets[p]`. */
export type ValueTarget = Values;

/** The length of each picked value, at the place behind its own: what the offsets of the target are the sums of. */
export function measureValues(offsets: Int32Array, { rows, from, count, at, stride }: RowPick, lengths: Int32Array): void {
  let place = at + 1;
  if (rows === null) {
    let start = offsets[from] as number;
    for (let index = from + 1; index <= from + count; index++, place += stride) {
      const end = offsets[index] as number;
      lengths[place] = end - start;
      start = end;
    }
    return;
  }
  for (let index = from; index < from + count; index++, place += stride) {
    const row = rows[index] as number;
    lengths[place] = (offsets[row + 1] as number) - (offsets[row] as number);
  }
}

/** Copies the picked values to where the offsets of the target have them. */
export function copyValues(source: Values, target: ValueTarget, pick: RowPick): void {
  const [reads, writes] = [readsOf(source), wordsOf(target.bytes)];
  if (pick.stride === 1) copyInOrder(source, reads, target, writes, pick);
  else copyOneByOne(source, reads, target, writes, pick);
}

/** As `copyValues`, all lanes of a weave: `sources[lane]` is the block of its pick. */
export function weaveValues(sources: readonly Values[], target: ValueTarget, { picks, at, count }: Weave): void {
  const { bytes, offsets } = target;
  const writes = wordsOf(bytes);
  const reads = sources.map(readsOf);
  const sourceOffsets = sources.map(({ offsets }) => offsets);
  const froms = Int32Array.from(picks, ({ from }) => from);
  const readEnds = Int32Array.from(reads, looseReadEnd);
  const lanes = picks.length;
  const limit = looseEnd(offsets[at + count * lanes] as number);
  let place = at | 0;
  for (let row = 0; row < count; row = (row + 1) | 0) {
    for (let lane = 0; lane < lanes; lane = (lane + 1) | 0, place = (place + 1) | 0) {
      const laneOffsets = sourceOffsets[lane] as Int32Array;
      const laneReads = reads[lane] as DataView;
      const index = ((froms[lane] as number) + row) | 0;
      const start = laneOffsets[index] as number;
      const end = laneOffsets[(index + 1) | 0] as number;
      const write = offsets[place] as number;
      if (isLoose(start, end, readEnds[lane] as number, write, limit)) copyLoosely(laneReads, writes, start, end, write);
      else copyBytes((sources[lane] as Values).bytes, bytes, laneReads, writes, start, end, write);
    }
  }
}

function copyInOrder(source: Values, reads: DataView, target: ValueTarget, writes: DataView, pick: RowPick): void {
  const { rows, from, count, at } = pick;
  const { bytes: sourceBytes, offsets: sourceOffsets } = source;
  const { bytes, offsets } = target;
  const readEnd = looseReadEnd(reads);
  const limit = looseEnd(offsets[at + count] as number);
  for (let index = 0; index < count; index = (index + 1) | 0) {
    const row = rows === null ? (from + index) | 0 : (rows[(from + index) | 0] as number);
    const start = sourceOffsets[row] as number;
    const end = sourceOffsets[(row + 1) | 0] as number;
    const write = offsets[(at + index) | 0] as number;
    if (isLoose(start, end, readEnd, write, limit)) copyLoosely(reads, writes, start, end, write);
    else copyBytes(sourceBytes, bytes, reads, writes, start, end, write);
  }
}

function copyOneByOne(source: Values, reads: DataView, target: ValueTarget, writes: DataView, pick: RowPick): void {
  const { rows, from, count, at, stride } = pick;
  for (let index = from, place = at; index < from + count; index++, place += stride) {
    const row = rows === null ? index : (rows[index] as number);
    const start = source.offsets[row] as number;
    const end = source.offsets[row + 1] as number;
    copyBytes(source.bytes, target.bytes, reads, writes, start, end, target.offsets[place] as number);
  }
}

/** Where the last value ends that something may be written behind: of a run of values that ends at `end`. */
function looseEnd(end: number): number {
  return (end - stepBytes) | 0;
}

function looseReadEnd({ byteLength }: DataView): number {
  return (byteLength - stepBytes) | 0;
}

function isLoose(start: number, end: number, readEnd: number, at: number, limit: number): boolean {
  const length = (end - start) | 0;
  return ((at + length) | 0) <= limit && end <= readEnd && length <= longBytes;
}

/** Writes up to a step more than the value has, which is copied over later. */
function copyLoosely(reads: DataView, writes: DataView, start: number, end: number, at: number): void {
  let read = start;
  let write = at;
  do {
    writes.setBigInt64(write, reads.getBigInt64(read, true), true);
    writes.setBigInt64((write + 8) | 0, reads.getBigInt64((read + 8) | 0, true), true);
    read = (read + stepBytes) | 0;
    write = (write + stepBytes) | 0;
  } while (read < end);
}

/** What lies behind the values may be read too, whatever it is; as far as numbers of 32 bits go. */
function readsOf({ bytes }: Values): DataView {
  const length = Math.min(bytes.buffer.byteLength - bytes.byteOffset, bytes.byteLength + stepBytes, numberMax);
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}
