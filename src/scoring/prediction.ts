import type { Assurance } from '../models/model.ts';

/** One scored row of a predictions table. */
export interface Prediction {
  readonly tableUuid: string;
  readonly tableName: string;
  readonly predictionId: string;
  /** In the contract's JSON forms. */
  readonly entity: Readonly<Record<string, unknown>>;
  readonly asOfMicros: bigint;
  /** In the contract's JSON forms; all null where the row failed. */
  readonly output: Readonly<Record<string, unknown>>;
  readonly scoredAtMicros: bigint;
  readonly status: string;
  readonly error: string | null;
  readonly assurance: Assurance;
  readonly redacted: boolean;
  readonly model: string;
  readonly version: number;
  /** The version's digest that was approved when it was made. */
  readonly modelDigest: string;
  readonly runId: string;
  /** Of the inputs that were sent (docs/predictions.md). */
  readonly featuresSha256: string;
}
