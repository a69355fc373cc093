import type { ArrowColumn } from './arrow-column.ts';
import { type ArrowField, arrowType } from './arrow-schema.ts';
import { listAnnotation, mapAnnotation, type ParquetType, parquetType, repetition, schemaElement } from './parquet-schema.ts';
import type { ThriftValue } from './thrift-writer.ts';

/** A leaf of a schema: what Parquet calls a column. */
export interface ParquetLeaf {
  readonly path: readonly string[];
  readonly type: ParquetType;
  readonly definitionMax: number;
  readonly repetitionMax: number;
  /** Which child to take at each step from the batch's columns on. */
  readonly steps: readonly number[];
}

export interface ParquetColumns {
  /** The `SchemaElement`s, parents before their children, without the root. */
  readonly elements: readonly ThriftValue[];
  readonly leaves: readonly ParquetLeaf[];
}

/** The leaves' values of one batch, with what says where they belong; `levels` only where the leaf lies below a list, map or struct. */
export interface LeafSlots {
  readonly column: ArrowColumn;
  readonly levels: {
    readonly definitions: Uint8Array;
    readonly repetitions: Uint8Array;
    /** Slots of the leaf's column that hold a value, in order. */
    readonly slots: Int32Array;
  } | null;
}

/** The Parquet schema of Arrow columns (Parquet: "Logical types", lists and maps in three levels). Throws Refusal for an unknown type. */
export function parquetColumns(fields: readonly ArrowField[]): ParquetColumns {
  const elements: ThriftValue[] = [];
  const leaves: ParquetLeaf[] = [];
  const add = (field: ArrowField, above: Omit<ParquetLeaf, 'type'>, name = field.name): void => {
    const isOptional = field.isNullable || field.type === arrowType.null;
    const repeats = isOptional ? repetition.optional : repetition.required;
    const path = [...above.path, name];
    const definitionMax = above.definitionMax + (isOptional ? 1 : 0);
    const named = { name, metadata: field.metadata };
    const under = { path, definitionMax, repetitionMax: above.repetitionMax };
    if (field.type === arrowType.struct) {
      elements.push(schemaElement(named, repeats, { children: field.children.length }));
      for (const [step, child] of field.children.entries()) add(child, { ...under, steps: [...above.steps, step] });
    } else if (field.type === arrowType.list || field.type === arrowType.map) {
      addRepeated(field, repeats, named, { ...under, steps: above.steps });
    } else {
      const type = parquetType(field);
      elements.push(schemaElement(named, repeats, { type }));
      leaves.push({ ...under, steps: above.steps, type });
    }
  };
  const addRepeated = (
    field: ArrowField,
    repeats: number,
    named: Pick<ArrowField, 'name' | 'metadata'>,
    above: Omit<ParquetLeaf, 'type'>,
  ): void => {
    const isMap = field.type === arrowType.map;
    const name = isMap ? 'key_value' : 'list';
    const [child] = field.children;
    const members = isMap ? (child?.children ?? []) : field.children;
    elements.push(schemaElement(named, repeats, { children: 1, annotation: isMap ? mapAnnotation : listAnnotation }));
    elements.push(schemaElement({ name, metadata: new Map() }, repetition.repeated, { children: members.length }));
    const under = { path: [...above.path, name], definitionMax: above.definitionMax + 1, repetitionMax: above.repetitionMax + 1 };
    for (const [step, member] of members.entries()) {
      const steps = isMap ? [...above.steps, 0, step] : [...above.steps, step];
      add(member, { ...under, steps }, isMap ? (['key', 'value'][step] ?? member.name) : 'element');
    }
  };
  for (const [step, field] of fields.entries()) add(field, { path: [], definitionMax: 0, repetitionMax: 0, steps: [step] });
  return { elements, leaves };
}

/** A leaf's slots in a batch (Parquet: "Nested Encoding"). */
export function leafSlots(columns: readonly ArrowColumn[], { steps }: ParquetLeaf): LeafSlots {
  const [first = 0, ...rest] = steps;
  let column = columns[first];
  if (column === undefined) throw new Error(`a batch has no column ${first}`);
  if (rest.length === 0) return { column, levels: null };
  // Entries of the leaf so far: a slot of `column` each, or -1 where something above is null or empty.
  let entries: Entries = {
    definitions: new Uint8Array(column.length),
    repetitions: new Uint8Array(column.length),
    slots: Int32Array.from({ length: column.length }, (_, row) => row),
  };
  let lists = 0;
  for (const step of rest) {
    entries = withNulls(entries, column);
    if (column.offsets !== null) entries = unfolded(entries, column.offsets, ++lists);
    const child: ArrowColumn | undefined = column.children[step];
    if (child === undefined) throw new Error(`column ${column.field.name} has no child ${step}`);
    column = child;
  }
  const { definitions, repetitions, slots } = withNulls(entries, column);
  return { column, levels: { definitions, repetitions, slots: slots.filter((slot) => slot >= 0) } };
}

interface Entries {
  readonly definitions: Uint8Array;
  readonly repetitions: Uint8Array;
  readonly slots: Int32Array;
}

/** One level further down where a column can be null: entries whose slot is null end here. */
function withNulls({ definitions, repetitions, slots }: Entries, { field, validity }: ArrowColumn): Entries {
  if (!field.isNullable && field.type !== arrowType.null) return { definitions, repetitions, slots };
  const deeper = Uint8Array.from(definitions);
  const live = Int32Array.from(slots);
  for (const [entry, slot] of slots.entries()) {
    if (slot < 0) continue;
    if (validity === null || ((validity[slot >> 3] ?? 0) >> (slot & 7)) & 1) deeper[entry] = (deeper[entry] ?? 0) + 1;
    else live[entry] = -1;
  }
  return { definitions: deeper, repetitions, slots: live };
}

/** An entry for each element of the lists; one that ends here for an empty list. */
function unfolded({ definitions, repetitions, slots }: Entries, offsets: Int32Array, level: number): Entries {
  const lengths = slots.map((slot) => (slot < 0 ? 0 : (offsets[slot + 1] ?? 0) - (offsets[slot] ?? 0)));
  const count = lengths.reduce((sum, length) => sum + Math.max(1, length), 0);
  const to = { definitions: new Uint8Array(count), repetitions: new Uint8Array(count), slots: new Int32Array(count).fill(-1) };
  let at = 0;
  for (const [entry, length] of lengths.entries()) {
    const [definition = 0, repeated = 0, first = 0] = [definitions[entry], repetitions[entry], offsets[slots[entry] ?? 0]];
    to.repetitions[at] = repeated;
    if (length === 0) to.definitions[at++] = definition;
    for (let index = 0; index < length; index++, at++) {
      if (index > 0) to.repetitions[at] = level;
      to.definitions[at] = definition + 1;
      to.slots[at] = first + index;
    }
  }
  return to;
}
