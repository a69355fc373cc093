import type { FeatureSet } from '../features/feature-set.ts';
import type { ColumnLineage, LineageEdgeDraft } from '../lineage/lineage-record.ts';
import type { ModelVersion } from '../models/model.ts';
import { versionLineage } from '../models/version-registration.ts';
import type { TableSnapshotRef } from '../tables/table.ts';
import { tableRef } from '../training/training-lineage.ts';
import type { ScoringSource } from './score-batch-input.ts';
import type { SourceShape } from './scoring-source.ts';

export interface ScoredFrom {
  readonly runId: string;
  readonly version: ModelVersion;
  readonly source: ScoringSource;
  readonly shape: SourceShape;
  /** Null where a table was scored that had the inputs. */
  readonly featureSet: FeatureSet | null;
  readonly spineSources: readonly TableSnapshotRef[];
  readonly featureSources: readonly TableSnapshotRef[];
  readonly output: TableSnapshotRef;
}

/**
 * Sources and the model's version to the predictions, by the run (semantics, section 5). Column by column where the source is a table:
 * keys and moment as they are, and every input to every output, through the model.
 */
export function predictionEdges(from: ScoredFrom): readonly LineageEdgeDraft[] {
  const { runId, version, featureSet } = from;
  const to = tableRef(from.output);
  const spineColumns = isTable(from.source) ? spineLineage(from) : [];
  const features = featureSet?.features ?? [];
  return [
    ...from.spineSources.map((source) => ({ from: tableRef(source), to, runId, columns: spineColumns })),
    ...from.featureSources.map((source) => ({
      from: tableRef(source),
      to,
      runId,
      columns: features
        .filter(({ tableUuid }) => tableUuid === source.tableUuid)
        .flatMap(({ feature, alias }) => throughModel(feature, alias, version)),
    })),
    { from: versionLineage(version), to, runId, columns: [] },
  ];
}

function isTable(source: ScoringSource): boolean {
  return 'table' in source || 'table' in source.spine.source;
}

function spineLineage({ shape, version, featureSet }: ScoredFrom): readonly ColumnLineage[] {
  const features = new Set(featureSet?.features.map(({ alias }) => alias));
  return [
    ...shape.entityKeys.map(({ column }): ColumnLineage => ({ from: column, to: column, transformation: null })),
    { from: shape.asOf.column, to: 'as_of', transformation: null },
    ...shape.spineColumns
      .filter(({ column }) => !features.has(column))
      .flatMap(({ column }) => throughModel(column, column, version)),
  ];
}

function throughModel(from: string, input: string, { model, version, signature }: ModelVersion): readonly ColumnLineage[] {
  if (!signature.inputs.some(({ name }) => name === input)) return [];
  return signature.outputs.map(({ name }) => ({ from, to: name, transformation: `model ${model} version ${version}` }));
}
