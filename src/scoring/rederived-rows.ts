import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Spine } from '../features/point-in-time/plan.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { parseTypeText } from '../iceberg/type-text.ts';
import { explanationRowsMax } from '../limits.ts';
import type { ModelVersion } from '../models/model.ts';
import { cellJson, type JsonValue } from '../sql/cell-json.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { withSelect } from '../sql/query.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { parseSelect } from '../sql/select.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import { openSelect, resolveSources } from '../tables/select-sources.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { recordedFeaturePins, requireSnapshot } from '../training/feature-pins.ts';
import { joinPointInTime } from '../training/point-in-time-join.ts';
import type { SpineInput } from '../training/spine-source.ts';
import type { Prediction } from './prediction.ts';
import type { ScoringSource } from './score-batch-input.ts';
import type { ScoringRunState } from './scoring-run-state.ts';
import { type ScoringEngine, type SourceShape, sourceShape, trainedFeatures } from './scoring-source.ts';
import { inputColumn, momentSql, stagedSelect } from './stage-input.ts';

export interface Rederivation {
  readonly version: ModelVersion;
  readonly source: ScoringSource;
  readonly state: Pick<ScoringRunState, 'spineSources' | 'featureSources'>;
  readonly prediction: Prediction;
  readonly signal: AbortSignal | undefined;
}

/**
 * The inputs that the rows with a prediction's keys and moment have, read again from the snapshots that its run recorded, under the same
 * rule; in the contract's JSON forms, in the order of the signature. Several where the source has several such rows. Throws NOT_FOUND
 * where a snapshot is gone.
 */
export async function rederivedRows(engine: ScoringEngine, work: Rederivation): Promise<readonly (readonly JsonValue[])[]> {
  const source = await pinnedSource(engine, work.source, work.state.spineSources);
  const shape = await sourceShape(engine, work.version, source);
  const filter = filterSql(shape, work.prediction);
  return await engine.duckdb.trusted.use(async (connection) => {
    const { relation, release } =
      'table' in source
        ? await scanned(engine, work.state.spineSources, filter)
        : await joined(engine, connection, work, source.spine, shape, filter);
    try {
      const select = await stagedSelect(connection, relation, '0', shape, work.version);
      const { inputs } = work.version.signature;
      const names = inputs.map((_, index) => inputColumn(index)).join(', ');
      const rows = (await connection.runAndReadAll(`SELECT ${names} FROM (${select})`)).getRows();
      const types = inputs.map(({ type }) => parseTypeText(type, () => 0));
      return rows.map((row) => types.map((type, index) => cellJson(row[index] ?? null, type)));
    } finally {
      release();
    }
  }, work.signal);
}

/** The source, a table named as it is now and at the snapshot that was read. */
async function pinnedSource(
  { tables }: ScoringEngine,
  source: ScoringSource,
  recorded: readonly TableSnapshotRef[],
): Promise<ScoringSource> {
  const [ref] = recorded;
  if (ref === undefined || ('spine' in source && 'sql' in source.spine.source)) return source;
  const { table, snapshot } = await requireSnapshot(tables, ref);
  const at = { name: printIdentifier(table.identifier), asOf: { snapshotId: snapshot.snapshotId } };
  return 'table' in source ? { table: { ...source.table, table: at } } : { spine: { ...source.spine, source: { table: at } } };
}

function filterSql({ entityKeys, asOf }: SourceShape, { entity, asOfMicros }: Prediction): string {
  const keys = entityKeys.map(({ column, type }) => {
    const value = entity[column] ?? null;
    const literal =
      value === null
        ? 'NULL'
        : type === 'binary' || String(type).startsWith('fixed')
          ? `from_base64(${quoteText(String(value))})`
          : `CAST(${quoteText(String(value))} AS ${duckDbTypeText(type)})`;
    return `${quoteIdentifier(column)} IS NOT DISTINCT FROM ${literal}`;
  });
  return [...keys, `${momentSql(quoteIdentifier(asOf.column))} = make_timestamptz(${asOfMicros})`].join(' AND ');
}

interface FoundRows {
  readonly relation: string;
  release(): void;
}

async function scanned({ tables }: ScoringEngine, [ref]: readonly TableSnapshotRef[], filter: string): Promise<FoundRows> {
  if (ref === undefined) return { relation: '(SELECT 1 WHERE false)', release: () => undefined };
  const scan = await scanRelation(tables, await requireSnapshot(tables, ref));
  return { relation: `(SELECT * FROM ${scan.sql} WHERE ${filter} LIMIT ${explanationRowsMax})`, release: scan.release };
}

async function joined(
  engine: ScoringEngine,
  connection: DuckDBConnection,
  work: Rederivation,
  input: SpineInput,
  shape: SourceShape,
  filter: string,
): Promise<FoundRows> {
  const { tables } = engine;
  const { trainingSet, featureSet } = await trainedFeatures(engine, work.version);
  const pins = await recordedFeaturePins(tables, featureSet, work.state.featureSources);
  const spineName = '__icecore_explained_spine';
  if ('sql' in input.source) await loadSelect(engine, connection, input.source.sql, work, filter, spineName);
  else await loadTable(engine, connection, work.state.spineSources, filter, spineName);
  const columns = shape.spineColumns;
  const spine: Spine = { relation: quoteIdentifier(spineName), eventTime: shape.asOf, columns, labels: input.labels };
  const into = '__icecore_explained_rows';
  const { options } = trainingSet;
  await joinPointInTime(tables, { connection, featureSet, pins, spine, options, into, signal: work.signal });
  return { relation: quoteIdentifier(into), release: () => undefined };
}

async function loadTable(
  engine: ScoringEngine,
  connection: DuckDBConnection,
  recorded: readonly TableSnapshotRef[],
  filter: string,
  into: string,
): Promise<void> {
  const rows = await scanned(engine, recorded, filter);
  try {
    await connection.run(numbered(into, rows.relation));
  } finally {
    rows.release();
  }
}

/** The SELECT once more, its tables at the snapshots that the run read. */
async function loadSelect(
  { tables, duckdb }: ScoringEngine,
  connection: DuckDBConnection,
  sql: string,
  work: Rederivation,
  filter: string,
  into: string,
): Promise<void> {
  const select = await parseSelect(duckdb, sql, work.signal);
  const sources = [];
  for (const source of await resolveSources(tables, select)) {
    const ref = work.state.spineSources.find(({ tableUuid }) => tableUuid === source.table.uuid);
    // One that says itself which snapshot it means means it still.
    if (source.asOf !== undefined || ref === undefined) sources.push(source);
    else sources.push({ ...source, ...(await requireSnapshot(tables, ref)) });
  }
  const file = join(tables.stagingDirectory, `${randomUUID()}.parquet`);
  await mkdir(tables.stagingDirectory, { recursive: true });
  const open = await openSelect(tables, select, sources, work.signal);
  try {
    const options = work.signal === undefined ? {} : { signal: work.signal };
    await withSelect(duckdb, open.bound, options, async (guarded, statement) => {
      const rows = `SELECT * FROM (${statement}) WHERE ${filter} LIMIT ${explanationRowsMax}`;
      await guarded.run(`COPY (${rows}) TO ${quoteText(file)} (FORMAT parquet)`);
    });
    await connection.run(numbered(into, `read_parquet(${quoteText(file)}, hive_partitioning = false)`));
  } finally {
    open.release();
    await rm(file, { force: true });
  }
}

function numbered(into: string, relation: string): string {
  return `CREATE TEMP TABLE ${quoteIdentifier(into)} AS SELECT *, row_number() OVER () - 1 AS spine_position FROM ${relation}`;
}
