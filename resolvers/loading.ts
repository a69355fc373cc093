import type { FeatureSet } from '../src/features/feature-set.ts';
import type { Feature, FeatureTable } from '../src/features/feature-table.ts';
import type { Model, ModelVersion } from '../src/models/model.ts';
import type { Run } from '../src/runs/run.ts';
import type { Table } from '../src/tables/table.ts';
import type { TrainingSet } from '../src/training/training-set.ts';
import type { ApiContext } from './context.ts';
import { notBuilt } from './not-built.ts';
import type { SnapshotView } from './views.ts';

/** Things by their keys, many at once, in the keys' order; null where there is none or the caller may not see it. */
type Load<Loaded> = (keys: readonly string[], context: ApiContext) => Promise<readonly (Loaded | null)[]>;

export const loadTables: Load<Table> = async () => notBuilt('Loading tables');
/** By `snapshotKey`. */
export const loadSnapshots: Load<SnapshotView> = async () => notBuilt('Loading snapshots');
export const loadFeatureTables: Load<FeatureTable> = async () => notBuilt('Loading feature tables');
/** By `featureKey`. */
export const loadFeatures: Load<Feature> = async () => notBuilt('Loading features');
/** These three by `versionKey`. */
export const loadFeatureSets: Load<FeatureSet> = async () => notBuilt('Loading feature sets');
export const loadTrainingSets: Load<TrainingSet> = async () => notBuilt('Loading training sets');
export const loadModelVersions: Load<ModelVersion> = async () => notBuilt('Loading model versions');
export const loadModels: Load<Model> = async () => notBuilt('Loading models');
export const loadRuns: Load<Run> = async () => notBuilt('Loading runs');
