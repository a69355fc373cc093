import type { Actor } from '../access/caller.ts';
import type { TableSnapshotRef } from '../tables/table.ts';

export type RunKind = 'MATERIALIZATION' | 'TRAINING_SET' | 'REPRODUCTION' | 'SCORING' | 'MAINTENANCE' | 'ERASURE' | 'EXTERNAL';
export type RunStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED';

/** Long work: recorded before it starts, with all that it takes to do it again after a crash. */
export interface Run {
  readonly id: string;
  readonly kind: RunKind;
  /** Which handler does it: `createTrainingSet`, `compactTable` and so on. */
  readonly operation: string;
  readonly status: RunStatus;
  readonly startedAtMicros: bigint;
  readonly endedAtMicros: bigint | null;
  readonly by: Actor;
  readonly rowsDone: bigint;
  readonly rowsTotal: bigint | null;
  readonly error: string | null;
  readonly inputs: readonly TableSnapshotRef[];
  readonly outputs: readonly TableSnapshotRef[];
  /** The operation's input, as JSON. */
  readonly input: unknown;
  /** What the operation records of its outcome, as JSON: names, versions, verdicts. */
  readonly result: unknown;
}
