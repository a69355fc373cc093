import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { selectColumns } from '../features/definition.ts';
import { type Spine, spinePosition, type TypedColumn } from '../features/point-in-time/plan.ts';
import { type SourceColumns, sourceColumns } from '../features/source-columns.ts';
import { parseIdentifier } from '../iceberg/identifier.ts';
import { jobStatementMsMax } from '../limits.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { duckDbTypeText, icebergFields } from '../sql/duckdb-type.ts';
import { withSelect } from '../sql/query.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { type ParsedSelect, parseSelect } from '../sql/select.ts';
import { resolveAsOf, schemaAsOf } from '../tables/resolve-as-of.ts';
import { scanRelation } from '../tables/scan-relation.ts';
import { openSelect, resolveSources } from '../tables/select-sources.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { snapshotRef, type TableAsOf } from './feature-pins.ts';

/** Where entities, moments and labels come from: a table at a point, or a SELECT. Exactly one. */
export type SpineSource = { readonly table: TableAsOf } | { readonly sql: string };

export interface SpineInput {
  readonly source: SpineSource;
  readonly eventTime: string;
  readonly labels: readonly string[];
}

/** A spine on a connection: a temporary table of its columns and `spine_position`, from 0 in the order in which the source gave the rows. */
export interface LoadedSpine {
  readonly spine: Spine;
  readonly rowCount: bigint;
  /** The snapshots that it was read from. */
  readonly sources: readonly TableSnapshotRef[];
  /** The same with the columns that came from each, as far as that is known. */
  readonly sourceColumns: readonly SourceColumns[];
}

export interface SpineEngine {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
}

/**
 * Says early what would fail late: a table or SELECT that cannot be read, an event time or a label that is not there. Reads no data.
 * Throws BAD_USER_INPUT and NOT_FOUND.
 */
export async function checkSpine(engine: SpineEngine, input: SpineInput): Promise<readonly TypedColumn[]> {
  const columns =
    'sql' in input.source ? await columnsOfSelect(engine, input.source.sql) : await columnsOfTable(engine, input.source.table);
  eventTimeOf(columns, input);
  return columns;
}

/** Reads a spine into the temporary table `into` of a connection of the trusted instance. Throws as `checkSpine`, and on abort. */
export async function loadSpine(
  engine: SpineEngine,
  connection: DuckDBConnection,
  input: SpineInput,
  into: string,
  signal?: AbortSignal,
): Promise<LoadedSpine> {
  const loaded =
    'sql' in input.source
      ? await loadSelect(engine, connection, input.source.sql, into, signal)
      : await loadTable(engine, connection, input.source.table, into, signal);
  const counted = await connection.runAndReadAll(`SELECT count(*) FROM ${quoteIdentifier(into)}`);
  return {
    spine: {
      relation: quoteIdentifier(into),
      eventTime: eventTimeOf(loaded.columns, input),
      columns: loaded.columns,
      labels: input.labels,
    },
    rowCount: BigInt(String(counted.getRows()[0]?.[0])),
    sources: loaded.sourceColumns.map(({ source }) => source),
    sourceColumns: loaded.sourceColumns,
  };
}

interface LoadedRows {
  readonly columns: readonly TypedColumn[];
  readonly sourceColumns: readonly SourceColumns[];
}

async function columnsOfTable({ tables }: SpineEngine, { name, asOf }: TableAsOf): Promise<readonly TypedColumn[]> {
  const table = await tables.load(parseIdentifier(name));
  return schemaAsOf(table, asOf, resolveAsOf(table, asOf)).fields.map((field) => ({ column: field.name, type: field.type }));
}

