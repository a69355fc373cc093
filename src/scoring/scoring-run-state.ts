import type { Assurance } from '../models/model.ts';
import { recordedInput } from '../runs/recorded-input.ts';
import type { Run } from '../runs/run.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { ScoringResult } from './commit-predictions.ts';
import type { ScoringRequest } from './score-batch-input.ts';
import type { ScoringProgress } from './scoring-progress.ts';

/** What a scoring run says besides what all runs say (contract, `ScoringRun`). */
export interface ScoringRunState {
  readonly model: string;
  readonly version: number;
  /** Null until it has succeeded. */
  readonly modelIdentity: 'REPORTED' | 'ASSERTED' | null;
  readonly predictionsTable: string;
  /** Null until it has succeeded. */
  readonly predictionsTableUuid: string | null;
  readonly rowsFailed: bigint;
  readonly rowsPerSecond: number | null;
  readonly assurance: Assurance;
  readonly spineSources: readonly TableSnapshotRef[];
  readonly featureSources: readonly TableSnapshotRef[];
}

/** From what is recorded of a run and, while it is at work here, from its progress. */
export function scoringRunState(run: Run, progress?: ScoringProgress): ScoringRunState {
  const request = run.input as ScoringRequest;
  const result = recordedInput(run.result, new Set(['snapshotId'])) as ScoringResult | null;
  return {
    model: request.model,
    version: request.version,
    modelIdentity: result?.modelIdentity ?? null,
    predictionsTable: request.into,
    predictionsTableUuid: result?.predictionsTableUuid ?? null,
    rowsFailed: BigInt(result?.rowsFailed ?? progress?.rowsFailed ?? 0),
    rowsPerSecond: result?.rowsPerSecond ?? progress?.rowsPerSecond() ?? null,
    assurance: result?.assurance ?? (run.by.kind === 'LOCAL' ? 'LOCAL' : 'CREDENTIAL'),
    spineSources: result?.spineSources ?? [],
    featureSources: result?.featureSources ?? [],
  };
}
