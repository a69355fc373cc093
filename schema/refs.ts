import type { PageInfo as PageInfoValue } from '../resolvers/connection.ts';
import type { ApiContext } from '../resolvers/context.ts';
import * as load from '../resolvers/loading.ts';
import { nodeValues } from '../resolvers/node-value.ts';
import type * as views from '../resolvers/views.ts';
import type { Actor as ActorValue } from '../src/access/caller.ts';
import type { FeatureRef as FeatureRefValue, KeyMapping as KeyMappingValue } from '../src/features/feature-set.ts';
import type { FeatureVectors as FeatureVectorsValue } from '../src/features/feature-table.ts';
import type { PlannedFile, RowsPlan } from '../src/lakehouse/scan-plan.ts';
import type { SelectAnswer } from '../src/lakehouse/selects.ts';
import type { ColumnLineage as ColumnLineageValue } from '../src/lineage/lineage-record.ts';
import type * as models from '../src/models/model.ts';
import type { Run as RunValue } from '../src/runs/run.ts';
import type { Prediction as PredictionValue } from '../src/scoring/prediction.ts';
import type { TableSnapshotRef } from '../src/tables/table.ts';
import type { PointInTimeOptions as PointInTimeOptionsValue } from '../src/training/training-set.ts';
import { builder } from './builder.ts';
import { asNode } from './typename.ts';

/** Every object type with the value that it is answered from. Types with a key can be given as the key, and are loaded in batches. */

function byKey<Loaded>(load: (keys: readonly string[], context: ApiContext) => Promise<readonly (Loaded | null)[]>) {
  // A null for what does not exist goes through DataLoader to the field, which refuses it only where it is not nullable.
  return { load: load as (keys: readonly string[], context: ApiContext) => Promise<readonly Loaded[]> };
}

export const Node = builder.loadableInterfaceRef('Node', {
  load: async (ids: readonly string[], context: ApiContext) => {
    const found = await nodeValues(ids, context);
    return found.map((each) => (each instanceof Error ? each : asNode(each))) as readonly (object | Error)[];
  },
});
export const PageInfo = builder.objectRef<PageInfoValue>('PageInfo');

export const Actor = builder.objectRef<ActorValue>('Actor');
export const Viewer = builder.objectRef<views.ViewerView>('Viewer');

export const Table = builder.loadableObjectRef('Table', byKey(load.loadTables));
export const Column = builder.objectRef<views.ColumnView>('Column');
export const ColumnStatistics = builder.objectRef<views.ColumnStatisticsView>('ColumnStatistics');
export const HistogramBin = builder.objectRef<views.HistogramBinView>('HistogramBin');
export const PartitionField = builder.objectRef<views.PartitionFieldView>('PartitionField');
export const RowPage = builder.objectRef<views.RowPageView>('RowPage');
export const ScanPlan = builder.objectRef<RowsPlan>('ScanPlan');
export const DataFile = builder.objectRef<PlannedFile>('DataFile');
export const TablePayload = builder.objectRef<{ readonly table: typeof Table.$inferType }>('TablePayload');
export const DropTablePayload = builder.objectRef<{ readonly name: string }>('DropTablePayload');

export const Snapshot = builder.loadableObjectRef('Snapshot', byKey(load.loadSnapshots));
export const SnapshotRef = builder.objectRef<views.SnapshotRefView>('SnapshotRef');
export const TableSnapshot = builder.objectRef<TableSnapshotRef>('TableSnapshot');
export const WriteRowsPayload = builder.objectRef<{
  readonly snapshot: typeof Snapshot.$inferType;
  readonly rowsAdded: bigint;
  readonly rowsRemoved: bigint;
}>('WriteRowsPayload');
export const SnapshotRefPayload = builder.objectRef<{ readonly ref: views.SnapshotRefView | null }>('SnapshotRefPayload');
export const SnapshotPayload = builder.objectRef<{ readonly snapshot: typeof Snapshot.$inferType }>('SnapshotPayload');

export const FeatureTable = builder.loadableObjectRef('FeatureTable', byKey(load.loadFeatureTables));
export const Feature = builder.loadableObjectRef('Feature', byKey(load.loadFeatures));
export const FeatureSet = builder.loadableObjectRef('FeatureSet', byKey(load.loadFeatureSets));
export const FeatureRef = builder.objectRef<FeatureRefValue>('FeatureRef');
export const KeyMapping = builder.objectRef<KeyMappingValue>('KeyMapping');
export const FeatureVectors = builder.objectRef<FeatureVectorsValue>('FeatureVectors');
export const FeatureTablePayload = builder.objectRef<{ readonly featureTable: typeof FeatureTable.$inferType }>(
  'FeatureTablePayload',
);
export const FeatureSetPayload = builder.objectRef<{ readonly featureSet: typeof FeatureSet.$inferType }>('FeatureSetPayload');

