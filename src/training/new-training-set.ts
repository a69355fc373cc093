import { recordedInput } from '../runs/recorded-input.ts';
import type { TableAsOf } from './feature-pins.ts';
import type { SpineInput } from './spine-source.ts';
import type { PointInTimeOptions, Split } from './training-set.ts';

/** A training set as a caller asks for it. */
export interface NewTrainingSet {
  readonly name: string;
  readonly spine: SpineInput;
  readonly featureSet: string;
  readonly featureSetVersion: number;
  /** Feature tables to be read at a point; the others at their current snapshots. */
  readonly pins: readonly TableAsOf[];
  readonly options: PointInTimeOptions;
  readonly split: Split | null;
}

const bigints = new Set(['snapshotId', 'timestampMicros', 'fromMicros', 'toMicros', 'seed']);

/** The same from a run's recorded input. */
export function recordedTrainingSet(input: unknown): NewTrainingSet {
  return recordedInput(input, bigints) as NewTrainingSet;
}
