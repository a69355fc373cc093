import { cliPageSize } from '../limits.ts';
import type { Api } from './api.ts';
import { type Console, dim } from './console.ts';
import { counted, countText } from './count-text.ts';
import { printable } from './printable.ts';
import { textTable } from './text-table.ts';

/** What a list of tables says of each. */
export interface ListedTable {
  readonly name: string;
  readonly kind: string;
  readonly currentSnapshot: SnapshotSummary | null;
  readonly snapshots: { readonly totalCount: string | null };
}

export interface SnapshotSummary {
  readonly snapshotId: string;
  readonly committedAt: string;
  readonly operation: string;
  readonly summary: Readonly<Record<string, unknown>>;
}

export const listedTableFields = `name kind snapshots(first: 0) { totalCount }
  currentSnapshot { snapshotId committedAt operation summary }`;

const query = `query ($namespace: String, $kind: TableKind, $first: Int, $after: String) {
  tables(namespace: $namespace, kind: $kind, first: $first, after: $after) {
    edges { node { ${listedTableFields} } } pageInfo { hasNextPage endCursor }
  }
}`;

interface TablesAnswer {
  readonly tables: {
    readonly edges: readonly { readonly node: ListedTable }[];
    readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  };
}

/** Every table of a namespace, or of all where it is null, page by page; by name. */
export async function* listTables(
  api: Api,
  narrow: { readonly namespace: string | null; readonly kind: string | null; readonly pageSize?: number },
): AsyncGenerator<ListedTable, void, undefined> {
  const { namespace, kind, pageSize = cliPageSize } = narrow;
  for (let after: string | null = null; ; ) {
    const { tables }: TablesAnswer = await api.ask<TablesAnswer>(query, { namespace, kind, first: pageSize, after });
    for (const { node } of tables.edges) yield node;
    if (!tables.pageInfo.hasNextPage) return;
    after = tables.pageInfo.endCursor;
  }
}

/** Rows that a snapshot holds, as its writer counted them; null where it did not. */
export function rowsOf({ summary }: SnapshotSummary): string | null {
  const records = summary['total-records'];
  return typeof records === 'string' && /^\d+$/.test(records) ? records : null;
}

/** `2026-11-23 12:29:34Z` */
export function momentText(instant: string): string {
  return printable(instant.replace('T', ' ').replace(/\.\d+Z$/, 'Z'));
}

export function printTables(tables: readonly ListedTable[], console: Console): void {
  const columns = [
    { name: 'name', isNumeric: false },
    { name: 'kind', isNumeric: false },
    { name: 'rows', isNumeric: true },
    { name: 'snapshots', isNumeric: true },
    { name: 'last commit', isNumeric: false },
  ];
  const rows = tables.map(({ name, kind, currentSnapshot, snapshots }) => {
    const count = currentSnapshot === null ? '0' : rowsOf(currentSnapshot);
    return [
      { text: printable(name) },
      { text: kind },
      count === null ? { text: 'not counted', isDim: true } : { text: countText(count) },
      { text: countText(snapshots.totalCount ?? '?') },
      currentSnapshot === null ? { text: 'never', isDim: true } : { text: momentText(currentSnapshot.committedAt) },
    ];
  });
  console.out(textTable(columns, rows, console));
  console.out(`${dim(counted(tables.length, 'table'), console)}\n`);
}
