import type { DuckDBConnection } from '@duckdb/node-api';
import type { Lease } from './connection-pool.ts';
import { mapTree, printSyntaxTree } from './print-tree.ts';
import { quoteIdentifier } from './quote.ts';
import type { ParsedSelect, TableReference } from './select.ts';
import type { SyntaxNode } from './syntax-tree.ts';

interface Relation {
  readonly catalog: string;
  readonly schema: string;
  readonly name: string;
  /** The SELECT that gives its rows. */
  readonly sql: string;
}

let catalogCount = 0;

/**
 * Views that stand for a statement's tables, each by the schema and name under which the statement refers to it, so that
 * `ns.t.column` still finds it. They live in catalogs in memory that belong to one connection's statement alone; two references
 * that would meet under one name (`t AT (VERSION => 1)` and `t`) go to different catalogs.
 */
export class SelectRelations {
  readonly #connection: DuckDBConnection;
  readonly #relations: readonly Relation[];

  private constructor(connection: DuckDBConnection, relations: readonly Relation[]) {
    this.#connection = connection;
    this.#relations = relations;
  }

  /** Makes the views, until the lease ends. `selects` has the SELECT for each of the references, in their order. */
  static async define(lease: Lease, references: readonly TableReference[], selects: readonly string[]): Promise<SelectRelations> {
    const { connection } = lease;
    const relations = new SelectRelations(connection, placeRelations(references, selects));
    for (const catalog of new Set(relations.#relations.map((relation) => relation.catalog))) {
      lease.defer(`DETACH DATABASE IF EXISTS ${quoteIdentifier(catalog)}`);
      await connection.run(`ATTACH ':memory:' AS ${quoteIdentifier(catalog)}`);
    }
    const made = new Set<string>();
    for (const { catalog, schema, name, sql } of relations.#relations) {
      const qualifiedSchema = `${quoteIdentifier(catalog)}.${quoteIdentifier(schema)}`;
      const view = `${qualifiedSchema}.${quoteIdentifier(name)}`;
      if (made.has(view)) continue;
      made.add(view);
      await connection.run(`CREATE SCHEMA IF NOT EXISTS ${qualifiedSchema}`);
      await connection.run(`CREATE VIEW ${view} AS ${sql}`);
    }
    return relations;
  }

  /** The statement over the views, as SQL text. Throws BAD_USER_INPUT where the engine cannot print it faithfully. */
  async print(select: ParsedSelect): Promise<string> {
    const bound = mapTree(select.tree, (node) => this.#bind(node)) as SyntaxNode;
    return printSyntaxTree(this.#connection, bound);
  }

  #bind(node: SyntaxNode): SyntaxNode {
    const index = node.type === 'BASE_TABLE' ? /^icecore_reference_(\d+)$/.exec(String(node.table_name))?.[1] : undefined;
    const relation = index === undefined ? undefined : this.#relations[Number(index)];
    if (relation === undefined) return node;
    return { ...node, catalog_name: relation.catalog, schema_name: relation.schema, table_name: relation.name };
  }
}

/** The engine folds the case of names and the catalog does not: what meets under one folded name is told apart by the catalog. */
function placeRelations(references: readonly TableReference[], selects: readonly string[]): readonly Relation[] {
  const prefix = `icecore_${catalogCount++}`;
  const takenBy = new Map<string, string>();
  return references.map((reference, index) => {
    const [, schemaPart, name] = reference.parts;
    const schema = schemaPart === '' ? 'main' : schemaPart;
    const sql = selects[index] ?? '';
    const identity = JSON.stringify([reference.parts, sql]);
    for (let level = 0; ; level++) {
      const catalog = `${prefix}_${level}`;
      const key = JSON.stringify([catalog, schema.toLowerCase(), name.toLowerCase()]);
      const owner = takenBy.get(key) ?? identity;
      if (owner !== identity) continue;
      takenBy.set(key, identity);
      return { catalog, schema, name, sql };
    }
  });
}
