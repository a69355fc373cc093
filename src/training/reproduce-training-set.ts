import type { DuckDBConnection } from '@duckdb/node-api';
import { auditSubject } from '../audit/subject.ts';
import { IcecoreError } from '../errors.ts';
import { type Spine, spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import type { Snapshot } from '../iceberg/snapshot.ts';
import type { RunContext } from '../runs/run-handler.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import type { Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { buildTrainingRows, type TrainingRows } from './build-training-set.ts';
import { recordedFeaturePins, requireSnapshot } from './feature-pins.ts';
import { pointInTimeRule } from './point-in-time-join.ts';
import { rowDifferences } from './row-differences.ts';
import type { TrainingEngine } from './training-engine.ts';
import type { ReproductionVerdict, TrainingSet } from './training-set.ts';

/** What a reproduction came to; the result of its run. */
export interface Reproduction {
  readonly name: string;
  readonly version: number;
  readonly verdict: ReproductionVerdict;
  readonly expectedDigest: string;
  /** Null where the rows could not be made again. */
  readonly actualDigest: string | null;
  /** In words: what is gone, or which columns of which rows differ. */
  readonly differences: readonly string[];
}

/** The work of a run of `reproduceTrainingSet`: makes the rows again from the pins and compares; writes its verdict and nothing else. */
export async function reproduceTrainingSet(
  engine: TrainingEngine,
  context: RunContext,
  trainingSet: (name: string, version: number) => Promise<TrainingSet>,
): Promise<void> {
  const { name, version } = context.input as { readonly name: string; readonly version: number };
  const set = await trainingSet(name, version);
  context.progress(0n, set.rowCount);
  const reproduction = await reproduce(engine, context, set);
  if (reproduction.actualDigest !== null) context.progress(set.rowCount, set.rowCount);
  const transaction = context.transaction();
  const { verdict, expectedDigest, actualDigest } = reproduction;
  transaction.link(
    engine.audit.link({
      caller: context.caller,
      action: 'reproduceTrainingSet',
      subject: auditSubject({ kind: 'TRAINING_SET', uuid: name, version: String(version) }),
      outcome: 'SUCCEEDED',
      payload: { verdict, expectedDigest, actualDigest, runId: context.run.id },
    }),
  );
  context.finish(transaction, { result: reproduction, inputs: [set.spine, ...set.sources, set.data], outputs: [] });
  await transaction.commit();
}

async function reproduce(engine: TrainingEngine, context: RunContext, set: TrainingSet): Promise<Reproduction> {
  const base = { name: set.name, version: set.version, expectedDigest: set.digest };
  const unavailable = (difference: string) =>
    ({ ...base, verdict: 'UNAVAILABLE', actualDigest: null, differences: [difference] }) as const;
  if (set.redacted) {
    const differences = ['Rows that it rests on were erased.'];
    return { ...base, verdict: 'REDACTED', actualDigest: null, differences };
  }
  if (set.ruleVersion !== pointInTimeRule) {
    return unavailable(`It was made by the rule ${set.ruleVersion}, and this server has ${pointInTimeRule}.`);
  }
  try {
    return await engine.duckdb.trusted.use(async (connection) => {
      const rows = await buildAgain(engine, connection, context, set);
      if (rows.digest === set.digest) return { ...base, verdict: 'EXACT', actualDigest: rows.digest, differences: [] } as const;
      const differences = await rowDifferences(engine.tables, connection, rows, set.data);
      return { ...base, verdict: 'DRIFTED', actualDigest: rows.digest, differences } as const;
    }, context.signal);
  } catch (error) {
    // A table, a snapshot or a file that is gone; anything else is a failure of the run, not a finding.
    if (IcecoreError.is(error, 'NOT_FOUND')) return unavailable(error.message);
    throw error;
  }
}

async function buildAgain(
  engine: TrainingEngine,
  connection: DuckDBConnection,
  context: RunContext,
  set: TrainingSet,
): Promise<TrainingRows> {
  const { tables } = engine;
  const featureSet = await engine.featureSet(set.featureSet.name, set.featureSet.version);
  const pins = await recordedFeaturePins(tables, featureSet, set.featureSnapshots);
  // What was pinned and is not read again, such as the tables of a spine's SELECT, is promised to be there all the same.
  for (const source of set.sources) await requireSnapshot(tables, source);
  const pinned = await requireSnapshot(tables, set.spine);
  const columns = await loadPinnedSpine(tables, connection, pinned, context.signal);
  const eventTime = columns.find(({ column }) => column === set.spineEventTime);
  if (eventTime === undefined) {
    throw new IcecoreError(
      'NOT_FOUND',
      `The spine of ${set.name} version ${set.version} has lost its column ${set.spineEventTime}.`,
    );
  }
  const spine: Spine = { relation: spineTable, eventTime, columns, labels: set.labels };
  const parts = { featureSet, pins, spine, options: set.options, split: set.split };
  return await buildTrainingRows(tables, connection, parts, context.signal);
}

const spineTable = 'icecore_spine';

/**
 * The spine as a temporary table, as when the training set was made. Of a table the engine knows how many rows it has; of a scan it
 * guesses few, and joins row by row what it would sort.
 */
async function loadPinnedSpine(
  tables: Tables,
  connection: DuckDBConnection,
  pinned: { readonly table: Table; readonly snapshot: Snapshot },
  signal: AbortSignal,
): Promise<readonly TypedColumn[]> {
  const scan = await scanRelation(tables, { ...pinned, signal });
  try {
    await connection.run(`CREATE TEMP TABLE ${spineTable} AS ${scan.select}`);
    return scan.schema.fields
      .filter((field) => field.name !== spinePosition)
      .map((field) => ({ column: field.name, type: field.type }));
  } finally {
    scan.release();
  }
}
