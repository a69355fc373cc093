import { assignFreshIds } from './field-id.ts';
import type { TableMetadata } from './metadata.ts';
import { applyUpdates } from './metadata-update.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { columnPath, fieldByName, type Schema } from './schema.ts';
import type { SortOrder } from './sort-order.ts';

export interface NewTable {
  readonly uuid: string;
  readonly location: string;
  /** Its ids are given anew, from 1; the spec's and sort order's source ids are those of this schema. */
  readonly schema: Schema;
  readonly partitionSpec: PartitionSpec;
  readonly sortOrder?: SortOrder;
  readonly properties: Readonly<Record<string, string>>;
  readonly formatVersion: 1 | 2 | 3;
  readonly nowMs: number;
}

/**
 * The metadata of a table that begins: no snapshot, schema 0, spec 0, column ids from 1 and partition field ids from 1000.
 * Throws BAD_USER_INPUT where the schema, spec or sort order is not valid.
 */
export function newTableMetadata(table: NewTable): TableMetadata {
  const schema = { ...assignFreshIds(table.schema), schemaId: 0 };
  const newId = (oldId: number): number => {
    const path = columnPath(table.schema, oldId);
    return (path === undefined ? undefined : fieldByName(schema, path)?.id) ?? oldId;
  };
  const spec: PartitionSpec = {
    specId: 0,
    fields: table.partitionSpec.fields.map((field) => ({ ...field, fieldId: 0, sourceId: newId(field.sourceId) })),
  };
  const sortFields = (table.sortOrder?.fields ?? []).map((field) => ({ ...field, sourceId: newId(field.sourceId) }));
  return applyUpdates(
    null,
    [
      { action: 'assign-uuid', uuid: table.uuid },
      { action: 'upgrade-format-version', formatVersion: table.formatVersion },
      { action: 'set-location', location: table.location },
      { action: 'add-schema', schema },
      { action: 'set-current-schema', schemaId: -1 },
      { action: 'add-spec', spec },
      { action: 'set-default-spec', specId: -1 },
      { action: 'add-sort-order', sortOrder: { orderId: 0, fields: sortFields } },
      { action: 'set-default-sort-order', sortOrderId: -1 },
      { action: 'set-properties', updates: table.properties },
    ],
    table.nowMs,
  );
}
