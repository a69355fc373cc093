import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { FeatureSet } from '../features/feature-set.ts';
import { featureJoins } from '../features/point-in-time/feature-joins.ts';
import { spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { requireField } from '../iceberg/schema.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import type { ModelVersion } from '../models/model.ts';
import type { TrainingSource } from '../models/version-registration.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { resolveAsOf, schemaAsOf } from '../tables/resolve-as-of.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { pinnedSnapshots, resolveFeaturePins, snapshotRef } from '../training/feature-pins.ts';
import { joinPointInTime } from '../training/point-in-time-join.ts';
import { checkSpine, loadSpine, type SpineEngine, type SpineInput } from '../training/spine-source.ts';
import type { TrainingSet } from '../training/training-set.ts';
import type { ScoringSource, ScoringTable } from './score-batch-input.ts';

export interface ScoringEngine extends SpineEngine {
  readonly training: TrainingSource;
}

/** What the rows of a source will be: known before any is read. */
export interface SourceShape {
  readonly entityKeys: readonly TypedColumn[];
  readonly asOf: TypedColumn;
  /** What the spine itself has; all columns of a table that is scored. */
  readonly spineColumns: readonly TypedColumn[];
  /** All columns that an input of the model may be taken from. */
  readonly columns: readonly TypedColumn[];
}

/** The rows of a source on a connection. */
export interface OpenSource {
  /** What stands after FROM. */
  readonly relation: string;
  /** SQL for the row's number, from 0. */
  readonly position: string;
  readonly spineSources: readonly TableSnapshotRef[];
  readonly featureSources: readonly TableSnapshotRef[];
  release(): void;
}

/** What a model's feature set and options were. */
export interface TrainedFeatures {
  readonly trainingSet: TrainingSet;
  readonly featureSet: FeatureSet;
}

/**
 * The training set and feature set of a version, which its rows are joined by: who scores need not see them, and has to be able to read the
 * feature tables. Throws FAILED_PRECONDITION where it was trained on a bare table.
 */
export async function trainedFeatures(
  { tables, training }: Pick<ScoringEngine, 'tables' | 'training'>,
  version: ModelVersion,
): Promise<TrainedFeatures> {
  const [trainingSet, featureSet] = await tables.access.asServer(() =>
    Promise.all([
      version.trainingSet === null ? null : training.trainingSet(version.trainingSet.name, version.trainingSet.version),
      version.featureSet === null ? null : training.featureSet(version.featureSet.name, version.featureSet.version),
    ]),
  );
  if (trainingSet !== null && featureSet !== null) return { trainingSet, featureSet };
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `Version ${version.version} of model "${version.model}" was trained on a bare table, so it has no feature set to join a spine to. Score a table that has its inputs.`,
  );
}

