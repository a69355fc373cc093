import type { PartitionInput } from '../iceberg/partition-spec.ts';
import { type ColumnChange, evolveSchema } from '../tables/actions/evolve-schema.ts';
import { setPartitioning } from '../tables/actions/set-partitioning.ts';
import { setProperties } from '../tables/actions/set-properties.ts';
import { upgradeFormat } from '../tables/actions/upgrade-format.ts';
import type { TableAction } from '../tables/table-action.ts';

/** One change of a table's structure (contract: `TableChange`). */
export type TableChange =
  | { readonly kind: 'column'; readonly change: ColumnChange }
  | { readonly kind: 'partitioning'; readonly fields: readonly PartitionInput[] }
  | { readonly kind: 'properties'; readonly set: Readonly<Record<string, string>>; readonly remove: readonly string[] }
  | { readonly kind: 'format-version'; readonly version: 1 | 2 | 3 };

/** The actions that make the changes, in their order; column changes that follow each other become one schema. */
export function tableChangeActions(changes: readonly TableChange[]): readonly TableAction[] {
  const actions: TableAction[] = [];
  let columns: ColumnChange[] = [];
  const settle = (): void => {
    if (columns.length > 0) actions.push(evolveSchema(columns));
    columns = [];
  };
  for (const change of changes) {
    if (change.kind === 'column') {
      columns.push(change.change);
      continue;
    }
    settle();
    actions.push(actionOf(change));
  }
  settle();
  return actions;
}

function actionOf(change: Exclude<TableChange, { kind: 'column' }>): TableAction {
  switch (change.kind) {
    case 'partitioning':
      return setPartitioning(change.fields);
    case 'properties':
      return setProperties(change.set, change.remove);
    case 'format-version':
      return upgradeFormat(change.version);
  }
}
