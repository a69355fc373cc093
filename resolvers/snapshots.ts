import { printIdentifier } from '../src/iceberg/identifier.ts';
import { snapshotById } from '../src/iceberg/metadata.ts';
import { pinHolders } from '../src/lakehouse/pin-holders.ts';
import { mayReadName } from '../src/tables/readable.ts';
import type { Table, TableSnapshotRef } from '../src/tables/table.ts';
import { type AsOfInput, asOfOf } from './as-of.ts';
import { type Connection, connectionOfAll, orderedKey, type PageArgs } from './connection.ts';
import type { ApiContext } from './context.ts';
import type { Given } from './input.ts';
import { snapshotKey } from './loading.ts';
import { mutate } from './mutation.ts';
import { type NodeValue, nodeValue } from './node-value.ts';
import { snapshotRefView } from './tables.ts';
import type { SnapshotRefView, SnapshotView } from './views.ts';

export function snapshotRefSnapshot({ table, snapshotId }: SnapshotRefView): SnapshotView | string {
  const snapshot = snapshotById(table.metadata, snapshotId);
  return snapshot === undefined ? snapshotKey({ tableUuid: table.uuid, snapshotId }) : { table, snapshot };
}

/** Null for the first one, and where the parent has expired. */
export function snapshotParent({ table, snapshot }: SnapshotView): SnapshotView | null {
  if (snapshot.parentSnapshotId === null) return null;
  const parent = snapshotById(table.metadata, snapshot.parentSnapshotId);
  return parent === undefined ? null : { table, snapshot: parent };
}

export function snapshotRefs({ table, snapshot }: SnapshotView): readonly SnapshotRefView[] {
  const names = Object.entries(table.metadata.refs).flatMap(([name, ref]) =>
    ref.snapshotId === snapshot.snapshotId ? [name] : [],
  );
  return names.toSorted().flatMap((name) => snapshotRefView(table, name) ?? []);
}

/** The key of the run that wrote it. */
export function snapshotProducedBy({ table, snapshot }: SnapshotView): string {
  return snapshotKey({ tableUuid: table.uuid, snapshotId: snapshot.snapshotId });
}

export async function snapshotPinnedBy(
  { table, snapshot }: SnapshotView,
  args: PageArgs,
  context: ApiContext,
): Promise<Connection<NodeValue>> {
  const holders = pinHolders(table.metadata, snapshot.snapshotId);
  const values = await Promise.all(
    holders.map((holder) => nodeValue({ kind: holder.kind, parts: [holder.name, String(holder.version)] }, context)),
  );
  const numbered = values.flatMap((value, index) => (value === null ? [] : [{ value, key: orderedKey(index) }]));
  const page = connectionOfAll(numbered, args, ({ key }) => key);
  return { ...page, edges: page.edges.map(({ cursor, node }) => ({ cursor, node: node.value })) };
}

/** The table's name now; the one that was recorded where it is gone. Null where the caller may not read it. */
export function tableSnapshotTableName(at: TableSnapshotRef, table: Table | null, { icecore }: ApiContext): string | null {
  if (table !== null) return printIdentifier(table.identifier);
  return mayReadName(icecore.tables, at.tableName) ? at.tableName : null;
}

export function tableSnapshotSnapshot(at: TableSnapshotRef): string {
  return snapshotKey(at);
}

interface SetSnapshotRefInput {
  readonly idempotencyKey?: Given<string>;
  readonly table: string;
  readonly name: string;
  readonly type: 'BRANCH' | 'TAG';
  readonly snapshotId?: Given<bigint>;
  readonly maxRefAge?: Given<bigint>;
}

export function setSnapshotRef(
  input: SetSnapshotRefInput,
  context: ApiContext,
): Promise<{ readonly ref: SnapshotRefView | null }> {
  return mutate(context, 'setSnapshotRef', input, async (call) => {
    const { table, name, type } = input;
    const move = { table, name, type, snapshotId: input.snapshotId ?? null, maxRefAgeMicros: input.maxRefAge ?? null };
    const set = await context.icecore.tableOperations.setSnapshotRef(call, move);
    return { ref: set === null ? null : snapshotRefView(set.table, set.name) };
  });
}

export function rollbackTable(
  input: { readonly idempotencyKey?: Given<string>; readonly table: string; readonly to: AsOfInput },
  context: ApiContext,
): Promise<{ readonly snapshot: SnapshotView }> {
  return mutate(context, 'rollbackTable', input, async (call) => ({
    snapshot: await context.icecore.tableOperations.rollbackTable(call, input.table, asOfOf(input.to) ?? {}),
  }));
}

export async function* snapshotCommitted(
  args: { readonly table: string; readonly afterSnapshotId?: Given<bigint> },
  { icecore, signal }: ApiContext,
): AsyncGenerator<SnapshotView> {
  yield* icecore.snapshotFeed.snapshots(args.table, args.afterSnapshotId ?? null, signal);
}
