import type { TypedColumn } from '../features/point-in-time/plan.ts';
import { spinePosition } from '../features/point-in-time/plan.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { applyUpdates } from '../iceberg/metadata-update.ts';
import type { TableUpdate } from '../iceberg/table-update.ts';
import type { NestedField, Type } from '../iceberg/type.ts';
import { parseTypeText, printTypeText } from '../iceberg/type-text.ts';
import type { ColumnDefinition } from '../tables/new-table.ts';
import type { TableAction } from '../tables/table-action.ts';

/** The columns of a table that is made from such rows. */
export function columnDefinitions(columns: readonly TypedColumn[]): readonly ColumnDefinition[] {
  return columns.map(({ column, type }) => ({ name: column, type: printTypeText(type), required: column === spinePosition }));
}

/**
 * Gives a table exactly these columns, for a snapshot that replaces all its rows: one of the same name and type keeps its field id,
 * any other gets a new one, so that older snapshots go on being read as they were written.
 */
export function replaceColumns(columns: readonly TypedColumn[]): TableAction {
  return {
    name: 'replace columns',
    apply: async (base) => ({
      updates: columnUpdates(base, columns),
      // Files were written with the ids that were free then.
      requirements: [{ type: 'assert-last-assigned-field-id', lastAssignedFieldId: base.lastColumnId }],
    }),
  };
}

/** The metadata as `replaceColumns` would leave it, to write files for. */
export function withColumns(base: TableMetadata, columns: readonly TypedColumn[]): TableMetadata {
  return applyUpdates(base, columnUpdates(base, columns), base.lastUpdatedMs);
}

function columnUpdates(base: TableMetadata, columns: readonly TypedColumn[]): readonly TableUpdate[] {
  let lastColumnId = base.lastColumnId;
  const before = currentSchema(base).fields;
  const fields = columns.map(({ column, type }): NestedField => {
    const required = column === spinePosition;
    const same = before.find((field) => field.name === column && printTypeText(field.type) === printTypeText(type));
    if (same !== undefined) return { ...same, required };
    const id = ++lastColumnId;
    return { id, name: column, type: withNewIds(type, () => ++lastColumnId), required };
  });
  return [
    { action: 'add-schema', schema: { schemaId: 0, fields, identifierFieldIds: [] }, lastColumnId },
    { action: 'set-current-schema', schemaId: -1 },
  ];
}

function withNewIds(type: Type, assignId: () => number): Type {
  return parseTypeText(printTypeText(type), assignId);
}
