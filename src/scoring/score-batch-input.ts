import { IcecoreError } from '../errors.ts';
import { scoringBatchRowsMax, scoringConcurrencyMax } from '../limits.ts';
import type { ModelVersionSelector } from '../models/model-reader.ts';
import { recordedInput } from '../runs/recorded-input.ts';
import type { TableAsOf } from '../training/feature-pins.ts';
import type { SpineInput } from '../training/spine-source.ts';

/** Rows that have the model's inputs already. */
export interface ScoringTable {
  readonly table: TableAsOf;
  readonly entityKeys: readonly string[];
  /** The column that says the moment of each row. */
  readonly asOf: string;
}

/** Exactly one: rows joined point in time to the model's feature set, or rows of a table. */
export type ScoringSource = { readonly spine: SpineInput } | { readonly table: ScoringTable };

export interface ScoreBatchInput {
  readonly modelVersion: { readonly model: string; readonly selector: ModelVersionSelector };
  readonly source: ScoringSource;
  /** The predictions table. */
  readonly into: string;
  readonly batchSize: number;
  /** Calls under way at once. */
  readonly concurrency: number;
  /** The share of rows that may fail before the run does. */
  readonly maxFailedShare: number;
}

/** The same with the version that was meant, as a run records it. */
export interface ScoringRequest extends Omit<ScoreBatchInput, 'modelVersion'> {
  readonly model: string;
  readonly version: number;
}

/** Throws BAD_USER_INPUT for numbers out of range. */
export function checkScoreBatch({ source, batchSize, concurrency, maxFailedShare }: ScoreBatchInput): void {
  checkRange('batchSize', batchSize, scoringBatchRowsMax);
  checkRange('concurrency', concurrency, scoringConcurrencyMax);
  if (!(maxFailedShare >= 0 && maxFailedShare <= 1)) {
    throw new IcecoreError('BAD_USER_INPUT', `maxFailedShare is a share, from 0 to 1; it is ${maxFailedShare}.`);
  }
  if ('table' in source && source.table.entityKeys.length === 0) {
    throw new IcecoreError('BAD_USER_INPUT', 'A scoring table needs at least one entity key: what the predictions are about.');
  }
}

function checkRange(what: string, value: number, greatest: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= greatest) return;
  throw new IcecoreError('BAD_USER_INPUT', `${what} is a whole number from 1 to ${greatest}; it is ${value}.`);
}

/** The request as a run recorded it: JSON, 64-bit integers as strings. */
export function recordedRequest(input: unknown): ScoringRequest {
  return recordedInput(input, bigints) as ScoringRequest;
}

const bigints = new Set(['snapshotId', 'timestampMicros']);