export const PointInTimeOptions = builder.objectRef<PointInTimeOptionsValue>('PointInTimeOptions');
export const TrainingSet = builder.loadableObjectRef('TrainingSet', byKey(load.loadTrainingSets));
export const TrainingSetRunPayload = builder.objectRef<{ readonly run: RunValue }>('TrainingSetRunPayload');
export const ReproductionRunPayload = builder.objectRef<{ readonly run: RunValue }>('ReproductionRunPayload');

export const Model = builder.loadableObjectRef('Model', byKey(load.loadModels));
export const ModelVersion = builder.loadableObjectRef('ModelVersion', byKey(load.loadModelVersions));
export const ModelAlias = builder.objectRef<models.ModelAlias>('ModelAlias');
export const ModelAliasChange = builder.objectRef<models.ModelAliasChange>('ModelAliasChange');
export const ModelMetric = builder.objectRef<models.ModelMetric>('ModelMetric');
export const ModelSignature = builder.objectRef<models.ModelSignature>('ModelSignature');
export const ModelField = builder.objectRef<models.ModelField>('ModelField');
export const ModelEndpoint = builder.objectRef<models.ModelEndpoint>('ModelEndpoint');
export const ModelDecision = builder.objectRef<models.ModelDecision>('ModelDecision');
export const ModelPayload = builder.objectRef<{ readonly model: typeof Model.$inferType }>('ModelPayload');
export const ModelVersionPayload = builder.objectRef<{ readonly modelVersion: typeof ModelVersion.$inferType }>(
  'ModelVersionPayload',
);
export const ModelAliasPayload = builder.objectRef<{ readonly alias: models.ModelAlias | null }>('ModelAliasPayload');

export const Prediction = builder.objectRef<PredictionValue>('Prediction');
export const PredictionExplanation = builder.objectRef<views.PredictionExplanationView>('PredictionExplanation');

export const Run = builder.loadableInterfaceRef('Run', byKey(load.loadRuns));
export const JobRun = builder.objectRef<RunValue>('JobRun');
export const TrainingSetRun = builder.objectRef<RunValue>('TrainingSetRun');
export const ReproductionRun = builder.objectRef<RunValue>('ReproductionRun');
export const ScoringRun = builder.loadableObjectRef('ScoringRun', byKey(load.loadRuns));
export const JobRunPayload = builder.objectRef<{ readonly run: RunValue }>('JobRunPayload');
export const ScoringRunPayload = builder.objectRef<{ readonly run: RunValue }>('ScoringRunPayload');
export const RunPayload = builder.objectRef<{ readonly run: RunValue }>('RunPayload');

export const LineageGraph = builder.objectRef<views.LineageGraphView>('LineageGraph');
export const LineageNode = builder.objectRef<views.LineageNodeView>('LineageNode');
export const LineageEdge = builder.objectRef<views.LineageEdgeView>('LineageEdge');
export const ColumnLineage = builder.objectRef<ColumnLineageValue>('ColumnLineage');

export const AuditEntry = builder.objectRef<views.AuditEntryView>('AuditEntry');
export const ChainVerification = builder.objectRef<views.ChainVerificationView>('ChainVerification');
export const AuditTrail = builder.objectRef<views.AuditTrailView>('AuditTrail');
export const AuditStep = builder.objectRef<views.AuditStepView>('AuditStep');

export const SqlColumn = builder.objectRef<SelectAnswer['columns'][number]>('SqlColumn');
export const SqlResult = builder.objectRef<SelectAnswer>('SqlResult');
export const SqlBatch = builder.objectRef<views.SqlBatchView>('SqlBatch');

export const TrainingBatch = builder.objectRef<views.TrainingBatchView>('TrainingBatch');
export const TrainingPlan = builder.objectRef<views.TrainingPlanView>('TrainingPlan');
export const FeedOrder = builder.objectRef<views.FeedOrderView>('FeedOrder');
export const TrainingFile = builder.objectRef<views.TrainingFileView>('TrainingFile');
export const TrainingRowGroup = builder.objectRef<views.TrainingRowGroupView>('TrainingRowGroup');

export const ExpireSnapshotsPayload = builder.objectRef<views.ExpireSnapshotsView>('ExpireSnapshotsPayload');
export const HeldSnapshot = builder.objectRef<views.HeldSnapshotView>('HeldSnapshot');
export const RemoveOrphanFilesPayload = builder.objectRef<views.RemoveOrphanFilesView>('RemoveOrphanFilesPayload');
