import type { DuckDBConnection } from '@duckdb/node-api';
import type { Audit } from '../audit/audit.ts';
import { auditSubject } from '../audit/subject.ts';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { printIdentifier, type TableIdentifier } from '../iceberg/identifier.ts';
import { newSnapshotId } from '../iceberg/snapshot-id.ts';
import { scoringCommitAttemptsMax } from '../limits.ts';
import type { Assurance, ModelVersion } from '../models/model.ts';
import type { LineageDrafts } from '../models/version-registration.ts';
import type { RunContext } from '../runs/run-handler.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { appendFiles } from '../tables/actions/append-files.ts';
import { writeDataFiles } from '../tables/data-file-writer.ts';
import type { TableDefinition } from '../tables/new-table.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Tables } from '../tables/tables.ts';
import { tableRef } from '../training/training-lineage.ts';
import { predictionEdges } from './prediction-lineage.ts';
import { checkPredictionsTable } from './predictions-table.ts';
import type { ScoringSource } from './score-batch-input.ts';
import { distinctSnapshots, type SourceShape } from './scoring-source.ts';
import type { StagedInput } from './scoring-staging.ts';
import { type HeldSnapshot, keepSnapshots } from './snapshot-hold.ts';
import { asOfColumn, keyColumn, rowColumn } from './stage-input.ts';
import { type AnswersSummary, answersTable, outputColumn } from './staged-answers.ts';

/** What a scoring run records of its outcome. */
export interface ScoringResult {
  readonly model: string;
  readonly version: number;
  readonly digest: string;
  readonly modelIdentity: 'REPORTED' | 'ASSERTED';
  readonly predictionsTable: string;
  readonly predictionsTableUuid: string;
  readonly rowsFailed: number;
  readonly rowsPerSecond: number | null;
  readonly assurance: Assurance;
  readonly spineSources: readonly TableSnapshotRef[];
  readonly featureSources: readonly TableSnapshotRef[];
}

export interface PredictionsCommit {
  readonly tables: Tables;
  readonly audit: Audit;
  readonly lineage: LineageDrafts;
  readonly context: RunContext;
  readonly version: ModelVersion;
  readonly assurance: Assurance;
  readonly source: ScoringSource;
  readonly shape: SourceShape;
  /** Null where a table was scored that had the inputs. */
  readonly featureSet: FeatureSet | null;
  readonly into: TableIdentifier;
  readonly definition: TableDefinition;
  readonly input: StagedInput;
  /** The staged rows as a local file. */
  readonly inputPath: string;
  readonly answers: AnswersSummary;
  readonly rowsPerSecond: number | null;
  readonly holds: readonly HeldSnapshot[];
}

/**
 * Everything a run came to, as one commit (semantics, section 4): the predictions as one snapshot, their table where it is new, pins of
 * what they were made from, lineage, audit, and the end of the run. The connection has the answers in `answersTable`.
 */
export async function commitPredictions(connection: DuckDBConnection, work: PredictionsCommit): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const existing = await work.tables.find(work.into);
    if (existing !== null) checkPredictionsTable(printIdentifier(work.into), existing.metadata, work.definition);
    try {
      return await commitOnce(connection, work, existing);
    } catch (error) {
      // Another run made the table first.
      const isRace = existing === null && IcecoreError.is(error, 'ALREADY_EXISTS');
      if (!isRace || attempt >= scoringCommitAttemptsMax) throw error;
    }
  }
}

async function commitOnce(
  connection: DuckDBConnection,
  work: PredictionsCommit,
  existing: Awaited<ReturnType<Tables['find']>>,
): Promise<void> {
  const { tables, context } = work;
  const transaction = context.transaction();
  try {
    const target = existing ?? transaction.create(work.into, work.definition);
    const { files, rowCount } = await writeDataFiles(tables, {
      connection,
      relation: `(${predictionsSql(work)})`,
      metadata: target.metadata,
      orderBy: 'as_of, prediction_id',
      signal: context.signal,
    });
    transaction.onRollback(files.map((file) => file.filePath));
    const snapshotId = newSnapshotId();
    transaction.change(target, appendFiles(files, { snapshotId, summary: { 'icecore.run-id': context.run.id } }));
    const output: TableSnapshotRef = { tableUuid: target.uuid, tableName: printIdentifier(work.into), snapshotId };
    await keepSnapshots(tables, transaction, work.holds);
    record(transaction, work, output, rowCount);
  } catch (error) {
    await transaction.discard();
    throw error;
  }
  await transaction.commit();
}

