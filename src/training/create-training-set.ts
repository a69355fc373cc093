import type { DuckDBConnection } from '@duckdb/node-api';
import { auditSubject } from '../audit/subject.ts';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import type { TableIdentifier } from '../iceberg/identifier.ts';
import { commitAttemptsMax } from '../limits.ts';
import type { RunContext } from '../runs/run-handler.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { buildTrainingRows } from './build-training-set.ts';
import { pinnedSnapshots, resolveFeaturePins } from './feature-pins.ts';
import { type NewTrainingSet, recordedTrainingSet } from './new-training-set.ts';
import { pointInTimeRule } from './point-in-time-join.ts';
import { type LoadedSpine, loadSpine } from './spine-source.ts';
import type { TrainingEngine } from './training-engine.ts';
import { trainingSetEdges } from './training-lineage.ts';
import type { TrainingSet } from './training-set.ts';
import { trainingSetRow, trainingSetSubject, trainingSetTable } from './training-set-table.ts';
import { addVersion, dataTable, distinct, pinSource, placed, spineTable, trainingTag } from './training-tables.ts';

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
