import type { ModelVersion } from '../src/models/model.ts';
import { notBuilt } from './not-built.ts';

export function modelVersions(..._: readonly unknown[]): never {
  return notBuilt('modelVersions');
}

export function modelVersion(..._: readonly unknown[]): never {
  return notBuilt('modelVersion');
}

export function modelAliases(..._: readonly unknown[]): never {
  return notBuilt('modelAliases');
}

export function modelAliasModelVersion(..._: readonly unknown[]): never {
  return notBuilt('modelAliasModelVersion');
}

export function modelAliasHistory(..._: readonly unknown[]): never {
  return notBuilt('modelAliasHistory');
}

export function modelVersionTrainingSet(..._: readonly unknown[]): never {
  return notBuilt('modelVersionTrainingSet');
}

export function modelVersionTrainingSnapshot(..._: readonly unknown[]): never {
  return notBuilt('modelVersionTrainingSnapshot');
}

export function modelVersionFeatureSet(..._: readonly unknown[]): never {
  return notBuilt('modelVersionFeatureSet');
}

export function modelVersionDecisions(..._: readonly unknown[]): never {
  return notBuilt('modelVersionDecisions');
}

export function modelVersionRuns(..._: readonly unknown[]): never {
  return notBuilt('modelVersionRuns');
}

export function modelVersionPredictions(..._: readonly unknown[]): never {
  return notBuilt('modelVersionPredictions');
}

export function model(..._: readonly unknown[]): never {
  return notBuilt('model');
}

export function models(..._: readonly unknown[]): never {
  return notBuilt('models');
}

export function registerModel(..._: readonly unknown[]): never {
  return notBuilt('registerModel');
}

export function updateModel(..._: readonly unknown[]): never {
  return notBuilt('updateModel');
}

export function registerModelVersion(..._: readonly unknown[]): never {
  return notBuilt('registerModelVersion');
}

export function submitModelVersion(..._: readonly unknown[]): never {
  return notBuilt('submitModelVersion');
}

export function reviewModelVersion(..._: readonly unknown[]): never {
  return notBuilt('reviewModelVersion');
}

export function setModelAlias(..._: readonly unknown[]): never {
  return notBuilt('setModelAlias');
}

export function modelVersionChanged(..._: readonly unknown[]): AsyncIterable<ModelVersion> {
  return notBuilt('modelVersionChanged');
}
