import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { TableMetadata } from '../iceberg/metadata.ts';
import type { TableAction } from './table-action.ts';

/** What a table that was not there begins as. */
export interface TableBeginning {
  readonly metadata: TableMetadata;
  /** Where that metadata lies already, for a table that is registered; null for one whose first file is still to be written. */
  readonly metadataLocation: string | null;
  /** A table of the name makes way for it, unless it is pinned. */
  readonly overwrites: boolean;
  /** The creation is a commit under `assert-create`: an existing table fails the requirement. */
  readonly isAsserted: boolean;
}

/** What a transaction is to do to one table: begin it, change it by actions, rename it, or drop it. */
export interface TableIntent {
  readonly identifier: TableIdentifier;
  /** Set where the table must still be the one that was read. */
  uuid: string | undefined;
  beginning: TableBeginning | undefined;
  renamedTo: TableIdentifier | undefined;
  /** Of a creation or a renaming: its namespace must be there. */
  requireNamespace: boolean;
  dropped: boolean;
  readonly actions: TableAction[];
}

export function emptyIntent(identifier: TableIdentifier): TableIntent {
  return {
    identifier,
    uuid: undefined,
    beginning: undefined,
    renamedTo: undefined,
    requireNamespace: false,
    dropped: false,
    actions: [],
  };
}

/** Whether nothing has been said about the table yet. */
export function isEmptyIntent({ beginning, renamedTo, dropped, actions }: TableIntent): boolean {
  return beginning === undefined && renamedTo === undefined && !dropped && actions.length === 0;
}
