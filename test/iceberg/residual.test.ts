import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { buildPartitionSpec } from '../../src/iceberg/partition-spec.ts';
import { residualOf } from '../../src/iceberg/residual.ts';
import { fieldById } from '../../src/iceberg/schema.ts';
import { applyTransform } from '../../src/iceberg/transform.ts';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import { cellsOf, fileOf, knownMetrics, samplePredicate, sampleRow, sampleSchema } from './predicate-sample.ts';

const specs = [
  [{ column: 'i', transform: 'identity' }],
  [{ column: 'd', transform: 'identity' }],
  [
    { column: 'i', transform: 'truncate[10]' },
    { column: 'l', transform: 'truncate[7]' },
  ],
  [{ column: 'price', transform: 'truncate[50]' }],
  [
    { column: 's', transform: 'truncate[2]' },
    { column: 'i', transform: 'bucket[3]' },
  ],
  [
    { column: 'ts', transform: 'hour' },
    { column: 'day', transform: 'month' },
  ],
  [
    { column: 'ts', transform: 'year' },
    { column: 'day', transform: 'day' },
  ],
].map((inputs) => buildPartitionSpec(sampleSchema, inputs));

describe('a residual', () => {
  it('holds of exactly those rows of its file that the filter holds of, however the file is partitioned', () => {
    fc.assert(
      fc.property(fc.constantFrom(...specs), sampleRow, samplePredicate, knownMetrics, (spec, row, predicate, known) => {
        const partition = spec.fields.map(({ sourceId, transform }) =>
          applyTransform(transform, fieldById(sampleSchema, sourceId)?.type as PrimitiveType, row[sourceId - 1] ?? null),
        );
        const filter = bindExpression(sampleSchema, predicate);
        const residual = residualOf(spec, sampleSchema, filter)(fileOf([row], partition, known));
        expect(evaluateExpression(residual, cellsOf(row))).toBe(evaluateExpression(filter, cellsOf(row)));
      }),
      { numRuns: 3000 },
    );
  });

  it('is nothing where the partition decides', () => {
    const [, , , , , , byDay] = specs;
    if (byDay === undefined) throw new Error('there is no such spec');
    const residual = (literal: string, day: number) =>
      residualOf(
        byDay,
        sampleSchema,
        bindExpression(sampleSchema, { op: 'gt-eq', column: 'day', literal }),
      )(fileOf([], [31, day], { counts: false, nulls: false, nans: false, bounds: false }));
    expect(residual('1970-01-11', 11)).toEqual({ op: 'true' });
    expect(residual('1970-01-13', 11)).toEqual({ op: 'false' });
  });
});
