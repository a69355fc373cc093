import { type DuckDBConnection, DuckDBTimestampTZValue, type DuckDBValue } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Expression } from '../iceberg/expression.ts';
import { bindExpression } from '../iceberg/expression-bind.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { requireField, type Schema } from '../iceberg/schema.ts';
import { cellJson } from '../sql/cell-json.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { predicateSql } from '../sql/predicate-sql.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { resolveAsOf } from '../tables/resolve-as-of.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import type { AsOf, Table } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
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
  const { after } = request;
  const where: Expression =
    after == null ? wanted : { op: 'and', left: wanted, right: { op: 'lt-eq', column: 'as_of', literal: after.asOfMicros } };
  const columns = [...ownColumns, ...layout.entityKeys, ...layout.outputs];
  const scan = await scanRelation(tables, {
    table,
    snapshot: resolveAsOf(table, request.asOf),
    schema,
    columns,
    where,
    ...(signal === undefined ? {} : { signal }),
  });
  try {
    const conditions = [predicateSql(schema, bindExpression(schema, where))];
    if (after != null) {
      conditions.push(`(as_of < make_timestamptz(${after.asOfMicros}) OR prediction_id > ${quoteText(after.predictionId)})`);
    }
    const sql = `SELECT ${columns.map(quoteIdentifier).join(', ')} FROM ${scan.sql} AS predictions WHERE ${conditions.map((condition) => `(${condition})`).join(' AND ')} ORDER BY as_of DESC, prediction_id LIMIT ${request.rowsMax}`;
    const rows = await tables.duckdb.trusted.use((connection) => read(connection, sql), signal);
    return rows.map((row) => predictionRow(table, schema, layout, row));
  } finally {
    scan.release();
  }
}

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
