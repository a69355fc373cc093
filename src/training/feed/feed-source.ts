import { IcecoreError } from '../../errors.ts';
import type { BoundExpression, Expression } from '../../iceberg/expression.ts';
import { bindExpression } from '../../iceberg/expression-bind.ts';
import { parseIdentifier, printIdentifier } from '../../iceberg/identifier.ts';
import { refByName, snapshotById } from '../../iceberg/metadata.ts';
import { requireField, type Schema } from '../../iceberg/schema.ts';
import type { Snapshot } from '../../iceberg/snapshot.ts';
import { ancestors } from '../../iceberg/snapshot-at.ts';
import type { NestedField } from '../../iceberg/type.ts';
import type { DuckDb } from '../../sql/duckdb.ts';
import { parsePredicate } from '../../sql/predicate.ts';
import { resolveAsOf, schemaAsOf } from '../../tables/resolve-as-of.ts';
import type { AsOf, Table, TableSnapshotRef } from '../../tables/table.ts';
import type { Tables } from '../../tables/tables.ts';
import { requireSnapshot } from '../feature-pins.ts';
import { splitColumn } from '../split.ts';
import type { TrainingSet } from '../training-set.ts';
import { differs, type FeedCursor, filterHash, parseFeedCursor, resumedOrder } from './feed-cursor.ts';
import { type FeedOrder, feedOrder, type TrainingFeedInput } from './feed-input.ts';

/** Where the sources of feeds are found. */
export interface FeedSources {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  /** A training set, the newest version where none is named. Throws NOT_FOUND. */
  readonly trainingSet: (name: string, version: number | null) => Promise<TrainingSet>;
  /** The version of a training set whose rows are this snapshot; null where there is none. */
  readonly trainingSetAt: (name: string, snapshotId: bigint) => Promise<TrainingSet | null>;
}

/** The rows that a feed or plan is of, in which order, and from where on; not yet looked at. */
export interface FeedRows {
  readonly table: Table;
  /** Null for a table without one, which has no rows. */
  readonly snapshot: Snapshot | null;
  /** Of the whole table, as it is read. */
  readonly schema: Schema;
  /** Those asked for, in that order. */
  readonly columns: readonly NestedField[];
  /** Filter and split; null where all rows are wanted. */
  readonly where: Expression | null;
  /** The same, bound to the schema; `true` where all rows are wanted. */
  readonly filter: BoundExpression;
  readonly order: FeedOrder;
  /** Rows of the order that lie before the cursor that was given; 0 where none was. */
  readonly start: bigint;
  /** What a cursor holds besides its position. */
  readonly cursor: Omit<FeedCursor, 'position'>;
}

/**
 * Settles what is read. What the cursor holds may be left out beside it. Throws BAD_USER_INPUT, NOT_FOUND, and CONFLICT where the cursor was
 * made with something else (semantics, section 2, "Cursor").
 */
export async function resolveFeedRows(sources: FeedSources, input: TrainingFeedInput, signal?: AbortSignal): Promise<FeedRows> {
  const asked = feedOrder(input);
  const cursor = input.cursor == null ? null : parseFeedCursor(input.cursor);
  const order = cursor === null ? asked : resumedOrder(cursor, asked);
  const { table, snapshot, schema } = await resolveSource(sources, input, cursor);
  const where = await filterOf(sources, input, schema, signal);
  const hash = filterHash(where);
  if (cursor !== null && cursor.filterHash !== hash) {
    throw new IcecoreError(
      'CONFLICT',
      'The cursor was made with another `where` or `split`. Give the same ones, or begin the epoch anew.',
    );
  }
  return {
    table,
    snapshot,
    schema,
    columns: columnsOf(schema, input.columns),
    where,
    filter: bindExpression(schema, where ?? { op: 'true' }),
    order,
    start: cursor?.position ?? 0n,
    cursor: { ...order, snapshotId: snapshot?.snapshotId ?? 0n, filterHash: hash },
  };
}

type Source = Pick<FeedRows, 'table' | 'snapshot' | 'schema'>;

