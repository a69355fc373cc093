import { Refusal } from '../refusal.ts';
import { fromArrow } from './arrow-message.ts';
import { type ArrowField, arrowType } from './arrow-schema.ts';
import type { FlatTable } from './flat-table.ts';

/** A column of a record batch, as its buffers have it (format: "Columnar Format"). */
export interface ArrowColumn {
  readonly field: ArrowField;
  readonly length: number;
  /** A bit a slot; null where every slot has a value. */
  readonly validity: Uint8Array | null;
  /** Of texts, bytes, lists and maps: one more than slots. */
  readonly offsets: Int32Array | null;
  readonly values: Uint8Array;
  readonly children: readonly ArrowColumn[];
}

/**
 * The columns of a record batch's message. Throws Refusal where its buffers are compressed, which was not asked for, Unreachable for what is
 * no batch of these columns.
 */
export function arrowColumns(batch: FlatTable, body: Uint8Array, fields: readonly ArrowField[]): readonly ArrowColumn[] {
  return fromArrow(() => columnsOf(batch, body, fields));
}

function columnsOf(batch: FlatTable, body: Uint8Array, fields: readonly ArrowField[]): readonly ArrowColumn[] {
  if (batch.table(3) !== null) throw new Refusal('The batches came compressed, which was not asked for.', 'INTERNAL');
  const nodes = batch.longs(1, 2);
  const ranges = batch.longs(2, 2);
  let [node, buffer] = [0, 0];
  const nextBuffer = (): Uint8Array => {
    const [offset, length] = [Number(ranges[buffer * 2]), Number(ranges[buffer * 2 + 1])];
    buffer++;
    return body.subarray(offset, offset + length);
  };
  const column = (field: ArrowField): ArrowColumn => {
    const [length, nulls] = [Number(nodes[node * 2]), Number(nodes[node * 2 + 1])];
    node++;
    const { type } = field;
    if (type === arrowType.null) {
      return {
        field,
        length,
        validity: new Uint8Array((length + 7) >> 3),
        offsets: null,
        values: new Uint8Array(),
        children: [],
      };
    }
    const bits = nextBuffer();
    const offsets = hasOffsets.has(type) ? int32s(nextBuffer(), length + 1) : null;
    const values = isNested.has(type) ? new Uint8Array() : nextBuffer();
    const validity = nulls === 0 ? null : bits;
    return { field, length, validity, offsets, values, children: field.children.map(column) };
  };
  return fields.map(column);
}

const isNested: ReadonlySet<number> = new Set([arrowType.list, arrowType.map, arrowType.struct]);
const hasOffsets: ReadonlySet<number> = new Set([arrowType.utf8, arrowType.binary, arrowType.list, arrowType.map]);

/** An empty buffer is allowed for no slots. Buffers of a message need not be aligned in memory. */
function int32s(bytes: Uint8Array, count: number): Int32Array {
  if (bytes.byteLength < count * 4) return new Int32Array(count);
  const copy = bytes.byteOffset % 4 === 0 ? bytes : Uint8Array.from(bytes);
  return new Int32Array(copy.buffer, copy.byteOffset, count);
}
