import { randomUUID } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { IcecoreError } from '../errors.ts';
import { arrowBodyBytesMax, arrowBodyRowsMax, jobStatementMsMax } from '../limits.ts';
import { loadArrowStream } from '../sql/arrow-rows.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { withSelect } from '../sql/query.ts';
import { quoteText } from '../sql/quote.ts';
import { parseSelect } from '../sql/select.ts';
import type { RowSource } from '../tables/row-source.ts';
import { openSelect, resolveSources, snapshotsOf } from '../tables/select-sources.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';

/** Rows as a caller gives them (contract: `RowsInput`, and the body of an upload). */
export type GivenRows =
  | { readonly json: readonly unknown[] }
  | { readonly file: string }
  | { readonly sql: string }
  /** The bytes of an Arrow IPC stream, read once. */
  | { readonly arrow: AsyncIterable<Uint8Array> };

export interface OpenedRows {
  readonly source: RowSource;
  /** The snapshots that a SELECT read. */
  readFrom(): readonly TableSnapshotRef[];
  release(): Promise<void>;
}

export interface RowsEngine {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
}

/** Makes given rows into what a table can be written from. Throws BAD_USER_INPUT. */
export async function openGivenRows(engine: RowsEngine, rows: GivenRows, signal: AbortSignal): Promise<OpenedRows> {
  if ('json' in rows) return plain({ json: rows.json });
  if ('file' in rows) return plain({ file: rows.file });
  if ('sql' in rows) return await openSelected(engine, rows.sql, signal);
  const limits = { rowsMax: arrowBodyRowsMax, bytesMax: arrowBodyBytesMax, signal };
  return plain({
    async relation(connection) {
      await loadArrowStream(connection, '__icecore_uploaded', rows.arrow, limits);
      return 'temp.__icecore_uploaded';
    },
  });
}

function plain(source: RowSource): OpenedRows {
  return { source, readFrom: () => [], release: async () => {} };
}

/** The SELECT runs on the guarded instance; its rows come over as a file, since instances share nothing. */
async function openSelected({ tables, duckdb }: RowsEngine, sql: string, signal: AbortSignal): Promise<OpenedRows> {
  const select = await parseSelect(duckdb, sql, signal);
  if (select.parameterCount > 0) {
    throw new IcecoreError('BAD_USER_INPUT', 'The SELECT of rows to write takes no parameters: write the values into it.');
  }
  const sources = await resolveSources(tables, select);
  await mkdir(tables.stagingDirectory, { recursive: true });
  const file = join(tables.stagingDirectory, `${randomUUID()}.parquet`);
  const release = (): Promise<void> => rm(file, { force: true });
  const open = await openSelect(tables, select, sources, signal);
  try {
    await withSelect(duckdb, open.bound, { timeoutMs: jobStatementMsMax, signal }, async (connection, statement) => {
      await connection.run(`COPY (${statement}) TO ${quoteText(file)} (FORMAT parquet)`);
    });
  } catch (error) {
    await release();
    throw error;
  } finally {
    open.release();
  }
  return {
    source: { relation: async () => `read_parquet(${quoteText(file)}, hive_partitioning = false)` },
    readFrom: () => snapshotsOf(sources),
    release,
  };
}
