import { notBuilt } from './not-built.ts';
import type { TrainingBatchView } from './views.ts';

export function trainingPlanFiles(..._: readonly unknown[]): never {
  return notBuilt('trainingPlanFiles');
}

export function trainingPlan(..._: readonly unknown[]): never {
  return notBuilt('trainingPlan');
}

export function trainingBatches(..._: readonly unknown[]): AsyncIterable<TrainingBatchView> {
  return notBuilt('trainingBatches');
}
