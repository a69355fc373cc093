import { typeDepthMax } from '../limits.ts';
import type { Annotation, PhysicalType, Repetition } from './format.ts';
import { damaged } from './parquet-error.ts';
import type { SchemaElement } from './schema-element.ts';

/** A column of a file or a part of one: groups have children, leaves values. */
export interface SchemaNode {
  readonly name: string;
  /** Null where the file gives none; a caller who knows better may give another. */
  readonly fieldId: number | null;
  readonly repetition: Repetition;
  readonly annotation: Annotation | null;
  readonly children: readonly SchemaNode[];
  /** Null for groups. */
  readonly leaf: Leaf | null;
  /** The definition level from which on this node is there and not null, and how many repeated nodes are above it and itself. */
  readonly definitionLevel: number;
  readonly repetitionLevel: number;
  /** The definition level of the innermost repeated node at or above it, from which on it has a slot at all; 0 where none is. */
  readonly slotLevel: number;
  readonly isTop: boolean;
}

export interface LeafNode extends SchemaNode {
  readonly leaf: Leaf;
}

export interface Leaf {
  /** Its place among a row group's column chunks. */
  readonly index: number;
  readonly physical: PhysicalType;
  /** Bytes of a FIXED_LEN_BYTE_ARRAY, else 0. */
  readonly length: number;
}

/** The columns of a file from the footer's list (format: "Metadata", "Nested Encoding"). Throws where the list is no one tree. */
export function schemaTree(elements: readonly SchemaElement[]): readonly SchemaNode[] {
  let [at, leaves] = [0, 0];
  const next = (depth: number, definitionAbove: number, repetitionAbove: number, slotLevelAbove: number): SchemaNode => {
    const element = elements[at++];
    if (element === undefined) throw damaged('the schema has fewer columns than it says');
    if (depth > typeDepthMax) throw damaged(`more than ${typeDepthMax} columns in one another`);
    const isRoot = depth === 0;
    const definitionLevel = definitionAbove + (isRoot || element.repetition === 'REQUIRED' ? 0 : 1);
    const repetitionLevel = repetitionAbove + (!isRoot && element.repetition === 'REPEATED' ? 1 : 0);
    const slotLevel = repetitionLevel > repetitionAbove ? definitionLevel : slotLevelAbove;
    const { name, fieldId, repetition, annotation, physical, length, childCount } = element;
    if (childCount > elements.length - at) throw damaged('the schema has fewer columns than it says');
    const isGroup = isRoot || physical === undefined;
    if (!isGroup && childCount > 0) throw damaged(`the column "${name}" has both values and children`);
    if (physical === 'FIXED_LEN_BYTE_ARRAY' && length === 0) throw damaged(`the column "${name}" has values of no length`);
    const leaf = isGroup ? null : { index: leaves++, physical, length };
    const children: SchemaNode[] = [];
    for (let index = 0; index < childCount; index++) children.push(next(depth + 1, definitionLevel, repetitionLevel, slotLevel));
    const isTop = depth === 1;
    return { name, fieldId, repetition, annotation, children, leaf, definitionLevel, repetitionLevel, slotLevel, isTop };
  };
  const root = next(0, 0, 0, 0);
  if (at !== elements.length) throw damaged('the schema has more columns than it says');
  return root.children;
}

/** The first leaf at or below a node; null for a group of none. */
export function firstLeaf(node: SchemaNode): LeafNode | null {
  if (isLeaf(node)) return node;
  for (const child of node.children) {
    const found = firstLeaf(child);
    if (found !== null) return found;
  }
  return null;
}

/** The leaves of a file, in the order of column chunks. */
export function leavesOf(nodes: readonly SchemaNode[]): readonly LeafNode[] {
  return nodes.flatMap((node) => (isLeaf(node) ? [node] : leavesOf(node.children)));
}

export function isLeaf(node: SchemaNode): node is LeafNode {
  return node.leaf !== null;
}
