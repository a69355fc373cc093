import type { ArrowColumn } from './arrow-column.ts';
import { arrowType } from './arrow-schema.ts';
import { type ParquetType, physical } from './parquet-schema.ts';

/** The values of some slots, in order, in Parquet's PLAIN encoding; of all slots where `slots` is null. */
export function plainValues(column: ArrowColumn, slots: Int32Array | null, type: ParquetType): Uint8Array {
  const { values, length, offsets } = column;
  if (column.field.type === arrowType.null) return new Uint8Array();
  if (type.physical === physical.boolean)
    return slots === null ? values.subarray(0, (length + 7) >> 3) : packedBits(flags(column, slots));
  if (type.physical === physical.byteArray && offsets !== null) return byteArrays(values, offsets, slots ?? every(length));
  if (column.field.type === arrowType.decimal) return decimals(values, slots ?? every(length), type.length ?? 16);
  const width = type.length ?? (type.physical === physical.int32 || type.physical === physical.float ? 4 : 8);
  return slots === null ? values.subarray(0, length * width) : fixed(values, slots, width);
}

/** Slots of a flat column that are not null. */
export function validSlots({ validity, length }: ArrowColumn): Int32Array | null {
  if (validity === null) return null;
  const slots = new Int32Array(length);
  let count = 0;
  for (let slot = 0; slot < length; slot++) if (((validity[slot >> 3] ?? 0) >> (slot & 7)) & 1) slots[count++] = slot;
  return slots.subarray(0, count);
}

function every(length: number): Int32Array {
  return Int32Array.from({ length }, (_, slot) => slot);
}

/** Booleans of some slots, a byte each; of all slots where `slots` is null. */
export function flags({ values, length }: ArrowColumn, slots: Int32Array | null): Uint8Array {
  return Uint8Array.from(slots ?? every(length), (slot) => ((values[slot >> 3] ?? 0) >> (slot & 7)) & 1);
}

/** A bit each, the lowest of a byte first. */
export function packedBits(ones: Uint8Array): Uint8Array {
  const bytes = new Uint8Array((ones.length + 7) >> 3);
  for (const [index, one] of ones.entries()) bytes[index >> 3] = (bytes[index >> 3] ?? 0) | (one << (index & 7));
  return bytes;
}

/** Runs of slots that follow one another are copied at once. */
function fixed(values: Uint8Array, slots: Int32Array, width: number): Uint8Array {
  const bytes = new Uint8Array(slots.length * width);
  for (let from = 0; from < slots.length; ) {
    const first = slots[from] ?? 0;
    let to = from + 1;
    while (to < slots.length && slots[to] === first + to - from) to++;
    bytes.set(values.subarray(first * width, (first + to - from) * width), from * width);
    from = to;
  }
  return bytes;
}

/** Four bytes of length before each. */
function byteArrays(values: Uint8Array, offsets: Int32Array, slots: Int32Array): Uint8Array {
  let size = slots.length * 4;
  for (const slot of slots) size += (offsets[slot + 1] ?? 0) - (offsets[slot] ?? 0);
  const bytes = Buffer.allocUnsafe(size);
  let at = 0;
  for (const slot of slots) {
    const [start = 0, end = 0] = [offsets[slot], offsets[slot + 1]];
    at = bytes.writeUInt32LE(end - start, at);
    // For texts as short as most are, a loop costs less than a call.
    if (end - start < 32) for (let from = start; from < end; from++) bytes[at++] = values[from] ?? 0;
    else {
      bytes.set(values.subarray(start, end), at);
      at += end - start;
    }
  }
  return bytes;
}

/** From sixteen bytes, the lowest first, to as many as the precision takes, the highest first. */
function decimals(values: Uint8Array, slots: Int32Array, length: number): Uint8Array {
  const bytes = new Uint8Array(slots.length * length);
  for (const [index, slot] of slots.entries()) {
    for (let byte = 0; byte < length; byte++) bytes[index * length + length - 1 - byte] = values[slot * 16 + byte] ?? 0;
  }
  return bytes;
}