/** Checks a source against the model before any row is read. Throws BAD_USER_INPUT, NOT_FOUND, FAILED_PRECONDITION. */
export async function sourceShape(engine: ScoringEngine, version: ModelVersion, source: ScoringSource): Promise<SourceShape> {
  const shape = 'table' in source ? await tableShape(engine, source.table) : await spineShape(engine, version, source.spine);
  for (const { name } of version.signature.inputs) {
    if (shape.columns.some(({ column }) => column === name)) continue;
    const names = shape.columns.map(({ column }) => column).join(', ');
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The model takes an input "${name}", and the rows have none of that name. They have ${names}.`,
      {
        context: { input: name },
      },
    );
  }
  return shape;
}

/** Reads a source at the snapshots that are current now; `hold` is told of them before what it may take long to read is read. */
export async function openSource(
  engine: ScoringEngine,
  connection: DuckDBConnection,
  version: ModelVersion,
  source: ScoringSource,
  hold: (snapshots: readonly TableSnapshotRef[]) => Promise<void>,
  signal: AbortSignal,
): Promise<OpenSource> {
  if ('table' in source) return await openTable(engine, source.table, hold, signal);
  const { trainingSet, featureSet } = await trainedFeatures(engine, version);
  const loaded = await loadSpine(engine, connection, source.spine, spineName, signal);
  const pins = await resolveFeaturePins(engine.tables, featureSet, []);
  const featureSources = pinnedSnapshots(pins);
  await hold(distinctSnapshots([...loaded.sources, ...featureSources]));
  const { options } = trainingSet;
  const { tables } = engine;
  await joinPointInTime(tables, { connection, featureSet, pins, spine: loaded.spine, options, into: joinedName, signal });
  return {
    relation: quoteIdentifier(joinedName),
    position: spinePosition,
    spineSources: loaded.sources,
    featureSources,
    release: () => undefined,
  };
}

const spineName = '__icecore_scoring_spine';
const joinedName = '__icecore_scoring_rows';

async function openTable(
  { tables }: ScoringEngine,
  source: ScoringTable,
  hold: (snapshots: readonly TableSnapshotRef[]) => Promise<void>,
  signal: AbortSignal,
): Promise<OpenSource> {
  const { name, asOf } = source.table;
  const table = await tables.load(parseIdentifier(name));
  const snapshot = resolveAsOf(table, asOf);
  const spineSources = snapshot === null ? [] : [snapshotRef(table, snapshot)];
  await hold(spineSources);
  const scan = await scanRelation(tables, { table, snapshot, schema: schemaAsOf(table, asOf, snapshot), signal });
  const { sql, release } = scan;
  return { relation: sql, position: 'row_number() OVER () - 1', spineSources, featureSources: [], release };
}

async function tableShape({ tables }: ScoringEngine, source: ScoringTable): Promise<SourceShape> {
  const { name, asOf } = source.table;
  const table = await tables.load(parseIdentifier(name));
  const schema = schemaAsOf(table, asOf, resolveAsOf(table, asOf));
  const column = (wanted: string): TypedColumn => ({ column: wanted, type: requireField(schema, wanted).type });
  const columns = schema.fields.map((field) => ({ column: field.name, type: field.type }));
  return {
    entityKeys: source.entityKeys.map(column),
    asOf: checkedTime(column(source.asOf)),
    spineColumns: columns,
    columns,
  };
}

async function spineShape(engine: ScoringEngine, version: ModelVersion, spine: SpineInput): Promise<SourceShape> {
  const { featureSet, trainingSet } = await trainedFeatures(engine, version);
  const spineColumns = await checkSpine(engine, spine);
  const find = (name: string): TypedColumn => {
    const found = spineColumns.find(({ column }) => column === name);
    if (found !== undefined) return found;
    const names = spineColumns.map(({ column }) => column).join(', ');
    throw new IcecoreError('BAD_USER_INPUT', `The spine has no column "${name}", by which features are joined. It has ${names}.`);
  };
  const features = featureSet.features.map(({ alias, type }) => ({ column: alias, type: parseTypeText(type, () => 0) }));
  const statuses = trainingSet.options.matchStatus ? statusColumns(featureSet) : [];
  return {
    entityKeys: spineKeys(featureSet).map(find),
    asOf: checkedTime(find(spine.eventTime)),
    spineColumns,
    columns: [...spineColumns.filter(({ column }) => !spine.labels.includes(column)), ...features, ...statuses],
  };
}

function statusColumns(featureSet: FeatureSet): readonly TypedColumn[] {
  const nowhere = { relation: '', column: (fieldId: number): TypedColumn => ({ column: String(fieldId), type: 'unknown' }) };
  return featureJoins(featureSet, () => nowhere).map(({ statusColumn }) => ({ column: statusColumn, type: 'string' }));
}

/** The spine's columns that a feature set is joined by, in the order in which it first names them. */
export function spineKeys({ features, tables }: FeatureSet): readonly string[] {
  const keys = features.flatMap(({ tableUuid, keyMap }) => {
    const table = tables.find((candidate) => candidate.tableUuid === tableUuid);
    return (table?.entityKeys ?? []).map(({ name }) => keyMap.find(({ key }) => key === name)?.spineColumn ?? name);
  });
  return [...new Set(keys)];
}

const times: ReadonlySet<unknown> = new Set(['date', 'timestamp', 'timestamptz', 'timestamp_ns', 'timestamptz_ns']);

function checkedTime(column: TypedColumn): TypedColumn {
  if (times.has(column.type)) return column;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Column "${column.column}" is no date or timestamp, so it cannot say when a prediction is for.`,
  );
}

export function distinctSnapshots(refs: readonly TableSnapshotRef[]): readonly TableSnapshotRef[] {
  return [...new Map(refs.map((ref) => [`${ref.tableUuid}@${ref.snapshotId}`, ref])).values()];
}
