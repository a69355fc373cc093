import type { NestedField, PrimitiveType, Type } from '../iceberg/type.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';

/** A leaf column of a Parquet file, by the path under which DuckDB reports its statistics: `"s"."a"`, `"l"."element"`. */
export interface LeafColumn {
  readonly path: string;
  readonly fieldId: number;
  readonly type: PrimitiveType;
  /** Below a list or map: such columns get counts and no bounds. */
  readonly repeated: boolean;
  /** Set for a top-level column alone: below an optional struct a null is no fault. */
  readonly required: boolean;
}

/** The leaves of a schema's columns, in order. Columns of type unknown are in no file (spec: Parquet). */
export function leafColumns(fields: readonly NestedField[]): readonly LeafColumn[] {
  return fields.flatMap((field) => leavesOf(field.id, field.type, quoteIdentifier(field.name), false, field.required));
}

function leavesOf(fieldId: number, type: Type, path: string, repeated: boolean, required: boolean): readonly LeafColumn[] {
  if (typeof type === 'string') return type === 'unknown' ? [] : [{ path, fieldId, type, repeated, required }];
  switch (type.kind) {
    case 'struct':
      return type.fields.flatMap((field) =>
        leavesOf(field.id, field.type, `${path}.${quoteIdentifier(field.name)}`, repeated, false),
      );
    case 'list':
      return leavesOf(type.elementId, type.element, `${path}."element"`, true, false);
    case 'map':
      return [
        ...leavesOf(type.keyId, type.key, `${path}."key"`, true, false),
        ...leavesOf(type.valueId, type.value, `${path}."value"`, true, false),
      ];
  }
}

/** The text of DuckDB's FIELD_IDS option: the ids of every column and what is nested in it (spec: Parquet). */
export function printFieldIds(fields: readonly NestedField[]): string {
  const members = fields
    .filter(({ type }) => type !== 'unknown')
    .map((field) => `${quoteText(field.name)}: ${idOf(field.id, field.type)}`);
  return `{${members.join(', ')}}`;
}

function idOf(id: number, type: Type): string {
  if (typeof type === 'string') return String(id);
  const own = `__duckdb_field_id: ${id}`;
  switch (type.kind) {
    case 'struct':
      return `{${[own, ...type.fields.map((field) => `${quoteText(field.name)}: ${idOf(field.id, field.type)}`)].join(', ')}}`;
    case 'list':
      return `{${own}, element: ${idOf(type.elementId, type.element)}}`;
    case 'map':
      return `{${own}, key: ${idOf(type.keyId, type.key)}, value: ${idOf(type.valueId, type.value)}}`;
  }
}
