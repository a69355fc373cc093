import type { DuckDBConnection } from '@duckdb/node-api';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { commitAttemptsMax, trainingFileRows } from '../limits.ts';
import type { Lineage } from '../lineage/lineage.ts';
import type { RunContext } from '../runs/run-handler.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { pinSnapshot } from '../tables/actions/pin-snapshot.ts';
import { overwriteAll } from '../tables/actions/replace-files.ts';
import { writeDataFiles } from '../tables/data-file-writer.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TableDraft, TableTransaction } from '../tables/table-transaction.ts';
import { buildTrainingRows } from './build-training-set.ts';
import { pinnedSnapshots, resolveFeaturePins, snapshotRef } from './feature-pins.ts';
import { type NewTrainingSet, recordedTrainingSet } from './new-training-set.ts';
import { pointInTimeRule } from './point-in-time-join.ts';
import { type LoadedSpine, loadSpine, type SpineEngine } from './spine-source.ts';
import { trainingSetEdges } from './training-lineage.ts';
import type { TrainingSet } from './training-set.ts';
import { trainingSetRow, trainingSetSubject, trainingSetTable } from './training-set-table.ts';
import { columnDefinitions, replaceColumns, withColumns } from './training-table.ts';

export interface TrainingEngine extends SpineEngine {
  readonly ledger: Ledger;
  readonly audit: Audit;
  readonly lineage: Lineage;
  readonly clock: Clock;
  featureSet(name: string, version: number): Promise<FeatureSet>;
  /** The newest version's number; 0 where there is none. */
  newestVersion(name: string): Promise<number>;
}

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

/** The work of a run of `createTrainingSet`: all of it in one commit, or nothing (semantics, section 1). */
export async function createTrainingSet(engine: TrainingEngine, context: RunContext): Promise<void> {
  const input = recordedTrainingSet(context.input);
  await engine.duckdb.trusted.use(async (connection) => {
    const featureSet = await engine.featureSet(input.featureSet, input.featureSetVersion);
    const pins = await resolveFeaturePins(engine.tables, featureSet, input.pins);
    const loaded = await loadSpine(engine, connection, input.spine, 'icecore_spine', context.signal);
    context.progress(0n, loaded.rowCount);
    const rows = await buildTrainingRows(
      engine.tables,
      connection,
      { featureSet, pins, spine: loaded.spine, options: input.options, split: input.split },
      context.signal,
    );
    const made = { input, featureSet, loaded, featureSnapshots: pinnedSnapshots(pins), ...rows };
    for (let attempt = 1; ; attempt++) {
      const seq = await newestSeq(engine, input.name);
      try {
        return await commitTrainingSet(engine, context, connection, made, seq);
      } catch (error) {
        // Where another version of the same name came first this one is the next, from the same rows.
        const isOvertaken = error instanceof IcecoreError && (await newestSeq(engine, input.name)) !== seq;
        if (!isOvertaken || attempt >= commitAttemptsMax) throw error;
        context.signal.throwIfAborted();
      }
    }
  }, context.signal);
}

function newestSeq({ tables }: TrainingEngine, name: string): Promise<bigint> {
  return tables.catalog.subjectSeq(trainingSetSubject(name));
}

interface MadeRows {
  readonly input: NewTrainingSet;
  readonly featureSet: FeatureSet;
  readonly loaded: LoadedSpine;
  readonly featureSnapshots: readonly TableSnapshotRef[];
  readonly relation: string;
  readonly columns: readonly TypedColumn[];
  readonly digest: string;
}

async function commitTrainingSet(
  engine: TrainingEngine,
  context: RunContext,
  connection: DuckDBConnection,
  made: MadeRows,
  seq: bigint,
): Promise<void> {
  const { input, featureSet, loaded } = made;
  const { ledger, audit, lineage, clock } = engine;
  const version = (await engine.newestVersion(input.name)) + 1;
  const tag = trainingTag(input.name, version);
  const transaction = context.transaction();
  try {
    const write = (identifier: TableIdentifier, relation: string, columns: readonly TypedColumn[]) =>
      addVersion(engine, context, connection, transaction, { identifier, relation, columns, tag, isOurs: version > 1 });
    const spineColumns = [...loaded.spine.columns, { column: spinePosition, type: 'long' } as const];
    const spine = await write(spineTable(input.name), loaded.spine.relation, spineColumns);
    const data = await write(dataTable(input.name), made.relation, made.columns);
    context.progress(loaded.rowCount, loaded.rowCount);
    const sources = distinct([...loaded.sources, ...made.featureSnapshots]);
    for (const [place, source] of placed(sources, [spine, data]))
      await pinSource(engine, transaction, source, input.name, version, place);
    const set: TrainingSet = {
      name: input.name,
      version,
      data,
      spine,
      spineEventTime: input.spine.eventTime,
      labels: input.spine.labels,
      sources,
      featureSnapshots: made.featureSnapshots,
      featureSet: { name: featureSet.name, version: featureSet.version },
      options: input.options,
      split: input.split,
      rowCount: loaded.rowCount,
      digest: made.digest,
      redacted: false,
      ruleVersion: pointInTimeRule,
      createdAtMicros: clock.nowMicros(),
      createdBy: context.caller.actor,
      runId: context.run.id,
    };
    transaction.entry(ledger.draft(trainingSetTable, trainingSetRow(set)));
    transaction.guard({ subject: trainingSetSubject(set.name), seq });
    const edges = trainingSetEdges(set, featureSet, {
      sources: loaded.sourceColumns,
      columns: loaded.spine.columns.map(({ column }) => column),
    });
    for (const edge of lineage.drafts(edges, context.caller)) transaction.entry(edge);
    transaction.link(
      audit.link({
        caller: context.caller,
        action: 'createTrainingSet',
        subject: auditSubject({ kind: 'TRAINING_SET', uuid: set.name, version: String(version) }),
        outcome: 'SUCCEEDED',
        payload: {
          name: set.name,
          version,
          digest: set.digest,
          rows: set.rowCount,
          table: set.data.tableName,
          snapshotId: set.data.snapshotId,
          sources: sources.map(({ tableName, snapshotId }) => ({ table: tableName, snapshotId })),
          featureSet: set.featureSet,
          featureSetHash: featureSet.hash,
          runId: set.runId,
        },
      }),
    );
    context.finish(transaction, {
      result: { name: set.name, version, digest: set.digest, rowCount: set.rowCount },
      inputs: sources,
      outputs: [spine, data],
    });
  } catch (error) {
    await transaction.discard();
    throw error;
  }
  await transaction.commit();
}

/** Adds a snapshot that replaces all rows of a table, which is made where it is not there, and pins it. */
async function addVersion(
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

async function pinSource(
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

function distinct(refs: readonly TableSnapshotRef[]): readonly TableSnapshotRef[] {
  return [...new Map(refs.map((ref) => [`${ref.tableUuid}@${ref.snapshotId}`, ref])).values()];
}

/** Each source with its number among the pinned snapshots of its table, those made by this commit counted first. */
function placed(
  sources: readonly TableSnapshotRef[],
  made: readonly TableSnapshotRef[],
): readonly (readonly [number, TableSnapshotRef])[] {
  return sources.map((source, index) => {
    const before = [...made, ...sources.slice(0, index)];
    return [before.filter((other) => other.tableUuid === source.tableUuid).length, source] as const;
  });
}
