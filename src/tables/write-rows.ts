import { dirname } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { currentSchema } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { parseLocation } from '../storage/location.ts';
import { appendFiles } from './actions/append-files.ts';
import { overwriteRows } from './overwrite-rows.ts';
import {
  commitWrite,
  type PreparedWrite,
  type RowsToWrite,
  snapshotOptions,
  type WriteOutcome,
  writeRelation,
} from './prepared-write.ts';
import { rewriteByKey } from './rewrite-by-key.ts';
import { keyColumns, refuseDuplicateKeys } from './row-keys.ts';
import { rowRelation } from './row-source.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';

export type { RowsToWrite, RowsWritten, WriteMode, WriteOutcome } from './prepared-write.ts';

/**
 * Appends, upserts, deletes or overwrites rows as one snapshot (contract: `writeRows`). UPSERT and DELETE rewrite the files that hold
 * matching rows, and are computed again where the branch moved on meanwhile; two rows with the same key in one UPSERT are refused.
 * Throws BAD_USER_INPUT where the rows do not fit, NOT_FOUND, and CONFLICT as `expectedSnapshotId` says.
 */
export async function writeRows(tables: Tables, write: RowsToWrite): Promise<WriteOutcome> {
  const table = await tables.load(write.identifier);
  return await tables.duckdb.trusted.use(async (connection) => {
    const schema = currentSchema(table.metadata);
    const isByKey = write.mode === 'UPSERT' || write.mode === 'DELETE';
    const keys = isByKey ? keyColumns(table, write.keys ?? []) : [];
    const relation = await rowRelation(connection, write.rows, {
      schema: write.mode === 'DELETE' ? keysOnly(schema, keys) : schema,
      fileRoots: write.fileRoots ?? [],
      closedRoots: closedRoots(tables),
      keep: isByKey,
    });
    if (write.mode === 'APPEND') {
      return await commitWrite(tables, write, await prepareAppend(tables, connection, table, write, relation));
    }
    if (write.mode === 'OVERWRITE') return await overwriteRows(tables, connection, write, relation);
    if (write.mode === 'UPSERT') await refuseDuplicateKeys(connection, relation, keys);
    return await rewriteByKey(tables, connection, { write, relation, keys, first: table });
  }, write.signal);
}

/** Where callers are told apart, the directories of tables: their files are read through them, by who may read them. */
export function closedRoots({ access, locations, stagingDirectory, warehouse }: Tables): readonly string[] {
  if (!access.inForce) return [];
  const roots = [parseLocation(warehouse), ...(locations?.roots ?? [])];
  // Beside what is staged, the cache holds copies of tables' files.
  return [...roots.flatMap((root) => (root.scheme === 'file' ? [root.path] : [])), dirname(stagingDirectory)];
}

/** A DELETE needs no more than the keys; what else the rows hold is not looked at, but has to be a column. */
function keysOnly(schema: Schema, keys: readonly { readonly id: number }[]): Schema {
  const isKey = (id: number) => keys.some((key) => key.id === id);
  return {
    ...schema,
    fields: schema.fields.map((field) => (isKey(field.id) ? field : { ...field, required: false })),
    identifierFieldIds: [],
  };
}

async function prepareAppend(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  write: RowsToWrite,
  relation: string,
): Promise<PreparedWrite> {
  const { files, rowCount } = await writeRelation(tables, connection, table, write, relation);
  const snapshotId = newSnapshotId();
  const paths = files.map((file) => file.filePath);
  const action = appendFiles(files, snapshotOptions(write, snapshotId));
  return { table, snapshotId, action, files: paths, rowsAdded: rowCount, rowsRemoved: 0n };
}
