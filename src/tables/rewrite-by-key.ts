import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { branchSnapshot } from '../iceberg/branch.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { mainBranch } from '../iceberg/snapshot.ts';
import type { NestedField } from '../iceberg/type.ts';
import { commitAttemptsMax } from '../limits.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { copyByKey } from './copy-by-key.ts';
import { keyConflicts } from './key-conflicts.ts';
import { keyPredicate } from './key-predicate.ts';
import type { KeyedRows } from './keyed-rows.ts';
import { isToComputeAgain } from './lost-snapshot.ts';
import { markByKey } from './mark-by-key.ts';
import { commitWrite, type PreparedWrite, type RowsToWrite, type WriteOutcome } from './prepared-write.ts';
import { scanError } from './scan-error.ts';
import { openScan } from './scan-relation.ts';
import { planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface KeyRewrite {
  readonly write: RowsToWrite;
  /** The rows to upsert, or whose keys are to be deleted; read more than once. */
  readonly relation: string;
  readonly keys: readonly NestedField[];
  /** The table as it was when the rows were read. */
  readonly first: Table;
}

/**
 * Upserts or deletes by key. Copy on write, the files that hold a matching row are written anew without it; merge on read, where the table's
 * properties say so, the rows are marked as deleted. Where what is committed
 * meanwhile may concern the same keys everything is computed again, from then on with the table's turn at committing held, so that it ends.
 */
export async function rewriteByKey(tables: Tables, connection: DuckDBConnection, rewrite: KeyRewrite): Promise<WriteOutcome> {
  const name = printIdentifier(rewrite.write.identifier);
  let table = rewrite.first;
  for (let attempt = 1; ; attempt++) {
    const once = async (isInTurn: boolean) => {
      if (attempt > 1) table = await reload(tables, rewrite);
      return await commitWrite(tables, rewrite.write, await prepare(tables, connection, table, rewrite), isInTurn);
    };
    try {
      return attempt === 1 ? await once(false) : await tables.turns.take([name], () => once(true));
    } catch (error) {
      if (attempt >= commitAttemptsMax || !(await isToComputeAgain(tables, table, rewrite.write.branch, error))) throw error;
    }
  }
}

async function reload(tables: Tables, { write, first }: KeyRewrite): Promise<Table> {
  const table = await tables.load(write.identifier);
  if (table.uuid === first.uuid) return table;
  throw new IcecoreError('CONFLICT', `The table ${printIdentifier(write.identifier)} was dropped, and another has its name now.`);
}

async function prepare(tables: Tables, connection: DuckDBConnection, table: Table, rewrite: KeyRewrite): Promise<PreparedWrite> {
  const { write, relation, keys } = rewrite;
  const schema = currentSchema(table.metadata);
  const head = branchSnapshot(table.metadata, write.branch ?? mainBranch);
  try {
    const where = await keyPredicate(connection, relation, keys);
    const plan = await planSnapshot(tables.files, table.metadata, head, { schema, where });
    const scan = await openScan(tables, { table, withPosition: true }, schema, plan);
    try {
      const isMarked = isMergeOnRead(table, write.mode);
      const mode = write.mode === 'UPSERT' ? 'UPSERT' : 'DELETE';
      const conflictsOf = (hit: readonly FileScanTask[]) =>
        keyConflicts({ table, head, mode, where, hit: hit.map(({ file }) => file), isMergeOnRead: isMarked });
      const rows: KeyedRows = { table, write, relation, keys, scan, conflictsOf };
      return await (isMarked ? markByKey : copyByKey)(tables, connection, rows);
    } catch (error) {
      throw await scanError(tables, scan, error, `The ${write.mode}`);
    } finally {
      scan.release();
    }
  } catch (error) {
    throw duckDbError(error, `The ${write.mode}`);
  }
}

/** Which of the two ways the table's properties want (spec: table properties `write.delete.mode`, `write.merge.mode`). */
function isMergeOnRead({ metadata }: Table, mode: RowsToWrite['mode']): boolean {
  const property = mode === 'DELETE' ? 'write.delete.mode' : 'write.merge.mode';
  return metadata.properties[property] === 'merge-on-read' && metadata.formatVersion > 1;
}
