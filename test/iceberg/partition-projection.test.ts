import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { FieldSummaryBuilder } from '../../src/iceberg/field-summary.ts';
import { manifestMayMatch } from '../../src/iceberg/metrics-evaluator.ts';
import { partitionMatches, projectInclusive } from '../../src/iceberg/partition-projection.ts';
import type { PartitionSpec } from '../../src/iceberg/partition-spec.ts';
import { fieldById } from '../../src/iceberg/schema.ts';
import { applyTransform, canTransform, parseTransform, transformResultType } from '../../src/iceberg/transform.ts';
import { isPrimitive, type Literal, type PrimitiveType } from '../../src/iceberg/type.ts';
import { cellsOf, type SampleRow, samplePredicate, sampleRows, sampleSchema } from './predicate-sample.ts';

function typeOf(sourceId: number): PrimitiveType {
  const type = fieldById(sampleSchema, sourceId)?.type;
  if (type === undefined || !isPrimitive(type)) throw new Error(`no column ${sourceId}`);
  return type;
}

const transforms = ['identity', 'void', 'bucket[4]', 'truncate[3]', 'truncate[2]', 'year', 'month', 'day', 'hour', 'zorder[2]'];
const pairs = transforms.flatMap((transform) =>
  sampleSchema.fields
    .filter(({ id }) => transform.startsWith('zorder') || canTransform(parseTransform(transform), typeOf(id)))
    .map(({ id }) => ({ transform, sourceId: id })),
);
const specs: fc.Arbitrary<PartitionSpec> = fc.array(fc.constantFrom(...pairs), { minLength: 1, maxLength: 3 }).map((chosen) => ({
  specId: 0,
  fields: chosen.map((field, index) => ({ ...field, fieldId: 1000 + index, name: `p${index}` })),
}));

function partitionOf(spec: PartitionSpec, row: SampleRow): readonly (Literal | null)[] {
  return spec.fields.map(({ sourceId, transform }) => applyTransform(transform, typeOf(sourceId), row[sourceId - 1] ?? null));
}

describe('a predicate projected onto a partition spec', () => {
  it('keeps every partition, and every manifest, with a matching row', () => {
    fc.assert(
      fc.property(specs, sampleRows, samplePredicate, (spec, rows, predicate) => {
        const bound = bindExpression(sampleSchema, predicate);
        const projected = projectInclusive(spec, sampleSchema, bound);
        const types = spec.fields.map(({ sourceId, transform }) => transformResultType(transform, typeOf(sourceId)));
        const matching = rows.filter((row) => evaluateExpression(bound, cellsOf(row)));
        for (const row of matching) expect(partitionMatches(spec, projected)(partitionOf(spec, row))).toBe(true);
        const summaries = types.map((type) => new FieldSummaryBuilder(type));
        for (const row of rows) for (const [index, value] of partitionOf(spec, row).entries()) summaries[index]?.add(value);
        const manifest = { partitions: summaries.map((summary) => summary.build()) };
        if (matching.length > 0) expect(manifestMayMatch(spec, types, projected)(manifest)).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });

  const project = (transform: string, column: string, op: 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq', literal: string | number) => {
    const sourceId = sampleSchema.fields.find((field) => field.name === column)?.id ?? 0;
    const spec: PartitionSpec = { specId: 0, fields: [{ fieldId: 1000, sourceId, name: 'p', transform }] };
    return projectInclusive(spec, sampleSchema, bindExpression(sampleSchema, { op, column, literal }));
  };

  it('leaves out the partition that begins where "less than" ends', () => {
    expect(project('day', 'ts', 'lt', '2001-01-02T00:00:00Z')).toEqual({ op: 'lt-eq', fieldId: 1000, literal: 11323 });
    expect(project('day', 'ts', 'lt-eq', '2001-01-02T00:00:00Z')).toEqual({ op: 'lt-eq', fieldId: 1000, literal: 11324 });
    expect(project('month', 'day', 'gt', '2001-01-31')).toEqual({ op: 'gt-eq', fieldId: 1000, literal: 373 });
    expect(project('truncate[10]', 'i', 'lt', 20)).toMatchObject({ op: 'or', left: { op: 'lt-eq', literal: 10 } });
    expect(project('bucket[4]', 'i', 'lt', 20)).toEqual({ op: 'true' });
    expect(project('void', 'i', 'eq', 20)).toEqual({ op: 'true' });
  });

  it('looks one partition further before 1970, where early writers rounded up', () => {
    expect(project('day', 'day', 'eq', '1969-12-30')).toEqual({ op: 'in', fieldId: 1000, literals: [-2, -1] });
    expect(project('day', 'day', 'lt', '1969-12-31')).toEqual({ op: 'lt-eq', fieldId: 1000, literal: -1 });
  });
});
