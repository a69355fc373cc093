import type { Caller } from '../access/caller.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TableTransaction } from '../tables/table-transaction.ts';
import type { Run, RunKind } from './run.ts';

/** What a run records when it has succeeded. */
export interface RunOutcome {
  /** Anything JSON: names, versions, verdicts. */
  readonly result: unknown;
  readonly inputs: readonly TableSnapshotRef[];
  readonly outputs: readonly TableSnapshotRef[];
  /** What the run's audit entry says besides: names, counts and digests; no personal data. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What the work of one run is given. */
export interface RunContext {
  readonly run: Run;
  /** The recorded input, as parsed JSON: 64-bit integers are strings. */
  readonly input: unknown;
  /** Who asked for it, also after a crash. */
  readonly caller: Caller;
  /** Aborts when the run is cancelled or lost to another server, and when this one closes. */
  readonly signal: AbortSignal;
  progress(rowsDone: bigint, rowsTotal?: bigint | null): void;
  transaction(): TableTransaction;
  /**
   * Adds to the transaction that the run has succeeded, and the conditions under which only one execution of it can commit. What the
   * handler wrote and this are one commit. To be called once, right before `commit`; without it the run fails.
   */
  finish(transaction: TableTransaction, outcome: RunOutcome): void;
}

/**
 * The work of an operation. It may be run again from its input after a crash, so until its commit it leaves nothing that counts.
 * What it throws becomes the run's error.
 */
export interface RunOperation {
  readonly kind: RunKind;
  readonly handler: (context: RunContext) => Promise<void>;
  /**
   * Whether a run shows to the caller at hand, judged by what it makes or works at; by the tables that it has read and written where left
   * out. It always shows to who started it.
   */
  readonly showsTo?: (run: Run) => Promise<boolean>;
}
