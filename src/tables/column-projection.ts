import { isPrimitive, type NestedField, type Type } from '../iceberg/type.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { initialDefaultSql } from './initial-default.ts';
import type { ShapeNode } from './parquet-shape.ts';

/** SQL over `data` for a column of this type out of a file's column, what is nested in it found by field id (spec: "Column Projection"). */
export function columnSql(type: Type, node: ShapeNode): string {
  return project(type, node, `data.${quoteIdentifier(node.name)}`, 0);
}

function project(type: Type, node: ShapeNode, value: string, depth: number): string {
  if (isPrimitive(type)) return type === 'unknown' ? 'NULL' : `CAST(${value} AS ${duckDbTypeText(type)})`;
  // Lambdas inside of lambdas need names of their own.
  const each = `e${depth}`;
  switch (type.kind) {
    case 'struct':
      return `CASE WHEN ${value} IS NULL THEN NULL ELSE struct_pack(${type.fields.map((field) => member(field, node, value, depth)).join(', ')}) END`;
    case 'list': {
      const element = node.children.find(({ fieldId }) => fieldId === type.elementId);
      if (element === undefined) return nothing(type);
      return `list_transform(${value}, lambda ${each}: ${project(type.element, element, each, depth + 1)})`;
    }
    case 'map': {
      const key = node.children.find(({ fieldId }) => fieldId === type.keyId);
      const inner = node.children.find(({ fieldId }) => fieldId === type.valueId);
      if (key === undefined || inner === undefined) return nothing(type);
      const entry = `struct_pack(k := ${project(type.key, key, `${each}.key`, depth + 1)}, v := ${project(type.value, inner, `${each}.value`, depth + 1)})`;
      return `map_from_entries(list_transform(map_entries(${value}), lambda ${each}: ${entry}))`;
    }
  }
}

function member(field: NestedField, { children }: ShapeNode, struct: string, depth: number): string {
  const node = children.find(({ fieldId }) => fieldId === field.id);
  const value =
    node === undefined
      ? `CAST(${initialDefaultSql(field)} AS ${duckDbTypeText(field.type)})`
      : project(field.type, node, `struct_extract(${struct}, '${node.name.replaceAll("'", "''")}')`, depth);
  return `${quoteIdentifier(field.name)} := ${value}`;
}

function nothing(type: Type): string {
  return `CAST(NULL AS ${duckDbTypeText(type)})`;
}
