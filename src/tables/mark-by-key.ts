import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { DataFile } from '../iceberg/data-file.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { tableColumnsSql } from './column-source.ts';
import { countOf, type KeyedRows, preparedRewrite, withOldIds } from './keyed-rows.ts';
import { writePositionDeletes } from './position-deletes.ts';
import { type PreparedWrite, writeRelation } from './prepared-write.ts';
import { fileColumn, rowColumn } from './read-parquet.ts';
import { sameKey } from './row-keys.ts';
import { hasRowLineage } from './row-lineage.ts';
import { openScan } from './scan-relation.ts';
import type { Tables } from './tables.ts';
import { writeVectorDeletes } from './vector-deletes.ts';

/** The rows that match are marked as deleted, by position or, in version 3, by vector; no data file is written anew. */
export async function markByKey(
  tables: Tables,
  connection: DuckDBConnection,
  { table, write, relation, keys, scan, conflictsOf }: KeyedRows,
): Promise<PreparedWrite> {
  const schema = currentSchema(table.metadata);
  const hits = quoteIdentifier(`hits_${randomUUID()}`);
  await connection.run(
    `CREATE TEMP TABLE ${hits} AS SELECT ${fileColumn}, ${rowColumn} FROM ${scan.sql} AS old WHERE EXISTS (SELECT 1 FROM ${relation} AS given WHERE ${sameKey('old', 'given', keys)})`,
  );
  const files: DataFile[] = [];
  try {
    const rows = { hits, tasksByPath: scan.tasksByPath };
    const withLineage = hasRowLineage(table.metadata);
    const rowsRemoved = await countOf(connection, hits);
    const hitPaths = await connection.runAndReadAll(`SELECT DISTINCT ${fileColumn} FROM ${hits}`);
    const conflicts = conflictsOf(hitPaths.getRows().flatMap(([path]) => scan.tasksByPath.get(String(path)) ?? []));
    const deletes = await (withLineage ? writeVectorDeletes : writePositionDeletes)(tables, connection, table, rows);
    files.push(...deletes);
    const isUpsert = write.mode === 'UPSERT';
    if (isUpsert) {
      const given = await tableColumnsSql(connection, relation, schema);
      const { plan } = scan;
      const old = withLineage ? await openScan(tables, { table, withLineage, isKept: true }, schema, plan) : null;
      try {
        const rows = `(${old === null ? given : withOldIds(given, old.sql, keys)})`;
        files.push(...(await writeRelation(tables, connection, table, write, rows, withLineage)).files);
      } finally {
        old?.release();
      }
    }
    const rowsAdded = isUpsert ? await countOf(connection, relation) : 0n;
    const replacedVectors = deletes.flatMap(({ referencedDataFile }) => referencedDataFile ?? []);
    return preparedRewrite(table, conflicts, write, { removed: [], added: files, replacedVectors }, rowsAdded, rowsRemoved);
  } catch (error) {
    await tables.storage.remove(files.map(({ filePath }) => filePath)).catch(() => undefined);
    throw error;
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${hits}`);
  }
}
