import { randomUUID } from 'node:crypto';
import type { Access } from '../access/access.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { IcecoreError } from '../errors.ts';
import { snapshotCell } from '../ledger/snapshot-cell.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { RunContext, RunOperation, RunOutcome } from './run-handler.ts';
import { callerOf, type RunRow, runOf, runSubject } from './run-table.ts';

export interface RunProgress {
  readonly rowsDone: bigint;
  readonly rowsTotal: bigint | null;
}

/** How an execution ended, as far as it is this execution's to say. */
export type ExecutionEnd = 'committed' | 'stopped' | { readonly failed: string };

export interface ExecutionOptions {
  readonly catalog: Catalog;
  readonly row: RunRow;
  /** The sequence number of the run's newest entry: nothing else may have been recorded when this ends. */
  readonly seq: bigint;
  readonly lease: string;
  readonly fence: bigint;
  readonly access: Access;
  readonly transaction: () => TableTransaction;
  /** Adds the run's row to the transaction, and its audit entry. */
  readonly record: (transaction: TableTransaction, row: RunRow, outcome: string, facts: RunOutcome['facts']) => void;
  readonly nowMicros: () => bigint;
  readonly onProgress: () => void;
}

/** One go at a run, under a lease. Ends with at most one commit, its own or none. */
export class RunExecution {
  readonly #options: ExecutionOptions;
  readonly #controller = new AbortController();
  progress: RunProgress = { rowsDone: 0n, rowsTotal: null };

  constructor(options: ExecutionOptions) {
    this.#options = options;
    this.progress = { rowsDone: 0n, rowsTotal: options.row.rows_total };
  }

  /** Tells the handler to stop; what it had not committed is gone. */
  stop(reason: string): void {
    this.#controller.abort(new IcecoreError('CONFLICT', reason));
  }

  async run({ handler }: RunOperation): Promise<ExecutionEnd> {
    const { row, access, catalog, seq } = this.#options;
    const run = runOf(row);
    const context: RunContext = {
      run,
      input: run.input,
      caller: callerOf(row),
      signal: this.#controller.signal,
      progress: (rowsDone, rowsTotal) => {
        this.progress = { rowsDone, rowsTotal: rowsTotal === undefined ? this.progress.rowsTotal : rowsTotal };
        this.#options.onProgress();
      },
      transaction: this.#options.transaction,
      finish: (transaction, outcome) => this.#finish(transaction, outcome),
    };
    try {
      await access.asCaller(context.caller, () => handler(context));
      if ((await catalog.subjectSeq(runSubject(row.id))) !== seq) return 'committed';
      throw new Error(`The handler of ${row.operation} came to its end without a commit of its outcome.`);
    } catch (error) {
      // A commit whose answer was lost may have happened all the same.
      if ((await catalog.subjectSeq(runSubject(row.id))) !== seq) return 'committed';
      if (this.#controller.signal.aborted) return 'stopped';
      return { failed: failureMessage(error) };
    }
  }

  #finish(transaction: TableTransaction, { result, inputs, outputs, facts }: RunOutcome): void {
    const { row, seq, lease, fence, nowMicros, record } = this.#options;
    this.#controller.signal.throwIfAborted();
    const { rowsDone, rowsTotal } = this.progress;
    transaction.guard({ subject: runSubject(row.id), seq });
    transaction.fence({ lease, fence });
    const done: RunRow = {
      ...row,
      status: 'SUCCEEDED',
      ended_at: nowMicros(),
      rows_done: rowsDone,
      rows_total: rowsTotal,
      inputs: inputs.map(snapshotCell),
      outputs: outputs.map(snapshotCell),
      result: JSON.stringify(result ?? null, (_key, value: unknown) => (typeof value === 'bigint' ? value.toString() : value)),
    };
    record(transaction, done, 'SUCCEEDED', facts);
  }
}

/** What a caller may see of it: our own messages, and for anything else a reference to the log. */
export function failureMessage(error: unknown): string {
  if (error instanceof IcecoreError && error.code !== 'INTERNAL') return `${error.code}: ${error.message}`;
  const reference = randomUUID();
  console.error(`run failure ${reference}:`, error);
  return `INTERNAL: something went wrong in the server; its log says what under the reference ${reference}.`;
}
