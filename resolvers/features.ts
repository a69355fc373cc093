import { notBuilt } from './not-built.ts';

export function featureTableFeatures(..._: readonly unknown[]): never {
  return notBuilt('featureTableFeatures');
}

export function featureTableFeature(..._: readonly unknown[]): never {
  return notBuilt('featureTableFeature');
}

export function featureColumn(..._: readonly unknown[]): never {
  return notBuilt('featureColumn');
}

export function featureFeatureSets(..._: readonly unknown[]): never {
  return notBuilt('featureFeatureSets');
}

export function featureModelVersions(..._: readonly unknown[]): never {
  return notBuilt('featureModelVersions');
}

export function featureRefCurrent(..._: readonly unknown[]): never {
  return notBuilt('featureRefCurrent');
}

export function featureTable(..._: readonly unknown[]): never {
  return notBuilt('featureTable');
}

export function featureTables(..._: readonly unknown[]): never {
  return notBuilt('featureTables');
}

export function featureSet(..._: readonly unknown[]): never {
  return notBuilt('featureSet');
}

export function featureSets(..._: readonly unknown[]): never {
  return notBuilt('featureSets');
}

export function featureVectors(..._: readonly unknown[]): never {
  return notBuilt('featureVectors');
}

export function createFeatureTable(..._: readonly unknown[]): never {
  return notBuilt('createFeatureTable');
}

export function updateFeatureTable(..._: readonly unknown[]): never {
  return notBuilt('updateFeatureTable');
}

export function materializeFeatures(..._: readonly unknown[]): never {
  return notBuilt('materializeFeatures');
}

export function createFeatureSet(..._: readonly unknown[]): never {
  return notBuilt('createFeatureSet');
}
