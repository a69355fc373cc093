import { IcecoreError } from '../../errors.ts';
import { currentSchema, type TableMetadata } from '../../iceberg/metadata.ts';
import { columnNames, fieldByName, type Schema } from '../../iceberg/schema.ts';
import { addColumn, dropColumn, renameColumn, type SchemaVersion, setDoc, widenColumn } from '../../iceberg/schema-evolution.ts';
import { isPrimitive } from '../../iceberg/type.ts';
import { parseTypeText } from '../../iceberg/type-text.ts';
import type { ColumnDefinition } from '../new-table.ts';
import type { TableAction } from '../table-action.ts';

/** A change of columns; names are paths, `a` or `a.b`. */
export type ColumnChange =
  | { readonly kind: 'add'; readonly column: ColumnDefinition }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'drop'; readonly column: string }
  | { readonly kind: 'widen'; readonly column: string; readonly type: string }
  | { readonly kind: 'set-doc'; readonly column: string; readonly doc: string | null };

/** Applies the changes in order, as one new schema. Field ids stay, so older files and snapshots go on being read. */
export function evolveSchema(changes: readonly ColumnChange[]): TableAction {
  return {
    name: 'evolve schema',
    async apply(base) {
      const start: SchemaVersion = { schema: currentSchema(base), lastColumnId: base.lastColumnId };
      const { schema, lastColumnId } = changes.reduce((version, change) => applyChange(version, change, base), start);
      refuseTwins(columnNames(schema));
      return {
        updates: [
          { action: 'add-schema', schema, lastColumnId },
          { action: 'set-current-schema', schemaId: -1 },
        ],
        requirements: [],
      };
    },
  };
}

function applyChange(version: SchemaVersion, change: ColumnChange, base: TableMetadata): SchemaVersion {
  switch (change.kind) {
    case 'add': {
      const { type, ...column } = change.column;
      return addColumn(version, { ...column, ...placeOf(version.schema, column.name), type: parseTypeText(type, () => 0) });
    }
    case 'rename':
      return renameColumn(version, change.from, change.to);
    case 'drop':
      return dropColumn(version, change.column, {
        partitionSpecs: base.partitionSpecs.filter((spec) => spec.specId === base.defaultSpecId),
        sortOrders: base.sortOrders.filter((order) => order.orderId === base.defaultSortOrderId),
      });
    case 'widen':
      return widenColumn(
        version,
        change.column,
        parseTypeText(change.type, () => 0),
      );
    case 'set-doc':
      return setDoc(version, change.column, change.doc);
  }
}

/** `a.b` is added to the struct `a`, where there is one. */
function placeOf(schema: Schema, path: string): { readonly name: string; readonly parent?: string } {
  const dot = path.lastIndexOf('.');
  const parent = dot < 0 ? undefined : fieldByName(schema, path.slice(0, dot));
  if (parent === undefined || isPrimitive(parent.type)) return { name: path };
  return { name: path.slice(dot + 1), parent: path.slice(0, dot) };
}

function refuseTwins(names: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const twin = seen.get(name.toLowerCase());
    if (twin !== undefined) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The columns "${twin}" and "${name}" differ in nothing but case, which SQL does not tell apart.`,
      );
    }
    seen.set(name.toLowerCase(), name);
  }
}
