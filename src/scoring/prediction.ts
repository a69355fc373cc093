import type { Assurance } from '../models/model.ts';

/** One scored row of a predictions table. */
export interface Prediction {
  readonly tableUuid: string;
  readonly tableName: string;
  readonly predictionId: string;
  /** In the contract's JSON forms. */
  readonly entity: Readonly<Record<string, unknown>>;
  readonly asOfMicros: bigint;
  readonly output: Readonly<Record<string, unknown>>;
  readonly scoredAtMicros: bigint;
  readonly status: string;
  readonly error: string | null;
  readonly assurance: Assurance;
  readonly redacted: boolean;
  readonly model: string;
  readonly version: number;
  readonly runId: string;
}
