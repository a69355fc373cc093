import type { DuckDBValue } from '@duckdb/node-api';
import { requireField } from '../iceberg/schema.ts';
import { isPrimitive, type NestedField, type Type } from '../iceberg/type.ts';
import { histogramBins } from '../limits.ts';
import { cellJson, type JsonValue } from '../sql/cell-json.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { resolveAsOf, schemaAsOf } from './resolve-as-of.ts';
import { scanError } from './scan-error.ts';
import { scanRelation } from './scan-relation.ts';
import type { AsOf, Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface HistogramBin {
  /** Inclusive. */
  readonly lower: number;
  /** Exclusive, but for the last bin's. */
  readonly upper: number;
  readonly count: bigint;
}

export interface ColumnStatistics {
  readonly rowCount: bigint;
  readonly nullCount: bigint;
  /** An estimate (HyperLogLog, about two percent off); null for nested columns. */
  readonly distinctCount: bigint | null;
  readonly min: JsonValue;
  readonly max: JsonValue;
  /** These are of numbers alone, NaN and the infinities left out. */
  readonly mean: number | null;
  readonly stddev: number | null;
  /** At 0, 0.25, 0.5, 0.75 and 1. */
  readonly quantiles: readonly number[] | null;
  /** Bins of equal width from the least to the greatest. */
  readonly histogram: readonly HistogramBin[] | null;
}

/** Statistics of a column at a point in time, computed from its rows. Throws BAD_USER_INPUT for a column that is not there. */
export async function columnStatistics(
  tables: Tables,
  table: Table,
  column: string,
  options: { readonly asOf?: AsOf; readonly signal?: AbortSignal } = {},
): Promise<ColumnStatistics> {
  const snapshot = resolveAsOf(table, options.asOf);
  const schema = schemaAsOf(table, options.asOf, snapshot);
  const field = requireField(schema, column);
  const [top = column] = schema.fields.filter(({ id }) => id === field.id).map(({ name }) => name);
  const scan = await scanRelation(tables, {
    table,
    snapshot,
    schema,
    columns: [top],
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  try {
    return await tables.duckdb.trusted.use(async (connection) => {
      const reader = await connection.runAndReadAll(`SELECT ${aggregates(field).join(', ')} FROM ${scan.sql} AS data`);
      const basic = readBasic(reader.getRows()[0] ?? [], field);
      if (!isNumber(field.type) || basic.finiteMin === null || basic.finiteMax === null)
        return { ...basic.statistics, histogram: null };
      const { finiteMin, finiteMax } = basic;
      const bins = await connection.runAndReadAll(histogramSql(field, scan.sql, finiteMin, finiteMax));
      return { ...basic.statistics, histogram: histogram(bins.getRows(), finiteMin, finiteMax) };
    }, options.signal);
  } catch (error) {
    throw await scanError(tables, scan, error, `The statistics of column "${column}"`);
  } finally {
    scan.release();
  }
}

function isNumber(type: Type): boolean {
  return (
    type === 'int' ||
    type === 'long' ||
    type === 'float' ||
    type === 'double' ||
    (typeof type === 'string' && type.startsWith('decimal'))
  );
}

const quantilesAt = [0, 0.25, 0.5, 0.75, 1];

function aggregates(field: NestedField): readonly string[] {
  const name = quoteIdentifier(field.name);
  const basic = ['count(*)', `count(*) - count(${name})`];
  if (!isPrimitive(field.type)) return basic;
  basic.push(`approx_count_distinct(${name})`, `min(${name})`, `max(${name})`);
  if (!isNumber(field.type)) return basic;
  const value = `CAST(${name} AS DOUBLE)`;
  const finite = `FILTER (isfinite(${value}))`;
  return [
    ...basic,
    `avg(${value}) ${finite}`,
    `stddev_samp(${value}) ${finite}`,
    `min(${value}) ${finite}`,
    `max(${value}) ${finite}`,
    ...quantilesAt.map((at) => `approx_quantile(${value}, ${at}) ${finite}`),
  ];
}

function readBasic(row: readonly DuckDBValue[], field: NestedField) {
  const [rowCount, nullCount, distinct, min, max, mean, stddev, finiteMin, finiteMax, ...quantiles] = row;
  const number = (value: DuckDBValue | undefined) => (typeof value === 'number' && Number.isFinite(value) ? value : null);
  const cell = (value: DuckDBValue | undefined) => cellJson(value ?? null, field.type);
  const known = quantiles.map(number).filter((value) => value !== null);
  return {
    finiteMin: number(finiteMin),
    finiteMax: number(finiteMax),
    statistics: {
      rowCount: BigInt(String(rowCount ?? 0)),
      nullCount: BigInt(String(nullCount ?? 0)),
      distinctCount: distinct === undefined || distinct === null ? null : BigInt(String(distinct)),
      min: cell(min),
      max: cell(max),
      mean: number(mean),
      stddev: number(stddev),
      quantiles: known.length === quantilesAt.length ? known : null,
    },
  };
}

function histogramSql(field: NestedField, scan: string, min: number, max: number): string {
  const value = `CAST(${quoteIdentifier(field.name)} AS DOUBLE)`;
  // Halved, so that the width of the greatest range is still a number.
  const place = `(${value} / 2 - ${min / 2}::DOUBLE) / (${max / 2 - min / 2}::DOUBLE)`;
  const bin = max / 2 > min / 2 ? `least(CAST(floor(${place} * ${histogramBins}) AS INTEGER), ${histogramBins - 1})` : '0';
  return `SELECT ${bin} AS bin, count(*) FROM ${scan} AS data WHERE isfinite(${value}) GROUP BY 1`;
}

function histogram(rows: readonly (readonly DuckDBValue[])[], min: number, max: number): readonly HistogramBin[] {
  const counts = new Map(rows.map(([bin, count]) => [Number(bin), BigInt(String(count))]));
  const bins = max > min ? histogramBins : 1;
  const edge = (index: number) => (index === bins ? max : min * (1 - index / bins) + max * (index / bins));
  return Array.from({ length: bins }, (_, index) => ({
    lower: edge(index),
    upper: edge(index + 1),
    count: counts.get(index) ?? 0n,
  }));
}
