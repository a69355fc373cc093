import type { Clock } from '../clock.ts';
import { IcecoreError } from '../errors.ts';
import type { ModelEndpoint, ModelVersion } from '../models/model.ts';
import type { RunContext } from '../runs/run-handler.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { batchRows } from './batch-rows.ts';
import type { EndpointLimits } from './call-endpoint.ts';
import { featuresDigest } from './features-digest.ts';
import { protocolOf } from './protocol-of.ts';
import { scoreBatch } from './score-batch.ts';
import type { ScoringRequest } from './score-batch-input.ts';
import type { ScoringProgress } from './scoring-progress.ts';
import type { ScoringStaging, StagedBatch, StagedInput } from './scoring-staging.ts';

export interface SendingOptions {
  readonly duckdb: DuckDb;
  readonly clock: Clock;
  readonly limits: EndpointLimits;
}

export interface Sending {
  readonly request: ScoringRequest;
  readonly version: ModelVersion;
  readonly endpoint: ModelEndpoint;
  readonly input: StagedInput;
  readonly inputPath: string;
}

/** Scores every batch that is not answered yet, a bounded number at a time; the first failure stops the others. */
export async function sendBatches(
  options: SendingOptions,
  context: RunContext,
  staging: ScoringStaging,
  progress: ScoringProgress,
  { request, version, endpoint, input, inputPath }: Sending,
): Promise<void> {
  const { rowCount } = input;
  const answered = await staging.answered();
  let failedBefore = 0;
  for (const index of answered) failedBefore += failures(await staging.batch(index));
  const rowsBefore = [...answered].reduce(
    (sum, index) => sum + Math.min(request.batchSize, rowCount - index * request.batchSize),
    0,
  );
  progress.begin(rowsBefore, failedBefore);
  const tell = () => context.progress(BigInt(progress.rowsDone), BigInt(rowCount));
  tell();
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  const file = { path: inputPath, rowCount };
  const batches = batchRows(options.duckdb.trusted, file, version.signature.inputs, request.batchSize, answered, signal);
  const scoring = {
    endpoint,
    protocol: protocolOf(endpoint),
    signature: version.signature,
    digest: featuresDigest(version.signature.inputs),
    limits: options.limits,
    nowMicros: () => options.clock.nowMicros(),
  };
  const work = async (): Promise<void> => {
    try {
      for (let next = await batches.next(); next.done !== true; next = await batches.next()) {
        signal.throwIfAborted();
        const staged = await scoreBatch(scoring, next.value, signal);
        await staging.putBatch(staged);
        progress.add(staged.errors.length, failures(staged));
        tell();
        refuseFailures(request, rowCount, progress.rowsFailed, false);
      }
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(Array.from({ length: request.concurrency }, work));
  signal.throwIfAborted();
}

/** Throws FAILED_PRECONDITION once more rows have failed than may. */
export function refuseFailures({ maxFailedShare }: ScoringRequest, rowCount: number, rowsFailed: number, isEnd: boolean): void {
  if (rowsFailed === 0 || rowsFailed <= maxFailedShare * rowCount) return;
  throw new IcecoreError(
    'FAILED_PRECONDITION',
    `${rowsFailed} of ${rowCount} rows failed${isEnd ? '' : ' so far'}, more than the share of ${maxFailedShare} that may; nothing was committed.`,
    { context: { rowsFailed, rowCount } },
  );
}

function failures({ errors }: StagedBatch): number {
  return errors.filter((error) => error !== null).length;
}