function record(transaction: TableTransaction, work: PredictionsCommit, output: TableSnapshotRef, rowCount: bigint): void {
  const { context, version, input, answers } = work;
  const { caller, run } = context;
  const edges = predictionEdges({ ...work, ...input, runId: run.id, output });
  for (const entry of work.lineage.drafts(edges, caller)) transaction.entry(entry);
  const facts = { model: version.model, version: version.version, digest: version.digest, modelIdentity: answers.identity };
  const { rowsFailed } = answers;
  const told = { ...facts, predictionsTable: output.tableName, rows: rowCount, rowsFailed, assurance: work.assurance };
  transaction.link(
    work.audit.link({
      caller,
      action: 'scoreBatch',
      subject: auditSubject(tableRef(output)),
      outcome: 'SUCCEEDED',
      payload: { ...told, snapshotId: output.snapshotId, run: run.id },
    }),
  );
  const result: ScoringResult = {
    ...facts,
    predictionsTable: output.tableName,
    predictionsTableUuid: output.tableUuid,
    rowsFailed,
    rowsPerSecond: work.rowsPerSecond,
    assurance: work.assurance,
    spineSources: input.spineSources,
    featureSources: input.featureSources,
  };
  context.finish(transaction, { result, inputs: sourcesOf(input), outputs: [output], facts: told });
}

export function sourcesOf(input: Pick<StagedInput, 'spineSources' | 'featureSources'>): readonly TableSnapshotRef[] {
  return distinctSnapshots([...input.spineSources, ...input.featureSources]);
}

/** The rows of the predictions table: what was staged, joined with what was answered. */
function predictionsSql(work: PredictionsCommit): string {
  const { context, version, shape, input } = work;
  const text = (value: string | null) => (value === null ? 'NULL::VARCHAR' : quoteText(value));
  const keys = shape.entityKeys.map(({ column }, index) => `staged.${keyColumn(index)} AS ${quoteIdentifier(column)}`);
  const outputs = version.signature.outputs.map(
    ({ name }, index) => `answers.${outputColumn(index)} AS ${quoteIdentifier(name)}`,
  );
  const sources = sourcesOf(input);
  const snapshots = `MAP([${sources.map(({ tableName }) => quoteText(tableName)).join(', ')}]::VARCHAR[], [${sources.map(({ snapshotId }) => snapshotId).join(', ')}]::BIGINT[])`;
  const columns = [
    // The same for the same run and row, so that a retry gives the same ids (docs/predictions.md).
    `left(sha256(concat(${quoteText(`icecore-prediction/1/${context.run.id}/`)}, staged.${rowColumn})), 32) AS prediction_id`,
    ...keys,
    `staged.${asOfColumn} AS as_of`,
    ...outputs,
    `${text(version.model)} AS model_name`,
    `${version.version}::INTEGER AS model_version`,
    `${text(version.digest)} AS model_digest`,
    `${text(work.answers.identity)} AS model_identity`,
    `${text(version.featureSet?.hash ?? null)} AS feature_set_hash`,
    `${snapshots} AS feature_snapshots`,
    'answers.features_sha256 AS features_sha256',
    'make_timestamptz(answers.scored_at) AS scored_at',
    `${text(context.run.id)} AS run_id`,
    "CASE WHEN answers.error IS NULL THEN 'OK' ELSE 'FAILED' END AS status",
    'answers.error AS error',
  ];
  const file = `read_parquet(${quoteText(work.inputPath)}, hive_partitioning = false)`;
  return `SELECT ${columns.join(', ')} FROM ${file} AS staged JOIN ${quoteIdentifier(answersTable)} AS answers USING (${rowColumn})`;
}
