import type { DuckDBConnection } from '@duckdb/node-api';
import { currentSchema } from '../iceberg/metadata.ts';
import type { NestedField } from '../iceberg/type.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { tableColumnsSql } from './column-source.ts';
import { countOf, type KeyedRows, preparedRewrite, withOldIds } from './keyed-rows.ts';
import { type PreparedWrite, writeRelation } from './prepared-write.ts';
import { fileColumn } from './read-parquet.ts';
import { sameKey } from './row-keys.ts';
import { hasRowLineage, lineageFields } from './row-lineage.ts';
import { openScan } from './scan-relation.ts';
import type { Tables } from './tables.ts';

/** The files that hold a matching row are written anew without it. */
export async function copyByKey(
  tables: Tables,
  connection: DuckDBConnection,
  { table, write, relation, keys, scan, conflictsOf }: KeyedRows,
): Promise<PreparedWrite> {
  const schema = currentSchema(table.metadata);
  const hit = await matches(connection, scan.sql, relation, keys);
  const tasks = [...scan.tasksByPath].filter(([path]) => hit.files.has(path)).map(([, task]) => task);
  const withLineage = hasRowLineage(table.metadata);
  const kept = await openScan(tables, { table, withLineage, isKept: true }, schema, { ...scan.plan, tasks });
  try {
    const fields = withLineage ? [...schema.fields, ...lineageFields] : schema.fields;
    const columns = fields.map(({ name }) => quoteIdentifier(name)).join(', ');
    const survivors = `SELECT ${columns} FROM ${kept.sql} AS old WHERE NOT EXISTS (SELECT 1 FROM ${relation} AS given WHERE ${sameKey('old', 'given', keys)})`;
    const isUpsert = write.mode === 'UPSERT';
    const given = isUpsert ? await tableColumnsSql(connection, relation, schema) : '';
    const incoming = !isUpsert ? '' : ` UNION ALL BY NAME (${withLineage ? withOldIds(given, kept.sql, keys) : given})`;
    const written = await writeRelation(tables, connection, table, write, `(${survivors}${incoming})`, withLineage);
    const added = isUpsert ? await countOf(connection, relation) : 0n;
    return preparedRewrite(
      table,
      conflictsOf(tasks),
      write,
      { removed: tasks.map(({ file }) => file.filePath), added: written.files },
      added,
      hit.rows,
    );
  } finally {
    kept.release();
  }
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
