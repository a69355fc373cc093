import { notBuilt } from './not-built.ts';

export function trainingSetModelVersions(..._: readonly unknown[]): never {
  return notBuilt('trainingSetModelVersions');
}

export function trainingSet(..._: readonly unknown[]): never {
  return notBuilt('trainingSet');
}

export function trainingSets(..._: readonly unknown[]): never {
  return notBuilt('trainingSets');
}

export function createTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('createTrainingSet');
}

export function reproduceTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('reproduceTrainingSet');
}
