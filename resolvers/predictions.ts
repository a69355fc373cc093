import { notBuilt } from './not-built.ts';

export function predictionModelVersion(..._: readonly unknown[]): never {
  return notBuilt('predictionModelVersion');
}

export function predictionRun(..._: readonly unknown[]): never {
  return notBuilt('predictionRun');
}

export function predictionExplanation(..._: readonly unknown[]): never {
  return notBuilt('predictionExplanation');
}

export function predictionExplanationModelVersion(..._: readonly unknown[]): never {
  return notBuilt('predictionExplanationModelVersion');
}

export function predictionExplanationTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('predictionExplanationTrainingSet');
}

export function predictions(..._: readonly unknown[]): never {
  return notBuilt('predictions');
}

export function prediction(..._: readonly unknown[]): never {
  return notBuilt('prediction');
}

export function scoreBatch(..._: readonly unknown[]): never {
  return notBuilt('scoreBatch');
}