async function resolveSource(
  { tables, trainingSet, trainingSetAt }: FeedSources,
  { source }: TrainingFeedInput,
  cursor: FeedCursor | null,
): Promise<Source> {
  if ('trainingSet' in source) {
    const { name, version } = source.trainingSet;
    const resumed = version == null && cursor !== null ? await trainingSetAt(name, cursor.snapshotId) : null;
    const data: TableSnapshotRef = (resumed ?? (await trainingSet(name, version ?? null))).data;
    if (cursor !== null && data.snapshotId !== cursor.snapshotId) throw differs('snapshot', cursor.snapshotId, data.snapshotId);
    const pinned = await requireSnapshot(tables, data);
    return { ...pinned, schema: schemaAsOf(pinned.table, { snapshotId: data.snapshotId }, pinned.snapshot) };
  }
  const { name, asOf } = source.table;
  const table = await tables.load(parseIdentifier(name));
  const isMoving = asOf === undefined || isBranch(table, asOf);
  const head = isMoving ? resolveAsOf(table, asOf) : null;
  const resumed = isMoving && cursor !== null ? resumedAt(table, asOf, head, cursor) : null;
  const at = resumed ?? asOf;
  const snapshot = resolveAsOf(table, at);
  if (cursor !== null && (snapshot?.snapshotId ?? 0n) !== cursor.snapshotId) {
    throw differs('snapshot', cursor.snapshotId, snapshot?.snapshotId ?? 'none');
  }
  // One who goes on sees the columns that the beginning saw: those of now, unless another snapshot came.
  const isHead = isMoving && snapshot?.snapshotId === head?.snapshotId;
  return { table, snapshot, schema: schemaAsOf(table, isHead ? asOf : at, snapshot) };
}

function isBranch({ metadata }: Table, { ref }: AsOf): boolean {
  return ref !== undefined && refByName(metadata, ref)?.type === 'branch';
}

/** Where one goes on who began at what a table or a branch was then; null where it never was that. */
function resumedAt(table: Table, asOf: AsOf | undefined, head: Snapshot | null, { snapshotId }: FeedCursor): AsOf | null {
  if (snapshotId === 0n || snapshotId === head?.snapshotId) return null;
  if (snapshotById(table.metadata, snapshotId) === undefined) {
    const name = printIdentifier(table.identifier);
    throw new IcecoreError(
      'NOT_FOUND',
      `The cursor is of snapshot ${snapshotId}, which table ${name} does not have: it was expired, or is another table's. Begin the epoch anew, and read a tag or a training set where the rows have to stay.`,
      { context: { table: name, snapshotId: String(snapshotId) } },
    );
  }
  const was =
    asOf === undefined ||
    (head !== null && ancestors(table.metadata, head.snapshotId).some((each) => each.snapshotId === snapshotId));
  return was ? { snapshotId } : null;
}

async function filterOf(
  { duckdb }: FeedSources,
  { where, split }: TrainingFeedInput,
  schema: Schema,
  signal: AbortSignal | undefined,
): Promise<Expression | null> {
  const left = where == null ? null : await parsePredicate(duckdb, where, signal);
  if (split == null) return left;
  if (!schema.fields.some((field) => field.name === splitColumn)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `There is no split ${split} to read: the rows were not split. Make the training set with \`split\`, or leave it out.`,
    );
  }
  const right: Expression = { op: 'eq', column: splitColumn, literal: split };
  return left === null ? right : { op: 'and', left, right };
}

/** The columns asked for, in that order; all where none are named. Throws BAD_USER_INPUT. */
function columnsOf(schema: Schema, names: readonly string[] | null | undefined): readonly NestedField[] {
  if (names == null) return schema.fields;
  if (names.length === 0)
    throw new IcecoreError('BAD_USER_INPUT', 'The training feed is asked for no column. Name one, or leave `columns` out.');
  for (const [index, name] of names.entries()) {
    if (names.indexOf(name) !== index) throw new IcecoreError('BAD_USER_INPUT', `The column ${name} is asked for twice.`);
  }
  return names.map((name) => requireField(schema, name));
}
