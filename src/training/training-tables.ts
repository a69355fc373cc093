import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { trainingFileRows } from '../limits.ts';
import type { RunContext } from '../runs/run-handler.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { pinSnapshot } from '../tables/actions/pin-snapshot.ts';
import { overwriteAll } from '../tables/actions/replace-files.ts';
import { writeDataFiles } from '../tables/data-file-writer.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TableDraft, TableTransaction } from '../tables/table-transaction.ts';
import { snapshotRef } from './feature-pins.ts';
import type { TrainingEngine } from './training-engine.ts';
import { columnDefinitions, replaceColumns, withColumns } from './training-table.ts';

/** Where the rows of a training set are kept, a snapshot each version. */
export function dataTable(name: string): TableIdentifier {
  return { namespace: ['training'], name };
}

/** Where its numbered spines are kept. */
export function spineTable(name: string): TableIdentifier {
  return { namespace: ['training'], name: `${name}__spine` };
}

/** The tag that pins a snapshot for a version of a training set; `place` tells apart several of one table. */
export function trainingTag(name: string, version: number, place = 0): string {
  const tag = `training-set/${name}/v${version}`;
  return place === 0 ? tag : `${tag}/${place + 1}`;
}

/**
 * Throws ALREADY_EXISTS where a table has the name of one that a new set would be kept in: its rows, which are somebody else's, would be
 * replaced.
 */
export async function refuseTakenTables({ tables, newestVersion }: TrainingEngine, name: string): Promise<void> {
  // The tables first: those of a set that is made meanwhile come with its version.
  const [table] = (await tables.loadMany([dataTable(name), spineTable(name)])).filter((found) => found !== null);
  if (table !== undefined && (await newestVersion(name)) === 0) throw taken(table.identifier);
}

function taken(identifier: TableIdentifier): IcecoreError {
  const table = printIdentifier(identifier);
  return new IcecoreError(
    'ALREADY_EXISTS',
    `The training set would be kept in ${table}, a table that exists already and is not the set's. Give the set another name.`,
    { context: { table } },
  );
}

/** Adds a snapshot that replaces all rows of a table, which is made where it is not there, and pins it. */
export async function addVersion(
  { tables }: TrainingEngine,
  context: RunContext,
  connection: DuckDBConnection,
  transaction: TableTransaction,
  work: {
    readonly identifier: TableIdentifier;
    readonly relation: string;
    readonly columns: readonly TypedColumn[];
    readonly tag: string;
    /** Whether an earlier version of the set made the table. */
    readonly isOurs: boolean;
  },
): Promise<TableSnapshotRef> {
  const { identifier, columns } = work;
  const existing = await tables.find(identifier);
  let table: TableDraft;
  if (existing === null) {
    table = transaction.create(identifier, { columns: columnDefinitions(columns) });
  } else if (!work.isOurs) {
    throw taken(identifier);
  } else {
    table = { ...existing, metadata: withColumns(existing.metadata, columns) };
    transaction.change(existing, replaceColumns(columns));
  }
  const { files } = await writeDataFiles(tables, {
    connection,
    relation: work.relation,
    metadata: table.metadata,
    orderBy: quoteIdentifier(spinePosition),
    rowsPerFile: trainingFileRows,
    signal: context.signal,
  });
  transaction.onRollback(files.map((file) => file.filePath));
  const snapshotId = newSnapshotId();
  const summary = { 'icecore.run-id': context.run.id };
  transaction.change(
    table,
    overwriteAll(files, { snapshotId, summary }, () => undefined),
  );
  transaction.change(table, pinSnapshot(work.tag, snapshotId));
  return snapshotRef(table, { snapshotId });
}

export async function pinSource(
  { tables }: TrainingEngine,
  transaction: TableTransaction,
  source: TableSnapshotRef,
  name: string,
  version: number,
  place: number,
): Promise<void> {
  const table = await tables.findByUuid(source.tableUuid);
  if (table === null) {
    throw new IcecoreError('NOT_FOUND', `${source.tableName} was dropped while the training set was made from it.`);
  }
  transaction.change(table, pinSnapshot(trainingTag(name, version, place), source.snapshotId));
}

/** Each snapshot once. */
export function distinct(refs: readonly TableSnapshotRef[]): readonly TableSnapshotRef[] {
  return [...new Map(refs.map((ref) => [`${ref.tableUuid}@${ref.snapshotId}`, ref])).values()];
}

/** Each source with its number among the pinned snapshots of its table, those made by this commit counted first. */
export function placed(
  sources: readonly TableSnapshotRef[],
  made: readonly TableSnapshotRef[],
): readonly (readonly [number, TableSnapshotRef])[] {
  return sources.map((source, index) => {
    const before = [...made, ...sources.slice(0, index)];
    return [before.filter((other) => other.tableUuid === source.tableUuid).length, source] as const;
  });
}
