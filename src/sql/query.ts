import type { DuckDBConnection, DuckDBDataChunk, DuckDBResult, DuckDBType } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { NestedField } from '../iceberg/type.ts';
import { sqlResultBytesMax, sqlTimeoutMs } from '../limits.ts';
import { cellJson, type JsonValue } from './cell-json.ts';
import { isCutShort } from './cut-short.ts';
import type { DuckDb } from './duckdb.ts';
import { duckDbError } from './duckdb-error.ts';
import { icebergFields } from './duckdb-type.ts';
import { queryParameter } from './query-parameter.ts';
import type { ParsedSelect } from './select.ts';
import { SelectRelations } from './select-relation.ts';

/** A checked SELECT with the rows of its tables: for each reference, in order, the SELECT over the files of its snapshot. */
export interface BoundSelect {
  readonly select: ParsedSelect;
  /** Icecore's own SQL, run on the guarded instance. */
  readonly relations: readonly string[];
  /** JSON values for `?` and `$n`. */
  readonly parameters?: readonly unknown[];
}

export interface QueryOptions {
  /** The longest that the statement may run; `sqlTimeoutMs` where left out. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export type JsonRow = Readonly<Record<string, JsonValue>>;

export interface SelectResult {
  /** Optional Iceberg columns; a name that came twice is told apart by a number. */
  readonly columns: readonly NestedField[];
  readonly rows: readonly JsonRow[];
  /** Whether there was more than `maxRows`, or than the bytes that one answer may hold. */
  readonly truncated: boolean;
}

/** A piece of a streamed result, at most 2048 rows. The chunk is the engine's own memory: copy before asking for the next. */
export interface SelectChunk {
  readonly columns: readonly NestedField[];
  /** The engine's own, of the columns in their order: a chunk without rows has none. */
  readonly types: readonly DuckDBType[];
  readonly chunk: DuckDBDataChunk;
}

function deadline(options: QueryOptions): AbortSignal {
  const timeout = AbortSignal.timeout(options.timeoutMs ?? sqlTimeoutMs);
  return options.signal === undefined ? timeout : AbortSignal.any([options.signal, timeout]);
}

function queryError(error: unknown, signal: AbortSignal, options: QueryOptions): unknown {
  if (options.signal?.aborted) return options.signal.reason;
  if (signal.aborted) {
    return new IcecoreError(
      'TIMEOUT',
      `The SELECT took longer than the ${options.timeoutMs ?? sqlTimeoutMs} ms it may take. Narrow it.`,
      { cause: error },
    );
  }
  return duckDbError(error, 'The SELECT');
}

/**
 * Gives what `work` gives, on a guarded connection where the statement's tables stand as views. `work` gets the statement as SQL
 * over those, which it may put into a larger one of Icecore's own, such as `COPY (…) TO …`. Throws BAD_USER_INPUT, TIMEOUT,
 * OVERLOADED.
 */
export async function withSelect<T>(
  db: DuckDb,
  bound: BoundSelect,
  options: QueryOptions,
  work: (connection: DuckDBConnection, sql: string) => Promise<T>,
): Promise<T> {
  const signal = deadline(options);
  try {
    const lease = await db.guarded.lease(signal);
    try {
      const relations = await SelectRelations.define(lease, bound.select.references, bound.relations);
      return await work(lease.connection, await relations.print(bound.select));
    } finally {
      await lease.release();
    }
  } catch (error) {
    throw queryError(error, signal, options);
  }
}

/**
 * The rows of a SELECT as they come, chunk by chunk. The schema comes with the first, which has no rows where there are none.
 * Leaving the loop ends the statement. Throws as `withSelect` does.
 */
export async function* streamSelect(db: DuckDb, bound: BoundSelect, options: QueryOptions = {}): AsyncGenerator<SelectChunk> {
  const signal = deadline(options);
  try {
    const lease = await db.guarded.lease(signal);
    try {
      const relations = await SelectRelations.define(lease, bound.select.references, bound.relations);
      yield* chunksOf(lease.connection, await relations.print(bound.select), bound, signal);
    } finally {
      await lease.release();
    }
  } catch (error) {
    throw queryError(error, signal, options);
  }
}

async function* chunksOf(
  connection: DuckDBConnection,
  sql: string,
  { select, parameters = [] }: BoundSelect,
  signal: AbortSignal,
): AsyncGenerator<SelectChunk> {
  if (parameters.length !== select.parameterCount) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The SELECT takes ${select.parameterCount} parameters, and ${parameters.length} were given.`,
    );
  }
  const bindings = parameters.map((value, index) => queryParameter(value, index + 1));
  const result = await connection.stream(
    sql,
    bindings.map((binding) => binding.value),
    bindings.map((binding) => binding.type),
  );
  const types = result.columnTypes();
  const columns = icebergFields(distinctNames(result.columnNames()), types);
  let rowCount = 0;
  for (let first = true; ; first = false) {
    signal.throwIfAborted();
    const chunk = await result.fetchChunk();
    if (chunk !== null && (chunk.rowCount > 0 || first)) yield { columns, types, chunk };
    // A chunk without rows is the end, and asking once more would be an error.
    if (chunk === null || chunk.rowCount === 0) break;
    rowCount += chunk.rowCount;
  }
  refuseFailedRows(result, rowCount, signal);
}

/** What the caller's own statement failed at is most often in the rows. */
function refuseFailedRows(result: DuckDBResult, rowCount: number, signal: AbortSignal): void {
  signal.throwIfAborted();
  if (!isCutShort(result)) return;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The SELECT failed after ${rowCount} rows: something in a later row cannot be computed, such as a cast. Use TRY_CAST, or leave such rows out.`,
    { context: { rows: rowCount } },
  );
}

/** A name that came before gets a number that makes it one of its own, so that a row can be an object. */
function distinctNames(names: readonly string[]): readonly string[] {
  const taken = new Set<string>(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let distinct = name;
    for (let number = 1; seen.has(distinct); number++) {
      if (!taken.has(`${name}_${number}`)) distinct = `${name}_${number}`;
    }
    taken.add(distinct);
    seen.add(distinct);
    return distinct;
  });
}

/** The first rows of a SELECT as JSON objects in the contract's forms, at most `maxRows`. Throws as `withSelect` does. */
export async function runSelect(
  db: DuckDb,
  bound: BoundSelect,
  options: QueryOptions & { readonly maxRows: number },
): Promise<SelectResult> {
  let columns: readonly NestedField[] = [];
  const rows: JsonRow[] = [];
  let bytes = 0;
  for await (const { columns: found, chunk } of streamSelect(db, bound, options)) {
    columns = found;
    for (const row of chunk.getRows()) {
      if (rows.length >= options.maxRows || bytes > sqlResultBytesMax) return { columns, rows, truncated: true };
      const cells = row.map((cell, index) => cellJson(cell, found[index]?.type ?? 'unknown'));
      rows.push(Object.fromEntries(found.map((column, index) => [column.name, cells[index] ?? null])));
      for (const cell of cells) bytes += typeof cell === 'object' ? (JSON.stringify(cell)?.length ?? 0) : String(cell).length;
    }
  }
  return { columns, rows, truncated: false };
}
