import type { Run } from '../src/runs/run.ts';
import { notBuilt } from './not-built.ts';

export function trainingSetRunTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('trainingSetRunTrainingSet');
}

export function reproductionRunTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('reproductionRunTrainingSet');
}

export function reproductionRunVerdict(..._: readonly unknown[]): never {
  return notBuilt('reproductionRunVerdict');
}

export function reproductionRunExpectedDigest(..._: readonly unknown[]): never {
  return notBuilt('reproductionRunExpectedDigest');
}

export function reproductionRunActualDigest(..._: readonly unknown[]): never {
  return notBuilt('reproductionRunActualDigest');
}

export function reproductionRunDifferences(..._: readonly unknown[]): never {
  return notBuilt('reproductionRunDifferences');
}

export function scoringRunModelVersion(..._: readonly unknown[]): never {
  return notBuilt('scoringRunModelVersion');
}

export function scoringRunModelIdentity(..._: readonly unknown[]): never {
  return notBuilt('scoringRunModelIdentity');
}

export function scoringRunPredictionsTable(..._: readonly unknown[]): never {
  return notBuilt('scoringRunPredictionsTable');
}

export function scoringRunRowsFailed(..._: readonly unknown[]): never {
  return notBuilt('scoringRunRowsFailed');
}

export function scoringRunRowsPerSecond(..._: readonly unknown[]): never {
  return notBuilt('scoringRunRowsPerSecond');
}

export function scoringRunPredictions(..._: readonly unknown[]): never {
  return notBuilt('scoringRunPredictions');
}

export function run(..._: readonly unknown[]): never {
  return notBuilt('run');
}

export function runs(..._: readonly unknown[]): never {
  return notBuilt('runs');
}

export function cancelRun(..._: readonly unknown[]): never {
  return notBuilt('cancelRun');
}

export function runProgress(..._: readonly unknown[]): AsyncIterable<Run> {
  return notBuilt('runProgress');
}
