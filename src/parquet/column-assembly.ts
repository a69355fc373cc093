import { type Data, type DataType, makeData } from 'apache-arrow';
import type { ColumnPlan, LeafPlan, ListPlan, StructPlan } from './column-plan.ts';
import type { LeafColumn } from './leaf-column.ts';
import { nullColumn } from './null-column.ts';
import { damaged } from './parquet-error.ts';
import type { LeafNode } from './schema-node.ts';
import { ValidityBits } from './validity-bits.ts';

/** Gives the decoded pages of a leaf. */
export type LeafOf = (node: LeafNode) => LeafColumn;

/**
 * The Arrow column of a plan, of as many slots as it has (format: "Nested Encoding"). `slots` is how many its parent has, to which it has
 * to come: throws FAILED_PRECONDITION where it does not.
 */
export function assembleColumn(plan: ColumnPlan, leafOf: LeafOf, slots: number): Data {
  switch (plan.kind) {
    case 'missing':
      return nullColumn(plan.type, slots);
    case 'leaf':
      return assembleLeaf(plan, leafOf(plan.node), slots);
    case 'struct':
      return assembleStruct(plan, leafOf, slots);
    case 'list':
      return assembleList(plan, leafOf, slots);
  }
}

function assembleLeaf({ type, convert, node }: LeafPlan, { values, validity }: LeafColumn, slots: number): Data {
  checkSlots(node.name, values.count, slots);
  const { data, valueOffsets } = convert(values);
  const shared = { type, length: slots, ...nullsOf(validity) };
  if (valueOffsets !== undefined) return makeData({ ...shared, valueOffsets, data } as never);
  const cells = new type.ArrayType(data.buffer, data.byteOffset, data.byteLength / type.ArrayType.BYTES_PER_ELEMENT);
  return makeData({ ...shared, data: cells } as never);
}

function assembleStruct({ type, node, children, levels }: StructPlan, leafOf: LeafOf, slots: number): Data {
  const { definitions, repetitions } = levelsOf(leafOf(levels));
  const { repetitionLevel, slotLevel, definitionLevel } = node;
  const valid = new Uint8Array(slots);
  let count = 0;
  for (let index = 0; index < definitions.length; index++) {
    const definition = definitions[index] as number;
    if ((repetitions[index] as number) > repetitionLevel || definition < slotLevel) continue;
    if (count < slots) valid[count] = definition >= definitionLevel ? 1 : 0;
    count++;
  }
  checkSlots(node.name, count, slots);
  const parts = children.map((child) => assembleColumn(child, leafOf, slots));
  return nested(type, valid, { children: parts });
}

function assembleList({ type, node, repeated, element, levels }: ListPlan, leafOf: LeafOf, slots: number): Data {
  const { definitions, repetitions } = levelsOf(leafOf(levels));
  const { repetitionLevel, slotLevel, definitionLevel } = node;
  const valid = new Uint8Array(slots);
  const valueOffsets = new Int32Array(slots + 1);
  let [count, elements] = [0, 0];
  for (let index = 0; index < definitions.length; index++) {
    const definition = definitions[index] as number;
    const repetition = repetitions[index] as number;
    if (repetition > repeated.repetitionLevel || definition < slotLevel) continue;
    if (repetition <= repetitionLevel) {
      if (count < slots) {
        valueOffsets[count] = elements;
        valid[count] = definition >= definitionLevel ? 1 : 0;
      }
      count++;
    } else if (definition < repeated.definitionLevel) {
      throw damaged(`a list of the column "${node.name}" goes on without an element`);
    }
    if (definition >= repeated.definitionLevel) elements++;
  }
  checkSlots(node.name, count, slots);
  valueOffsets[slots] = elements;
  return nested(type, valid, { valueOffsets, child: assembleColumn(element, leafOf, elements) });
}

function nested(type: DataType, valid: Uint8Array, parts: object): Data {
  const validity = new ValidityBits(valid.length);
  validity.append(valid, valid.length);
  return makeData({ type, length: valid.length, ...nullsOf(validity), ...parts } as never);
}

function levelsOf({ definitions, repetitions }: LeafColumn): {
  readonly definitions: Uint8Array;
  readonly repetitions: Uint8Array;
} {
  if (definitions === null || repetitions === null) throw damaged('a nested column has no levels');
  if (repetitions.length > 0 && repetitions[0] !== 0) throw damaged('its first row is the rest of another');
  return { definitions, repetitions };
}

function nullsOf(validity: ValidityBits): { readonly nullCount: number; readonly nullBitmap?: Uint8Array } {
  const { nullCount, bitmap } = validity;
  return bitmap === undefined ? { nullCount: 0 } : { nullCount, nullBitmap: bitmap };
}

function checkSlots(name: string, count: number, slots: number): void {
  if (count !== slots) throw damaged(`the column "${name}" has ${count} values where ${slots} belong`);
}
