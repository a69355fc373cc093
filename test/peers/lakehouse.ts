import { vi } from 'vitest';
import type { Api } from '../../demo/api.ts';
import { comparable } from './demo-store.ts';

/** A table through the GraphQL API, in the few words that tests of other engines need. */
export class Lakehouse {
  readonly #api: Api;

  constructor(api: Api) {
    this.#api = api;
  }

  async create(input: Readonly<Record<string, unknown>>): Promise<void> {
    await this.#api.ask('mutation ($input: CreateTableInput!) { createTable(input: $input) { table { name } } }', { input });
  }

  /** The id of the snapshot that it made. */
  async write(table: string, rows: readonly unknown[], more: Readonly<Record<string, unknown>> = {}): Promise<string> {
    const { writeRows } = await this.#api.ask<{ writeRows: { snapshot: { snapshotId: string } } }>(
      'mutation ($input: WriteRowsInput!) { writeRows(input: $input) { snapshot { snapshotId } } }',
      { input: { table, rows: { json: rows }, ...more } },
    );
    return writeRows.snapshot.snapshotId;
  }

  /** The rows, in the order of their text: engines promise none. At most a thousand. */
  async rows(table: string, asOf: Readonly<Record<string, string>> | null = null): Promise<readonly unknown[]> {
    const { rows } = await this.#table<{ rows: { rows: readonly unknown[] } }>(
      table,
      'rows(asOf: $asOf, first: 1000) { rows }',
      asOf,
    );
    return inOrder(rows.rows);
  }

  async columns(table: string): Promise<readonly string[]> {
    const { columns } = await this.#table<{ columns: readonly { name: string; type: string; required: boolean }[] }>(
      table,
      'columns { name type required }',
    );
    return columns.map(({ name, type, required }) => `${name} ${type}${required ? ' required' : ''}`);
  }

  async partitioning(table: string): Promise<readonly string[]> {
    const { partitionFields } = await this.#table<{ partitionFields: readonly { column: string; transform: string }[] }>(
      table,
      'partitionFields { column transform }',
    );
    return partitionFields.map(({ column, transform }) => `${transform}(${column})`);
  }

  async properties(table: string): Promise<Readonly<Record<string, string>>> {
    return (await this.#table<{ properties: Record<string, string> }>(table, 'properties')).properties;
  }

  /** The operations of the snapshots, oldest first. */
  async operations(table: string): Promise<readonly string[]> {
    return (await this.snapshots(table)).map(({ operation }) => operation);
  }

  /** Oldest first. */
  async snapshots(table: string): Promise<readonly { readonly snapshotId: string; readonly operation: string }[]> {
    const { snapshots } = await this.#table<{
      snapshots: { edges: readonly { node: { snapshotId: string; operation: string } }[] };
    }>(table, 'snapshots(first: 1000) { edges { node { snapshotId operation } } }');
    return snapshots.edges.map(({ node }) => node).toReversed();
  }

  /** The snapshots that branches and tags name. */
  async refs(table: string): Promise<Readonly<Record<string, string>>> {
    const { refs } = await this.#table<{ refs: { edges: readonly { node: SnapshotRefNode }[] } }>(
      table,
      'refs(first: 100) { edges { node { name type snapshot { snapshotId } } } }',
    );
    return Object.fromEntries(refs.edges.map(({ node }) => [`${node.type} ${node.name}`, node.snapshot.snapshotId]));
  }

  async sql(statement: string): Promise<readonly unknown[]> {
    const { sql } = await this.#api.ask<{ sql: { rows: readonly unknown[] } }>(
      'query ($statement: String!) { sql(statement: $statement) { rows } }',
      { statement },
    );
    return sql.rows;
  }

  /** Whether there is such a table for the caller. */
  async has(table: string): Promise<boolean> {
    const answer = await this.#api.ask<{ table: unknown }>('query ($name: String!) { table(name: $name) { name } }', {
      name: table,
    });
    return answer.table !== null;
  }

  /** Any operation; the named field of its answer. */
  async ask<Data>(query: string, input: Readonly<Record<string, unknown>>): Promise<Data> {
    return await this.#api.ask<Data>(query, { input });
  }

  /** Resolves when a run has ended. Throws where it failed. */
  async succeeded(run: string): Promise<void> {
    await vi.waitFor(
      async () => {
        const answer = await this.#api.ask<{ run: { status: string; error: string | null } }>(
          'query ($id: ID!) { run(id: $id) { status error } }',
          { id: run },
        );
        if (answer.run.status !== 'SUCCEEDED') throw new Error(`${answer.run.status}: ${answer.run.error}`);
      },
      { timeout: 60_000, interval: 50 },
    );
  }

  async #table<Shape>(name: string, fields: string, asOf: Readonly<Record<string, string>> | null = null): Promise<Shape> {
    const query = fields.includes('$asOf')
      ? `query ($name: String!, $asOf: AsOf) { table(name: $name) { ${fields} } }`
      : `query ($name: String!) { table(name: $name) { ${fields} } }`;
    const { table } = await this.#api.ask<{ table: Shape | null }>(query, { name, ...(asOf === null ? {} : { asOf }) });
    if (table === null) throw new Error(`GraphQL knows no table ${name}`);
    return table;
  }
}

interface SnapshotRefNode {
  readonly name: string;
  readonly type: string;
  readonly snapshot: { readonly snapshotId: string };
}

/** Rows in the order of their text. */
export function inOrder(rows: readonly unknown[]): readonly unknown[] {
  return rows
    .map((row) => ({ row, text: comparable(row) }))
    .toSorted((a, b) => (a.text < b.text ? -1 : 1))
    .map(({ row }) => row);
}
