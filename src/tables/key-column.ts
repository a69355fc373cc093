import { IcecoreError } from '../errors.ts';
import { currentSchema, type TableMetadata } from '../iceberg/metadata.ts';
import { childFields, fieldById, isSingleValued, type Schema } from '../iceberg/schema.ts';
import { isPrimitive, type NestedField } from '../iceberg/type.ts';

/** A field that equality deletes are by (spec: "Equality Delete Files"): a column, or one inside of a struct. */
export interface KeyColumn {
  readonly field: NestedField;
  /** The top-level column that it is in; itself where it is one. */
  readonly column: NestedField;
  /** The names from the column down to the field; empty where it is the column. */
  readonly path: readonly string[];
}

/**
 * The field of an id in the schema that is read, or in any other of the table's: deletes may be by one that was dropped since. Throws
 * FAILED_PRECONDITION where no schema has it, and where it was dropped out of a column that is still there.
 */
export function keyColumn(metadata: TableMetadata, schema: Schema, fieldId: number): KeyColumn {
  for (const each of [schema, currentSchema(metadata), ...metadata.schemas.toReversed()]) {
    const field = fieldById(each, fieldId);
    if (field === undefined || !isPrimitive(field.type) || !isSingleValued(each, fieldId)) continue;
    const key = each.fields.map((column) => within(column, field)).find((found) => found !== null);
    if (key === undefined || key === null) continue;
    if (each !== schema && key.path.length > 0 && schema.fields.some(({ id }) => id === key.column.id)) break;
    return key;
  }
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `The table has equality deletes by the field ${fieldId}, which no schema of it has, or which was dropped from inside of a column: compact ` +
      'the table with the engine that wrote them.',
    { context: { field: fieldId } },
  );
}

function within(column: NestedField, field: NestedField): KeyColumn | null {
  if (column.id === field.id) return { field, column, path: [] };
  for (const child of childFields(column.type)) {
    const inside = within(child, field);
    if (inside !== null) return { field, column, path: [child.name, ...inside.path] };
  }
  return null;
}
