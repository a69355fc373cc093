import type { DataFile, ManifestFile } from './data-file.ts';
import type { BoundExpression } from './expression.ts';
import { predicateFieldIds } from './expression-bind.ts';
import type { PartitionTest } from './manifest-index.ts';
import type { ManifestProjection } from './manifest-reader.ts';
import { inclusiveMetrics, manifestMayMatch } from './metrics-evaluator.ts';
import { partitionMatches, projectInclusive } from './partition-projection.ts';
import { residualOf } from './residual.ts';
import type { Schema } from './schema.ts';
import { requireSpec, specValueTypes, type TablePartitioning } from './table-partitioning.ts';

/** The tests and residuals of one partition spec. */
export interface Pruning {
  readonly manifest: (manifest: ManifestFile) => boolean;
  /** Undefined where every partition may have matching rows. */
  readonly partition: PartitionTest | undefined;
  readonly file: (file: DataFile) => boolean;
  readonly residual: (file: DataFile) => BoundExpression;
}

/** What files are ruled out by. */
export interface PrunedScan {
  readonly table: TablePartitioning;
  /** The schema that `filter` is bound to. */
  readonly schema: Schema;
  readonly filter: BoundExpression;
}

/** Gives the pruning of a manifest's spec; each is made once. */
export function prunings(request: PrunedScan): (manifest: Pick<ManifestFile, 'partitionSpecId'>) => Pruning {
  const known = new Map<number, Pruning>();
  return ({ partitionSpecId }) => {
    const pruning = known.get(partitionSpecId) ?? prune(request, partitionSpecId);
    known.set(partitionSpecId, pruning);
    return pruning;
  };
}

function prune({ table, schema, filter }: PrunedScan, specId: number): Pruning {
  const spec = requireSpec(table, specId);
  const projected = projectInclusive(spec, schema, filter);
  const inPartition = partitionMatches(spec, projected);
  const byMetrics = inclusiveMetrics(schema, filter);
  return {
    manifest: manifestMayMatch(spec, specValueTypes(table, spec), projected),
    partition: projected.op === 'true' ? undefined : inPartition,
    file: (file) => inPartition(file.partition) && byMetrics(file),
    residual: residualOf(spec, schema, filter),
  };
}

/** The metrics that a filter is held against. */
export function filterProjection(filter: BoundExpression): ManifestProjection {
  const fieldIds = predicateFieldIds(filter);
  return fieldIds.size === 0 ? { metrics: 'none' } : { metrics: 'bounds', fieldIds };
}
