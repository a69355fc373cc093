import type { DataFile } from '../../../src/iceberg/data-file.ts';
import { parseIdentifier } from '../../../src/iceberg/identifier.ts';
import type { SnapshotOperation } from '../../../src/iceberg/snapshot.ts';
import { addSnapshot } from '../../../src/tables/actions/add-snapshot.ts';
import type { TableDefinition } from '../../../src/tables/new-table.ts';
import type { Table } from '../../../src/tables/table.ts';
import type { Tables } from '../../../src/tables/tables.ts';
import { fileOf } from '../../iceberg/predicate-sample.ts';

/** A file that only manifests know of: planning opens none. Partitioned by nothing, ten rows, no metrics, unless said. */
export function plannedFile(filePath: string, of: Partial<DataFile> = {}): DataFile {
  const none = { valueCounts: new Map(), nullValueCounts: new Map(), nanValueCounts: new Map() };
  return { ...fileOf([]), ...none, filePath, recordCount: 10n, fileSizeInBytes: 100n, ...of };
}

/** A table whose commits are made of such files. */
export class PlannedTable {
  readonly #tables: Tables;
  readonly #name: string;

  private constructor(tables: Tables, name: string) {
    this.#tables = tables;
    this.#name = name;
  }

  static async create(tables: Tables, name: string, definition: TableDefinition): Promise<PlannedTable> {
    const transaction = tables.transaction();
    transaction.create(parseIdentifier(name), definition);
    await transaction.commit();
    return new PlannedTable(tables, name);
  }

  async load(): Promise<Table> {
    return await this.#tables.load(parseIdentifier(this.#name));
  }

  /** The id of the new snapshot. */
  async commit(added: readonly DataFile[], operation: SnapshotOperation = 'append'): Promise<bigint> {
    const transaction = this.#tables.transaction();
    transaction.change(await this.load(), {
      name: operation,
      apply: (base, context) => addSnapshot(base, context, {}, { operation, added, removedPaths: new Set() }),
    });
    await transaction.commit();
    return (await this.load()).metadata.currentSnapshotId ?? 0n;
  }
}
