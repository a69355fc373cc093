import { realpath } from 'node:fs/promises';
import { isAbsolute, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Schema } from '../iceberg/schema.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { loadJsonRows } from '../sql/json-rows.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';

/** Where rows to write come from; exactly one member is set. */
export interface RowSource {
  /** Objects keyed by column name, in the contract's JSON forms. */
  readonly json?: readonly unknown[];
  /** The path, or the file: URL, of a Parquet file under one of the roots. */
  readonly file?: string;
  /** Gives what stands after FROM, on the connection it gets. Run once; its rows are kept until the write is done. */
  readonly relation?: (connection: DuckDBConnection) => Promise<string>;
}

export interface SourceOptions {
  readonly schema: Schema;
  /** Directories whose files callers may name. */
  readonly fileRoots: readonly string[];
  /** Directories from which they may not, also where they lie in those. */
  readonly closedRoots?: readonly string[];
  /** Keep the rows in a temporary table, since they are read more than once. */
  readonly keep: boolean;
}

/** The rows as what stands after FROM on this connection. Throws BAD_USER_INPUT where they cannot be read as rows of the schema. */
export async function rowRelation(connection: DuckDBConnection, source: RowSource, options: SourceOptions): Promise<string> {
  if (source.json !== undefined) {
    await loadJsonRows(connection, keptTable, options.schema, source.json);
    return `temp.${quoteIdentifier(keptTable)}`;
  }
  const relation =
    source.file === undefined ? await source.relation?.(connection) : await parquetFile(connection, source.file, options);
  if (relation === undefined)
    throw new IcecoreError('BAD_USER_INPUT', 'No rows were given: set one of json, arrow, file or sql.');
  if (!options.keep) return relation;
  try {
    await connection.run(`CREATE TEMP TABLE ${quoteIdentifier(keptTable)} AS SELECT * FROM ${relation} AS given`);
  } catch (error) {
    throw duckDbError(error, 'The source of the rows');
  }
  return `temp.${quoteIdentifier(keptTable)}`;
}

const keptTable = '__icecore_incoming';

async function parquetFile(connection: DuckDBConnection, file: string, options: SourceOptions): Promise<string> {
  const path = await allowedPath(file, options.fileRoots, options.closedRoots ?? []);
  const relation = `read_parquet(${quoteText(path)}, hive_partitioning = false)`;
  try {
    // Opens the file and reads its footer.
    (await connection.prepare(`SELECT * FROM ${relation}`)).destroySync();
  } catch (cause) {
    throw new IcecoreError('BAD_USER_INPUT', `The file "${file}" cannot be read as Parquet.`, { cause, context: { file } });
  }
  return relation;
}

/** Links are followed before the path is compared with the roots, so that none leads out of them. */
async function allowedPath(file: string, roots: readonly string[], closed: readonly string[]): Promise<string> {
  const refusal = new IcecoreError(
    'BAD_USER_INPUT',
    `The file "${file}" is not under a directory that this server reads from; its operator names them in ICECORE_FILE_ROOTS${roots.length === 0 ? ', which is empty' : ''}.`,
    { context: { file } },
  );
  let path: string;
  try {
    path = file.startsWith('file:') ? fileURLToPath(file) : file;
  } catch {
    throw refusal;
  }
  if (!isAbsolute(path) || path.includes('\0')) throw refusal;
  // Glob characters would make one path many.
  if (/[*?[\]{}]/.test(path)) throw refusal;
  const inRoot = (candidate: string, root: string) => {
    const way = relative(root, candidate);
    return way !== '' && !way.startsWith('..') && !isAbsolute(way);
  };
  // What lies outside is refused alike whether it is there or not.
  const isNamedIn = (some: readonly string[]): boolean => some.some((root) => inRoot(resolve(path), resolve(root)));
  if (!isNamedIn(roots) || isNamedIn(closed)) throw refusal;
  const real = await realpath(path).catch((cause: unknown) => {
    throw new IcecoreError('BAD_USER_INPUT', `The file "${file}" does not exist.`, { cause, context: { file } });
  });
  const isIn = async (some: readonly string[]): Promise<boolean> => {
    const realRoots = await Promise.all(some.map((root) => realpath(root).catch(() => null)));
    return realRoots.some((root) => root !== null && inRoot(real, root));
  };
  if (!(await isIn(roots)) || (await isIn(closed))) throw refusal;
  return real;
}
