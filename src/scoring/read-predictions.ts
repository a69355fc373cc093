import { type DuckDBConnection, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { FileScanTask, ScanCounters } from '../iceberg/scan-plan.ts';
import { requireField, type Schema } from '../iceberg/schema.ts';
import { pageFilesMax } from '../limits.ts';
import { cellJson } from '../sql/cell-json.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { predicateSql } from '../sql/predicate-sql.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import { openScan } from '../tables/scan-relation.ts';
import { planSnapshot } from '../tables/snapshot-files.ts';
import type { AsOf, Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { newestFilesFirst } from './newest-files.ts';
import type { Prediction } from './prediction.ts';
import { type PredictionFilter, predictionExpression } from './prediction-filter.ts';
import { type PredictionsLayout, predictionsLayout } from './predictions-table.ts';

/** A row without what its run knows of it. */
export type PredictionRow = Omit<Prediction, 'assurance'>;

export interface ReadPredictions {
  readonly table: Table;
  readonly asOf?: AsOf;
  readonly filter: PredictionFilter;
  readonly rowsMax: number;
  /** Only those that come after this place. */
  readonly after?: { readonly asOfMicros: bigint; readonly predictionId: string } | null;
  readonly signal?: AbortSignal | undefined;
}

const ownColumns = [
  'prediction_id',
  'as_of',
  'scored_at',
  'status',
  'error',
  'model_name',
  'model_version',
  'model_digest',
  'run_id',
  'features_sha256',
] as const;

/** Predictions of a table at one snapshot, newest first: by as_of downwards, then by id. Throws BAD_USER_INPUT for a table of others. */
export async function readPredictions(tables: Tables, request: ReadPredictions): Promise<readonly PredictionRow[]> {
  const { table, filter, signal } = request;
  const layout = requireLayout(table);
  const schema = currentSchema(table.metadata);
  const wanted = predictionExpression(filter, layout, schema);
  const { after, rowsMax } = request;
  const where: Expression =
    after == null ? wanted : { op: 'and', left: wanted, right: { op: 'lt-eq', column: 'as_of', literal: after.asOfMicros } };
  const asOfId = requireField(schema, 'as_of').id;
  const { tasks } = await planSnapshot(tables.files, table.metadata, resolveAsOf(table, request.asOf), {
    schema,
    where,
    projection: { metrics: 'bounds', fieldIds: new Set([asOfId]) },
    ...(signal === undefined ? {} : { signal }),
  });
  const conditions = [predicateSql(schema, bindExpression(schema, where))];
  if (after != null) {
    conditions.push(`(as_of < make_timestamptz(${after.asOfMicros}) OR prediction_id > ${quoteText(after.predictionId)})`);
  }
  const files = newestFilesFirst(tasks, asOfId);
  let found: readonly PredictionRow[] = [];
  // A few files at a time, more of them each time, until no file that is left can hold a newer row than those that were found.
  for (let at = 0, filesMax = 1; at < files.length; filesMax = Math.min(filesMax * 2, pageFilesMax)) {
    const oldest = found.length < rowsMax ? null : found[rowsMax - 1]?.asOfMicros;
    const newest = files[at]?.newestMicros ?? null;
    if (oldest != null && newest !== null && newest < oldest) break;
    const some = files.slice(at, at + filesMax).map(({ task }) => task);
    at += filesMax;
    const rows = await readFiles(tables, table, { schema, layout, tasks: some, conditions, rowsMax, signal });
    found = [...found, ...rows].toSorted(newestFirst).slice(0, rowsMax);
  }
  return found;
}

/** Newest first: by as_of downwards, then by id. */
export function newestFirst(a: PredictionRow, b: PredictionRow): number {
  if (a.asOfMicros !== b.asOfMicros) return a.asOfMicros > b.asOfMicros ? -1 : 1;
  return a.predictionId < b.predictionId ? -1 : 1;
}

async function readFiles(
  tables: Tables,
  table: Table,
  work: {
    readonly schema: Schema;
    readonly layout: PredictionsLayout;
    readonly tasks: readonly FileScanTask[];
    readonly conditions: readonly string[];
    readonly rowsMax: number;
    readonly signal: AbortSignal | undefined;
  },
): Promise<readonly PredictionRow[]> {
  const { schema, layout, tasks } = work;
  const columns = [...ownColumns, ...layout.entityKeys, ...layout.outputs];
  const scan = await openScan(tables, { table, columns }, schema, { tasks, counters: noCounters });
  try {
    const filter = work.conditions.map((condition) => `(${condition})`).join(' AND ');
    const sql = `SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${scan.sql} AS predictions WHERE ${filter} ORDER BY as_of DESC, prediction_id LIMIT ${work.rowsMax}`;
    const rows = await tables.duckdb.trusted.use((connection) => read(connection, sql), work.signal);
    return rows.map((row) => predictionRow(table, schema, layout, row));
  } finally {
    scan.release();
  }
}

const noCounters: ScanCounters = {
  manifestsTotal: 0,
  manifestsRead: 0,
  manifestsSkipped: 0,
  filesTotal: 0,
  filesMatched: 0,
  bytesMatched: 0n,
  rowsMatched: 0n,
};

/** Throws BAD_USER_INPUT where the table holds no predictions. */
export function requireLayout(table: Table): PredictionsLayout {
  const layout = predictionsLayout(table.metadata);
  if (layout !== null) return layout;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `${printIdentifier(table.identifier)} is no predictions table: those are the tables that scoreBatch wrote.`,
  );
}

async function read(connection: DuckDBConnection, sql: string): Promise<readonly Record<string, DuckDBValue>[]> {
  try {
    return (await connection.runAndReadAll(sql)).getRowObjects();
  } catch (error) {
    throw duckDbError(error, 'Reading the predictions');
  }
}

function predictionRow(
  table: Table,
  schema: Schema,
  layout: PredictionsLayout,
  row: Readonly<Record<string, DuckDBValue>>,
): PredictionRow {
  const text = (name: (typeof ownColumns)[number]) => String(row[name]);
  const json = (names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, cellJson(row[name] ?? null, requireField(schema, name).type)]));
  const error = row.error ?? null;
  return {
    tableUuid: table.uuid,
    tableName: printIdentifier(table.identifier),
    predictionId: text('prediction_id'),
    entity: json(layout.entityKeys),
    asOfMicros: microsOf(row.as_of),
    output: json(layout.outputs),
    scoredAtMicros: microsOf(row.scored_at),
    status: text('status'),
    error: error === null ? null : String(error),
    redacted: row.status === 'REDACTED',
    model: text('model_name'),
    version: Number(row.model_version),
    modelDigest: text('model_digest'),
    runId: text('run_id'),
    featuresSha256: text('features_sha256'),
  };
}

function microsOf(value: DuckDBValue | undefined): bigint {
  if (value instanceof DuckDBTimestampTZValue) return value.micros;
  throw new IcecoreError('INTERNAL', `A prediction's instant was read as ${String(value)}.`);
}
