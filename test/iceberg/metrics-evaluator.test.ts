import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import { inclusiveMetrics, strictMetrics } from '../../src/iceberg/metrics-evaluator.ts';
import { cellsOf, fileOf, knownMetrics, samplePredicate, sampleRows, sampleSchema } from './predicate-sample.ts';

describe('the metrics of a file', () => {
  it('never rule out a file with a matching row, and never take one for granted', () => {
    fc.assert(
      fc.property(sampleRows, samplePredicate, knownMetrics, (rows, predicate, known) => {
        const bound = bindExpression(sampleSchema, predicate);
        const matches = rows.map((row) => evaluateExpression(bound, cellsOf(row)));
        const file = fileOf(rows, [], known);
        if (matches.includes(true)) expect(inclusiveMetrics(sampleSchema, bound)(file)).toBe(true);
        if (matches.includes(false)) expect(strictMetrics(sampleSchema, bound)(file)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('decide single comparisons exactly where all metrics are there', () => {
    const rows = [3, 7].map((value) => [value, null, null, 'ab', null, null, null]);
    const file = fileOf(rows);
    const decide = (op: 'lt' | 'gt' | 'eq' | 'not-eq', literal: number) => {
      const bound = bindExpression(sampleSchema, { op, column: 'i', literal });
      return [inclusiveMetrics(sampleSchema, bound)(file), strictMetrics(sampleSchema, bound)(file)];
    };
    expect(decide('lt', 3)).toEqual([false, false]);
    expect(decide('lt', 4)).toEqual([true, false]);
    expect(decide('lt', 8)).toEqual([true, true]);
    expect(decide('gt', 7)).toEqual([false, false]);
    expect(decide('gt', 2)).toEqual([true, true]);
    expect(decide('eq', 8)).toEqual([false, false]);
    expect(decide('not-eq', 8)).toEqual([true, true]);
  });
});
