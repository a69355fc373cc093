import type { DataFile, ManifestFile } from './data-file.ts';
import type { BoundExpression } from './expression.ts';
import { mayMatch } from './inclusive-evaluator.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { fieldById, type Schema } from './schema.ts';
import { mustMatch } from './strict-evaluator.ts';
import type { PrimitiveType, Type } from './type.ts';
import { columnRange, summaryRange, type ValueRange } from './value-range.ts';

const unknown: ValueRange = { nulls: 'some', nans: 'some', lower: null, upper: null };

/** Gives the test whether any row of a file may match, by its metrics (spec: "Scan Planning"). The predicate is bound to the schema. */
export function inclusiveMetrics(schema: Schema, expression: BoundExpression): (file: DataFile) => boolean {
  const typeOf = columnTypes(schema);
  return (file) => file.recordCount !== 0n && mayMatch(expression, (id) => columnRange(file, id, typeOf(id)));
}

/** Gives the test whether all rows of a file must match: such a file can be deleted whole, or read without the filter. */
export function strictMetrics(schema: Schema, expression: BoundExpression): (file: DataFile) => boolean {
  const typeOf = columnTypes(schema);
  return (file) => file.recordCount === 0n || mustMatch(expression, (id) => columnRange(file, id, typeOf(id)));
}

function columnTypes(schema: Schema): (fieldId: number) => Type {
  return (id) => fieldById(schema, id)?.type ?? 'unknown';
}

/**
 * Gives the test whether any file of a manifest may match, by what the manifest list says of its partitions. `projected` is the
 * predicate projected onto the spec, `types` are those of its fields (spec: "Scan Planning").
 */
export function manifestMayMatch(
  spec: PartitionSpec,
  types: readonly PrimitiveType[],
  projected: BoundExpression,
): (manifest: Pick<ManifestFile, 'partitions'>) => boolean {
  const places = new Map(spec.fields.map(({ fieldId }, index) => [fieldId, index] as const));
  return ({ partitions }) =>
    mayMatch(projected, (fieldId) => {
      const index = places.get(fieldId) ?? -1;
      const summary = partitions[index];
      const type = types[index];
      return summary === undefined || type === undefined ? unknown : summaryRange(summary, type);
    });
}
