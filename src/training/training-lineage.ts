import type { FeatureSet } from '../features/feature-set.ts';
import type { SourceColumns } from '../features/source-columns.ts';
import type { ColumnLineage, LineageEdgeDraft, LineageRef } from '../lineage/lineage-record.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import type { TrainingSet } from './training-set.ts';

export function tableRef({ tableUuid, tableName, snapshotId }: TableSnapshotRef): LineageRef {
  return { kind: 'TABLE', uuid: tableUuid, version: snapshotId.toString(), name: tableName };
}

/**
 * Where a training set came from (semantics, section 5): the spine's sources to the spine, the spine and the feature tables to the
 * rows, the rows, the feature set and every source to the training set. `spine.columns` are its own columns, which go over as they are.
 */
export function trainingSetEdges(
  set: TrainingSet,
  featureSet: FeatureSet,
  spine: { readonly sources: readonly SourceColumns[]; readonly columns: readonly string[] },
): readonly LineageEdgeDraft[] {
  const [data, spineTable] = [tableRef(set.data), tableRef(set.spine)];
  const runId = set.runId;
  const same = spine.columns.map((column): ColumnLineage => ({ from: column, to: column, transformation: null }));
  const made: LineageRef = { kind: 'TRAINING_SET', uuid: set.name, version: String(set.version), name: set.name };
  const frozen: LineageRef = {
    kind: 'FEATURE_SET',
    uuid: featureSet.name,
    version: String(featureSet.version),
    name: featureSet.name,
  };
  return [
    ...spine.sources.map(({ source, columns }) => ({ from: tableRef(source), to: spineTable, runId, columns })),
    { from: spineTable, to: data, runId, columns: same },
    ...set.featureSnapshots.map((source) => ({
      from: tableRef(source),
      to: data,
      runId,
      columns: featureSet.features
        .filter((ref) => ref.tableUuid === source.tableUuid)
        .map((ref) => ({ from: ref.feature, to: ref.alias, transformation: 'point in time' })),
    })),
    { from: data, to: made, runId, columns: [] },
    ...set.sources.map((source) => ({ from: tableRef(source), to: made, runId, columns: [] })),
    { from: frozen, to: made, runId, columns: [] },
  ];
}
