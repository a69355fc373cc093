import { IcecoreError } from '../errors.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import type { DuckDb } from './duckdb.ts';
import { checkSelect } from './select-check.ts';
import { parseSyntaxTree, type SyntaxNode } from './syntax-tree.ts';
import { normaliseTimeTravel } from './time-travel.ts';

/** The point of a table's history that a reference names; the caller resolves it. */
export type TableVersion =
  | { readonly kind: 'snapshot'; readonly snapshotId: bigint }
  /** As it was written, `2001-01-01 00:00:00`. */
  | { readonly kind: 'timestamp'; readonly text: string }
  /** `AT (VERSION => 'a tag or branch')` */
  | { readonly kind: 'ref'; readonly name: string };

/** A table that a SELECT reads, once for each place in it. */
export interface TableReference {
  readonly identifier: TableIdentifier;
  readonly at: TableVersion | null;
  /** `line 1, column 15`. */
  readonly place: string;
  /** As the engine parsed it: catalog, schema, table; empty where left out. */
  readonly parts: readonly [string, string, string];
}

/** A SELECT that was read and found harmless; nothing in it was looked up. */
export interface ParsedSelect {
  readonly statement: string;
  readonly references: readonly TableReference[];
  /** Parameters `?` and `$n` that it takes. */
  readonly parameterCount: number;
  /** With `icecore_reference` n in the place of each table, and every CTE by a name of its own. */
  readonly tree: SyntaxNode;
}

/**
 * Reads a caller's SELECT and lists the tables it refers to. Throws BAD_USER_INPUT, with the place, where it is no single SELECT
 * or would reach for anything but tables: files, settings, other databases, functions that do more than compute.
 */
export async function parseSelect(db: DuckDb, statement: string, signal?: AbortSignal): Promise<ParsedSelect> {
  return db.guarded.use(async (connection) => {
    const normalised = normaliseTimeTravel(statement);
    const tree = await parseSyntaxTree(connection, normalised);
    try {
      return { statement, ...checkSelect(tree, normalised) };
    } catch (error) {
      if (error instanceof RangeError) {
        throw new IcecoreError('BAD_USER_INPUT', 'The statement is nested too deeply. Split it up.', { cause: error });
      }
      throw error;
    }
  }, signal);
}
