import type { DataType } from 'apache-arrow';
import { arrowType } from '../arrow/arrow-type.ts';
import type { ListType, MapType, NestedField, StructType, Type } from '../iceberg/type.ts';
import { isPrimitive } from '../iceberg/type.ts';
import { type Conversion, conversionOf } from './leaf-conversion.ts';
import { damaged, unsupported } from './parquet-error.ts';
import { firstLeaf, isLeaf, type LeafNode, type SchemaNode } from './schema-node.ts';

/** How one column of a table, or a part of one, comes from a file's leaves. */
export type ColumnPlan = LeafPlan | StructPlan | ListPlan | MissingPlan;

export interface LeafPlan {
  readonly kind: 'leaf';
  readonly type: DataType;
  readonly node: LeafNode;
  readonly convert: Conversion;
}

export interface StructPlan {
  readonly kind: 'struct';
  readonly type: DataType;
  readonly node: SchemaNode;
  readonly children: readonly ColumnPlan[];
  /** A leaf within, whose levels tell which structs are null. */
  readonly levels: LeafNode;
}

/** Maps too: lists of entries. */
export interface ListPlan {
  readonly kind: 'list';
  readonly type: DataType;
  readonly node: SchemaNode;
  readonly repeated: SchemaNode;
  readonly element: ColumnPlan;
  readonly levels: LeafNode;
}

/** A field that is younger than the file. */
export interface MissingPlan {
  readonly kind: 'missing';
  readonly type: DataType;
}

/**
 * The plan for a column, by field id; null where the file does not have it. Throws FAILED_PRECONDITION for what this reader does not
 * know, with `context.unsupported`.
 */
export function planColumn(field: NestedField, columns: readonly SchemaNode[]): ColumnPlan | null {
  const node = nodeOf(field, columns);
  return node === null ? null : plan(field.type, node);
}

function nodeOf(field: NestedField, nodes: readonly SchemaNode[]): SchemaNode | null {
  const [node, other] = nodes.filter(({ fieldId }) => fieldId === field.id);
  if (other !== undefined) throw damaged(`two of its columns have the field id ${field.id}`);
  return node ?? null;
}

/** `isElement` where a list has the node as its repeated one. */
function plan(type: Type, node: SchemaNode, isElement = false): ColumnPlan {
  const arrow = arrowType(type);
  if (type === 'unknown') return { kind: 'missing', type: arrow };
  if (node.repetition === 'REPEATED' && !isElement) throw unsupported('A repeated column that is no list');
  if (isPrimitive(type)) {
    if (!isLeaf(node)) throw unsupported(`The group "${node.name}" as ${type}`);
    return { kind: 'leaf', type: arrow, node, convert: conversionOf(type, node.leaf, node.annotation) };
  }
  const levels = firstLeaf(node);
  if (isLeaf(node) || levels === null) throw unsupported(`The column "${node.name}" as ${type.kind}`);
  if (type.kind === 'struct') {
    const children = type.fields.map((field) => planChild(field, node.children));
    return { kind: 'struct', type: arrow, node, children, levels };
  }
  const [repeated, other] = node.children;
  if (repeated?.repetition !== 'REPEATED' || other !== undefined || node.annotation?.kind !== type.kind) {
    throw unsupported(`The group "${node.name}" as ${type.kind}`);
  }
  const element = type.kind === 'map' ? plan(entriesOf(type), repeated, true) : planElement(type, node.name, repeated);
  return { kind: 'list', type: arrow, node, repeated, element, levels };
}

function entriesOf({ keyId, key, valueId, value, valueRequired }: MapType): StructType {
  const fields = [
    { id: keyId, name: 'key', type: key, required: true },
    { id: valueId, name: 'value', type: value, required: valueRequired },
  ];
  return { kind: 'struct', fields };
}

/** Lists of old had two levels: then the repeated node is the element itself (format: "Lists", backward compatibility). */
function planElement(type: ListType, list: string, repeated: SchemaNode): ColumnPlan {
  const isElement = repeated.children.length !== 1 || repeated.name === 'array' || repeated.name === `${list}_tuple`;
  const element = isElement ? repeated : repeated.children[0];
  if (element?.fieldId !== type.elementId) throw unsupported(`A list whose elements have not the id ${type.elementId}`);
  return plan(type.element, element, isElement);
}

function planChild(field: NestedField, nodes: readonly SchemaNode[]): ColumnPlan {
  const node = nodeOf(field, nodes);
  if (node !== null) return plan(field.type, node);
  if (field.initialDefault !== undefined && field.initialDefault !== null)
    throw unsupported('A nested column with an initial default');
  return { kind: 'missing', type: arrowType(field.type) };
}

/** The leaves that a plan reads; some may come twice. */
export function leavesOfPlan(plan: ColumnPlan): readonly LeafNode[] {
  switch (plan.kind) {
    case 'leaf':
      return [plan.node];
    case 'struct':
      return [plan.levels, ...plan.children.flatMap(leavesOfPlan)];
    case 'list':
      return [plan.levels, ...leavesOfPlan(plan.element)];
    case 'missing':
      return [];
  }
}
