import { parseIdentifier } from '../iceberg/identifier.ts';
import type { TableSnapshotRef } from './table.ts';
import type { Tables } from './tables.ts';

/** A table as something recorded it. */
export type RecordedTable = Pick<TableSnapshotRef, 'tableUuid' | 'tableName'>;

/**
 * Whether what was recorded of these tables may be shown to the caller at hand, in their order: the name that was recorded has to be one that
 * they may read and, where the table is still there, its name now as well.
 */
export async function areReadable(tables: Tables, recorded: readonly RecordedTable[]): Promise<readonly boolean[]> {
  const { access, catalog } = tables;
  if (access.permissions.unrestricted) return recorded.map(() => true);
  const byName = recorded.map(({ tableName }) => mayReadName(tables, tableName));
  const uuids = [...new Set(recorded.flatMap(({ tableUuid }, index) => (byName[index] ? [tableUuid] : [])))];
  if (uuids.length === 0) return byName;
  const pointers = await access.asServer(() => catalog.loadManyByUuid(uuids));
  const hidden = new Set(uuids.filter((_, index) => pointers[index] != null && !access.mayRead(pointers[index].identifier)));
  return recorded.map(({ tableUuid }, index) => byName[index] === true && !hidden.has(tableUuid));
}

/** Those of the items all of whose tables may be read, in their order; one read whatever their number. */
export async function ofReadable<Item>(
  tables: Tables,
  items: readonly Item[],
  tablesOf: (item: Item) => readonly RecordedTable[],
): Promise<readonly Item[]> {
  if (tables.access.permissions.unrestricted || items.length === 0) return items;
  const lists = items.map(tablesOf);
  const readable = await areReadable(tables, lists.flat());
  let next = 0;
  return items.filter((_, index) => {
    const count = lists[index]?.length ?? 0;
    next += count;
    return readable.slice(next - count, next).every((each) => each);
  });
}

/** Whether a table's printed name, as something recorded it, may be shown. */
export function mayReadName(tables: Tables, printed: string): boolean {
  try {
    return tables.access.mayRead(parseIdentifier(printed));
  } catch {
    return tables.access.permissions.unrestricted;
  }
}
