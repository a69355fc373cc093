import { IcecoreError } from '../errors.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { ledgerNamespace } from '../ledger/ledger-identifier.ts';
import { sqlRowsMax, sqlStreamsAtOnceMax } from '../limits.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { type BoundSelect, type JsonRow, runSelect } from '../sql/query.ts';
import { type ParsedSelect, parseSelect } from '../sql/select.ts';
import { openSelect, resolveSources, snapshotsOf } from '../tables/select-sources.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { Tables } from '../tables/tables.ts';
import { type SelectBatch, selectBatches } from './select-batches.ts';

export type SqlEngine = 'EMBEDDED' | 'DISTRIBUTED';

export interface SelectRequest {
  readonly statement: string;
  readonly parameters: readonly unknown[];
  readonly engine: SqlEngine;
}

export interface SelectAnswer {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly JsonRow[];
  readonly truncated: boolean;
  readonly engine: SqlEngine;
  /** Every snapshot that the statement read. */
  readonly snapshots: readonly TableSnapshotRef[];
  readonly elapsedMs: number;
}

/** A SELECT whose tables are bound to snapshots; good until it is released. */
export interface ResolvedSelect {
  readonly bound: BoundSelect;
  readonly snapshots: readonly TableSnapshotRef[];
  release(): void;
}

export interface SelectsOptions {
  readonly tables: Tables;
  readonly duckdb: DuckDb;
  readonly ledger: Pick<Ledger, 'flush'>;
}

/** Callers' SELECTs (semantics, section 10). */
export class Selects {
  readonly #tables: Tables;
  readonly #duckdb: DuckDb;
  readonly #ledger: Pick<Ledger, 'flush'>;
  /** SELECTs that are being read batch by batch. */
  #streams = 0;

  constructor({ tables, duckdb, ledger }: SelectsOptions) {
    this.#tables = tables;
    this.#duckdb = duckdb;
    this.#ledger = ledger;
  }

  /** The first rows of a SELECT. Throws BAD_USER_INPUT, NOT_FOUND, TIMEOUT, OVERLOADED; FAILED_PRECONDITION for DISTRIBUTED. */
  async run(request: SelectRequest, maxRows: number, signal: AbortSignal): Promise<SelectAnswer> {
    if (maxRows < 0 || maxRows > sqlRowsMax) {
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `maxRows is ${maxRows}; it takes 0 to ${sqlRowsMax}. More rows travel as Arrow: sqlBatches.`,
      );
    }
    const startMs = performance.now();
    const select = await this.resolve(request, signal);
    try {
      const { columns, rows, truncated } = await runSelect(this.#duckdb, select.bound, { maxRows, signal });
      return {
        columns: columns.map(({ name, type }) => ({ name, type: printTypeText(type) })),
        rows,
        truncated,
        engine: request.engine,
        snapshots: select.snapshots,
        elapsedMs: performance.now() - startMs,
      };
    } finally {
      select.release();
    }
  }

  /** All rows of a SELECT as Arrow. Leaving it ends the statement. Throws as `run` does, and OVERLOADED where too many are read already. */
  async *batches(
    request: SelectRequest,
    signal: AbortSignal,
  ): AsyncGenerator<SelectBatch & { readonly snapshots: readonly TableSnapshotRef[] }, void, undefined> {
    // A reader may stall for as long as it likes, and holds a connection: those of others must not run out.
    if (this.#streams >= sqlStreamsAtOnceMax) {
      throw new IcecoreError(
        'OVERLOADED',
        `${this.#streams} SELECTs are being streamed from this server already. Try again later.`,
        { retryable: true },
      );
    }
    this.#streams++;
    try {
      const select = await this.resolve(request, signal);
      try {
        for await (const batch of selectBatches(this.#duckdb, select.bound, signal))
          yield { ...batch, snapshots: select.snapshots };
      } finally {
        select.release();
      }
    } finally {
      this.#streams--;
    }
  }

  /** Checks a statement and resolves its tables, all of one moment. */
  async resolve({ statement, parameters, engine }: SelectRequest, signal: AbortSignal): Promise<ResolvedSelect> {
    if (engine === 'DISTRIBUTED') {
      throw new IcecoreError('FAILED_PRECONDITION', 'The engine DISTRIBUTED is not built yet: use EMBEDDED.');
    }
    const select = await parseSelect(this.#duckdb, statement, signal);
    await this.#flushOwn(select);
    const sources = await resolveSources(this.#tables, select);
    const { bound, release } = await openSelect(this.#tables, select, sources, signal);
    return { bound: { ...bound, parameters }, snapshots: snapshotsOf(sources), release };
  }

  /** What waits in the journal for one of Icecore's own tables counts as in it (semantics, section 7). */
  async #flushOwn({ references }: ParsedSelect): Promise<void> {
    const own = references.filter(({ identifier, at }) => {
      return at === null && identifier.namespace[0] === ledgerNamespace && this.#tables.access.mayRead(identifier);
    });
    for (const name of new Set(own.map(({ identifier }) => printIdentifier(identifier)))) {
      await this.#tables.versions.outside(() => this.#ledger.flush(name));
    }
  }
}