async function columnsOfSelect({ tables, duckdb }: SpineEngine, sql: string): Promise<readonly TypedColumn[]> {
  const select = await parseSpine(duckdb, sql);
  for (const source of await resolveSources(tables, select)) schemaAsOf(source.table, source.asOf, source.snapshot);
  const given = await selectColumns(duckdb, tables, select);
  const fields = icebergFields(
    given.map((column) => column.name),
    given.map((column) => column.type),
  );
  return fields.map((field) => {
    if (fields.some((other) => other.id !== field.id && other.name.toLowerCase() === field.name.toLowerCase())) {
      throw new IcecoreError('BAD_USER_INPUT', `The spine has two columns ${field.name}. Give one of them another name with AS.`);
    }
    if (field.type === 'unknown') {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The spine's column ${field.name} is a bare NULL, of no type. Cast it, such as NULL::DOUBLE.`,
      );
    }
    return { column: field.name, type: field.type };
  });
}

async function parseSpine(duckdb: DuckDb, sql: string): Promise<ParsedSelect> {
  const select = await parseSelect(duckdb, sql);
  if (select.parameterCount === 0) return select;
  throw new IcecoreError('BAD_USER_INPUT', 'The SELECT of a spine takes no parameters. Write the values into it.');
}

function eventTimeOf(columns: readonly TypedColumn[], { eventTime, labels }: SpineInput): TypedColumn {
  const find = (name: string, role: string) => {
    const found = columns.find(({ column }) => column === name);
    if (found !== undefined) return found;
    const names = columns.map(({ column }) => column).join(', ');
    throw new IcecoreError('BAD_USER_INPUT', `The spine has no column ${name}, which is named as ${role}. It has ${names}.`);
  };
  for (const label of labels) find(label, 'a label');
  return find(eventTime, 'the event time');
}

async function loadTable(
  { tables }: SpineEngine,
  connection: DuckDBConnection,
  { name, asOf }: TableAsOf,
  into: string,
  signal: AbortSignal | undefined,
): Promise<LoadedRows> {
  const table = await tables.load(parseIdentifier(name));
  const snapshot = resolveAsOf(table, asOf);
  const schema = schemaAsOf(table, asOf, snapshot);
  const scan = await scanRelation(tables, { table, snapshot, schema, ...(signal === undefined ? {} : { signal }) });
  try {
    await connection.run(numbered(into, scan.sql));
  } finally {
    scan.release();
  }
  return {
    columns: schema.fields.map((field) => ({ column: field.name, type: field.type })),
    sourceColumns:
      snapshot === null
        ? []
        : [
            {
              source: snapshotRef(table, snapshot),
              columns: schema.fields.map(({ name: column }) => ({ from: column, to: column, transformation: null })),
            },
          ],
  };
}

/** The SELECT runs on the guarded instance; its rows come over as a file, since instances share nothing. */
async function loadSelect(
  engine: SpineEngine,
  connection: DuckDBConnection,
  sql: string,
  into: string,
  signal: AbortSignal | undefined,
): Promise<LoadedRows> {
  const { tables, duckdb } = engine;
  const columns = await columnsOfSelect(engine, sql);
  const select = await parseSpine(duckdb, sql);
  const sources = await resolveSources(tables, select);
  const file = join(tables.stagingDirectory, `${randomUUID()}.parquet`);
  await mkdir(tables.stagingDirectory, { recursive: true });
  const open = await openSelect(tables, select, sources, signal);
  try {
    const casts = columns.map(({ column, type }) => {
      const name = quoteIdentifier(column);
      return `CAST(${name} AS ${duckDbTypeText(type)}) AS ${name}`;
    });
    const options = { timeoutMs: jobStatementMsMax, ...(signal === undefined ? {} : { signal }) };
    await withSelect(duckdb, open.bound, options, async (guarded, statement) => {
      await guarded.run(`COPY (SELECT ${casts.join(', ')} FROM (${statement})) TO ${quoteText(file)} (FORMAT parquet)`);
    });
    await connection.run(numbered(into, `read_parquet(${quoteText(file)}, hive_partitioning = false)`));
  } finally {
    open.release();
    await rm(file, { force: true });
  }
  return { columns, sourceColumns: sourceColumns(select, sources) };
}

function numbered(into: string, relation: string): string {
  return `CREATE TEMP TABLE ${quoteIdentifier(into)} AS SELECT *, row_number() OVER () - 1 AS ${spinePosition} FROM ${relation}`;
}
