import type { BoundExpression } from '../../iceberg/expression.ts';
import { predicateFieldIds } from '../../iceberg/expression-bind.ts';
import type { TableMetadata } from '../../iceberg/metadata.ts';
import type { FileScanTask } from '../../iceberg/scan-plan.ts';
import { fieldById, type Schema } from '../../iceberg/schema.ts';
import { isPrimitive, type NestedField, type Type } from '../../iceberg/type.ts';

/** Names from which a table's files without field ids get them. */
export const nameMappingProperty = 'schema.name-mapping.default';

/**
 * What decides which rows of a file are live and match, as text: the file, what is deleted from it, the predicate by field ids. Neither the
 * snapshot nor what columns are called is in it, so that it goes for other snapshots too.
 */
export function matchesKey(
  { file, deletes }: Pick<FileScanTask, 'file' | 'deletes'>,
  filter: BoundExpression,
  schema: Schema,
  metadata: Pick<TableMetadata, 'properties'>,
): string {
  const deleted = deletes
    .map((each) => [
      each.filePath,
      String(each.fileSizeInBytes),
      each.content,
      String(each.contentOffset ?? ''),
      each.equalityIds ?? [],
    ])
    .map((each) => JSON.stringify(each))
    .sort();
  const ids = new Set([...predicateFieldIds(filter), ...deletes.flatMap(({ equalityIds }) => equalityIds ?? [])]);
  const fields = [...ids]
    .sort((a, b) => a - b)
    .map((id) => {
      const field = fieldById(schema, id);
      return field === undefined ? [id] : fieldKey(field);
    });
  const mapping = metadata.properties[nameMappingProperty] ?? null;
  return JSON.stringify(['matches/1', file.filePath, String(file.fileSizeInBytes), deleted, filterKey(filter), fields, mapping]);
}

/** A predicate as text: literals with their kind. */
export function filterKey(filter: BoundExpression): string {
  return JSON.stringify(filter, (_name, value: unknown) => {
    if (typeof value === 'bigint') return { long: String(value) };
    if (value instanceof Uint8Array) return { bytes: Buffer.from(value).toString('hex') };
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0)))
      return { number: Object.is(value, -0) ? '-0' : String(value) };
    return value;
  });
}

/** What decides how a column's cells are read from a file: ids, types and initial defaults; not what it is called, nor its documentation. */
export function fieldKey({ id, type, initialDefault }: NestedField): readonly unknown[] {
  return [id, typeKey(type), jsonKey(initialDefault ?? null)];
}

function typeKey(type: Type): unknown {
  if (isPrimitive(type)) return type;
  switch (type.kind) {
    case 'struct':
      return ['struct', type.fields.map(fieldKey)];
    case 'list':
      return ['list', type.elementId, typeKey(type.element)];
    case 'map':
      return ['map', type.keyId, typeKey(type.key), type.valueId, typeKey(type.value)];
  }
}

function jsonKey(value: unknown): string {
  return JSON.stringify(value, (_name, item: unknown) => (typeof item === 'bigint' ? { long: String(item) } : item));
}
