import type { DataFile } from './data-file.ts';
import type { BoundExpression } from './expression.ts';
import { and, or } from './expression-bind.ts';
import { mayMatch } from './inclusive-evaluator.ts';
import { partitionMatches, projectInclusive } from './partition-projection.ts';
import { partitionRanges } from './partition-range.ts';
import type { PartitionSpec } from './partition-spec.ts';
import { fieldById, type Schema } from './schema.ts';
import { mustMatch } from './strict-evaluator.ts';
import { isPrimitive } from './type.ts';
import { columnRange } from './value-range.ts';

const always = { op: 'true' } as const;
const never = { op: 'false' } as const;

/**
 * Gives what is left to check of a predicate on the rows of a file: each comparison that its metrics or its partition
 * decide is taken out. `true` where all rows match.
 */
export function residualOf(
  spec: PartitionSpec,
  schema: Schema,
  expression: BoundExpression,
): (file: DataFile) => BoundExpression {
  if (expression.op === 'true' || expression.op === 'false') return () => expression;
  if (expression.op === 'and' || expression.op === 'or') {
    const left = residualOf(spec, schema, expression.left);
    const right = residualOf(spec, schema, expression.right);
    const join = expression.op === 'and' ? and : or;
    return (file) => join(left(file), right(file));
  }
  const type = fieldById(schema, expression.fieldId)?.type ?? 'unknown';
  const rangesOf = isPrimitive(type) ? partitionRanges(spec, expression.fieldId, type) : () => [];
  const inPartition = partitionMatches(spec, projectInclusive(spec, schema, expression));
  return (file) => {
    const ranges = [columnRange(file, expression.fieldId, type), ...rangesOf(file.partition)];
    if (ranges.some((range) => mustMatch(expression, () => range))) return always;
    const isPossible = ranges.every((range) => mayMatch(expression, () => range)) && inPartition(file.partition);
    return isPossible ? expression : never;
  };
}
