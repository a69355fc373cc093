import { randomUUID } from 'node:crypto';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { branchSnapshot } from '../iceberg/branch.ts';
import type { ConflictRules } from '../iceberg/conflict-rules.ts';
import type { DataFile } from '../iceberg/data-file.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { FileScanTask } from '../iceberg/scan-plan.ts';
import { mainBranch } from '../iceberg/snapshot.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import type { NestedField } from '../iceberg/type.ts';
import { commitAttemptsMax } from '../limits.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { type FileReplacement, replaceFiles } from './actions/replace-files.ts';
import { tableColumnsSql } from './column-source.ts';
import { writeDataFiles } from './data-file-writer.ts';
import { keyConflicts } from './key-conflicts.ts';
import { keyPredicate } from './key-predicate.ts';
import { isToComputeAgain } from './lost-snapshot.ts';
import { writePositionDeletes } from './position-deletes.ts';
import { commitWrite, type PreparedWrite, type RowsToWrite, snapshotOptions, type WriteOutcome } from './prepared-write.ts';
import { fileColumn, rowColumn } from './read-parquet.ts';
import { sameKey } from './row-keys.ts';
import { hasRowLineage, lastUpdatedField, lineageFields, rowIdField } from './row-lineage.ts';
import { openScan, type ScanRelation } from './scan-relation.ts';
import { planSnapshot } from './snapshot-files.ts';
import type { Table } from './table.ts';
import type { Tables } from './tables.ts';
import { writeVectorDeletes } from './vector-deletes.ts';

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
      const conflictsOf = (hit: readonly FileScanTask[], isMarked: boolean) =>
        keyConflicts({
          table,
          head,
          mode: write.mode === 'UPSERT' ? 'UPSERT' : 'DELETE',
          where,
          hit: hit.map(({ file }) => file),
          isMergeOnRead: isMarked,
        });
      if (isMergeOnRead(table, write.mode)) {
        return await deleteByPosition(tables, connection, table, rewrite, (hit) => conflictsOf(hit, true), scan);
      }
      const hit = await matches(connection, scan.sql, relation, keys);
      const tasks = [...scan.tasksByPath].filter(([path]) => hit.files.has(path)).map(([, task]) => task);
      const withLineage = hasRowLineage(table.metadata);
      const kept = await openScan(tables, { table, withLineage, isKept: true }, schema, { ...plan, tasks });
      try {
        const fields = withLineage ? [...schema.fields, ...lineageFields] : schema.fields;
        const columns = fields.map(({ name }) => quoteIdentifier(name)).join(', ');
        const survivors = `SELECT ${columns} FROM ${kept.sql} AS old WHERE NOT EXISTS (SELECT 1 FROM ${relation} AS given WHERE ${sameKey('old', 'given', keys)})`;
        const isUpsert = write.mode === 'UPSERT';
        const given = isUpsert ? await tableColumnsSql(connection, relation, schema) : '';
        const incoming = !isUpsert ? '' : ` UNION ALL BY NAME (${withLineage ? withOldIds(given, kept.sql, keys) : given})`;
        const written = await writeDataFiles(tables, {
          connection,
          relation: `(${survivors}${incoming})`,
          metadata: table.metadata,
          withLineage,
          ...(write.orderBy === undefined ? {} : { orderBy: write.orderBy }),
          ...(write.signal === undefined ? {} : { signal: write.signal }),
        });
        const added = isUpsert ? await countOf(connection, relation) : 0n;
        return prepared(
          table,
          conflictsOf(tasks, false),
          write,
          { removed: tasks.map(({ file }) => file.filePath), added: written.files },
          added,
          hit.rows,
        );
      } finally {
        kept.release();
      }
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

/** The rows that match are marked as deleted, by position or, in version 3, by vector; no data file is written anew. */
async function deleteByPosition(
  tables: Tables,
  connection: DuckDBConnection,
  table: Table,
  { write, relation, keys }: KeyRewrite,
  conflictsOf: (hit: readonly FileScanTask[]) => ConflictRules,
  scan: ScanRelation,
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
        const { files: written } = await writeDataFiles(tables, {
          connection,
          relation: `(${old === null ? given : withOldIds(given, old.sql, keys)})`,
          metadata: table.metadata,
          withLineage,
          ...(write.orderBy === undefined ? {} : { orderBy: write.orderBy }),
          ...(write.signal === undefined ? {} : { signal: write.signal }),
        });
        files.push(...written);
      } finally {
        old?.release();
      }
    }
    const rowsAdded = isUpsert ? await countOf(connection, relation) : 0n;
    const replacedVectors = deletes.flatMap(({ referencedDataFile }) => referencedDataFile ?? []);
    return prepared(table, conflicts, write, { removed: [], added: files, replacedVectors }, rowsAdded, rowsRemoved);
  } catch (error) {
    await tables.storage.remove(files.map(({ filePath }) => filePath)).catch(() => undefined);
    throw error;
  } finally {
    await connection.run(`DROP TABLE IF EXISTS ${hits}`);
  }
}

/** A row that replaces another has its id, and was changed by this commit (spec: "Row Lineage"). */
function withOldIds(given: string, old: string, keys: readonly NestedField[]): string {
  const names = keys.map(({ name }) => quoteIdentifier(name)).join(', ');
  return (
    `SELECT given.*, old.${rowIdField.name}, NULL::BIGINT AS ${lastUpdatedField.name} FROM (${given}) AS given ` +
    `LEFT JOIN (SELECT ${names}, min(${rowIdField.name}) AS ${rowIdField.name} FROM ${old} AS data GROUP BY ALL) AS old ` +
    `ON ${sameKey('old', 'given', keys)}`
  );
}

function prepared(
  table: Table,
  conflicts: ConflictRules,
  write: RowsToWrite,
  change: Pick<FileReplacement, 'removed' | 'added' | 'replacedVectors'>,
  rowsAdded: bigint,
  rowsRemoved: bigint,
): PreparedWrite {
  const snapshotId = newSnapshotId();
  const action = replaceFiles({
    ...snapshotOptions(write, snapshotId),
    operation: change.added.every(({ content }) => content !== 'data') ? 'delete' : 'overwrite',
    ...change,
    conflicts,
  });
  return { table, snapshotId, action, files: [...new Set(change.added.map((file) => file.filePath))], rowsAdded, rowsRemoved };
}

interface Matches {
  /** Local paths of the files that hold a matching row. */
  readonly files: ReadonlySet<string>;
  readonly rows: bigint;
}

async function matches(
  connection: DuckDBConnection,
  scan: string,
  relation: string,
  keys: readonly NestedField[],
): Promise<Matches> {
  const reader = await connection.runAndReadAll(
    `SELECT ${fileColumn}, count(*) FROM ${scan} AS old WHERE EXISTS (SELECT 1 FROM ${relation} AS given WHERE ${sameKey('old', 'given', keys)}) GROUP BY 1`,
  );
  const rows = reader.getRows();
  return {
    files: new Set(rows.map(([file]) => String(file))),
    rows: rows.reduce((sum, [, count]) => sum + BigInt(String(count)), 0n),
  };
}

async function countOf(connection: DuckDBConnection, relation: string): Promise<bigint> {
  return BigInt(String((await connection.runAndReadAll(`SELECT count(*) FROM ${relation} AS given`)).getRows()[0]?.[0]));
}
