import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { Expression } from '../../src/iceberg/expression.ts';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { applyTransform, transformResultType } from '../../src/iceberg/transform.ts';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import { cellsOf, sampleRow, sampleSchema } from './predicate-sample.ts';

const terms: readonly (readonly [column: string, transform: string])[] = [
  ['ts', 'hour'],
  ['ts', 'day'],
  ['day', 'day'],
  ['day', 'month'],
  ['ts', 'year'],
  ['s', 'truncate[2]'],
  ['i', 'identity'],
];

describe('a predicate on a transform', () => {
  it('says of the column what it says of the transformed values', () => {
    const small = fc.integer({ min: -30, max: 30 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '\u{1f600}'), maxLength: 3 });
    const term = fc.constantFrom(...terms);
    const operator = fc.constantFrom('eq', 'not-eq', 'lt', 'lt-eq', 'gt', 'gt-eq', 'in', 'not-in');
    fc.assert(
      fc.property(term, operator, small, small, text, sampleRow, (of, op, one, other, word, row) => {
        const [column, transform] = of;
        const index = sampleSchema.fields.findIndex((field) => field.name === column);
        const type = sampleSchema.fields[index]?.type as PrimitiveType;
        const isText = type === 'string';
        fc.pre(!isText || op === 'eq' || op === 'not-eq' || op === 'in' || op === 'not-in');
        const literals = isText ? [word, 'a'] : [BigInt(one), BigInt(other)];
        const [literal = 0] = literals;
        const leaf = op === 'in' || op === 'not-in' ? { op, literals } : { op, literal };
        const result = transformResultType(transform, type);
        const onResult = bindExpression(
          { ...sampleSchema, fields: [{ id: 1, name: 'x', type: result, required: false }] },
          { ...leaf, column: 'x' },
        );
        const onColumn = bindExpression(sampleSchema, { ...leaf, column, transform });
        const transformedRow = [applyTransform(transform, type, row[index] ?? null)];
        expect(evaluateExpression(onColumn, cellsOf(row))).toBe(evaluateExpression(onResult, cellsOf(transformedRow)));
      }),
      { numRuns: 2000 },
    );
  });

  it('that its column cannot tell counts as true where that is allowed, negated or not', () => {
    const bucket: Expression = { op: 'eq', column: 'i', transform: 'bucket[4]', literal: 3 };
    const filter: Expression = { op: 'and', left: { op: 'not', child: bucket }, right: { op: 'is-null', column: 's' } };
    const widened = vi.fn();
    expect(bindExpression(sampleSchema, filter, { caseSensitive: true, widened })).toEqual({ op: 'is-null', fieldId: 4 });
    expect(widened).toHaveBeenCalledTimes(1);
    expect(() => bindExpression(sampleSchema, filter)).toThrow('bucket[4] of i cannot be compared');
    const misplaced: Expression = { op: 'eq', column: 's', transform: 'day', literal: 3 };
    expect(() => bindExpression(sampleSchema, misplaced)).toThrow('day does not take the column s');
  });
});
