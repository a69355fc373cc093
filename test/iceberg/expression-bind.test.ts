import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Expression, UnboundLiteral } from '../../src/iceberg/expression.ts';
import { bindExpression, predicateFieldIds } from '../../src/iceberg/expression-bind.ts';
import { evaluateExpression } from '../../src/iceberg/expression-evaluate.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import { cellsOf, samplePredicate, sampleRow, sampleSchema } from './predicate-sample.ts';

function schemaOf(type: PrimitiveType): Schema {
  return { schemaId: 0, fields: [{ id: 1, name: 'x', type, required: false }], identifierFieldIds: [] };
}

function bindTo(type: PrimitiveType, op: 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq', literal: UnboundLiteral) {
  return bindExpression(schemaOf(type), { op, column: 'x', literal });
}

const notNull = { op: 'not-null', fieldId: 1 };
const never = { op: 'false' };

describe('a literal in a predicate', () => {
  it.each<[PrimitiveType, UnboundLiteral, unknown]>([
    ['date', '2001-01-03', 11325],
    ['timestamp', '2001-01-03T00:00:01', 978_480_001_000_000n],
    ['timestamptz', '2001-01-03T00:00:01+01:00', 978_476_401_000_000n],
    ['timestamptz', '2001-01-03', 978_480_000_000_000n],
    ['timestamptz', '2001-01-03 00:00:00', 978_480_000_000_000n],
    ['timestamp_ns', '1970-01-01T00:00:00.000000001', 1n],
    ['time', '00:00:01', 1_000_000n],
    ['decimal(9, 2)', '14.2', 1420n],
    ['decimal(9, 2)', 14.2, 1420n],
    ['long', '9223372036854775807', 9223372036854775807n],
    ['long', 5, 5n],
    ['int', 5n, 5],
    ['float', 0.1, Math.fround(0.1)],
    ['uuid', 'F79C3E09-677C-4BBD-A479-3F349CB785E7', 'f79c3e09-677c-4bbd-a479-3f349cb785e7'],
    ['binary', '00ff', Uint8Array.of(0, 255)],
    ['boolean', 'true', true],
  ])('of a %s column: %s', (type, literal, expected) => {
    expect(bindTo(type, 'eq', literal)).toEqual({ op: 'eq', fieldId: 1, literal: expected });
  });

  it('beyond the type of its column makes the comparison true or false, but never of null', () => {
    expect(bindTo('int', 'lt', 3e9)).toEqual(notNull);
    expect(bindTo('int', 'gt', 3e9)).toEqual(never);
    expect(bindTo('int', 'gt-eq', -3e9)).toEqual(notNull);
    expect(bindTo('long', 'eq', '1e30')).toEqual(never);
    expect(bindTo('long', 'not-eq', '1e30')).toEqual(notNull);
    expect(bindTo('decimal(4, 2)', 'lt', 1000)).toEqual(notNull);
  });

  it('between two values of the type rounds to the side that keeps the meaning', () => {
    expect(bindTo('int', 'lt', 2.5)).toEqual({ op: 'lt-eq', fieldId: 1, literal: 2 });
    expect(bindTo('int', 'gt', -2.5)).toEqual({ op: 'gt-eq', fieldId: 1, literal: -2 });
    expect(bindTo('int', 'eq', 2.5)).toEqual(never);
    expect(bindTo('decimal(9, 2)', 'gt-eq', '1.005')).toEqual({ op: 'gt-eq', fieldId: 1, literal: 101n });
  });

  it('that cannot be compared is refused with the column, its type and an example', () => {
    expect(() => bindTo('int', 'eq', 'ten')).toThrow(`'ten' cannot be compared with column x of type int. Write it like 42.`);
    expect(() => bindTo('date', 'eq', 5)).toThrow(`'2001-01-03'`);
    expect(() => bindTo('timestamptz', 'eq', 'yesterday')).toThrow('yesterday');
    expect(() => bindTo('boolean', 'eq', 1)).toThrow('boolean');
    expect(() => bindTo('double', 'eq', '')).toThrow('double');
  });
});

describe('a predicate', () => {
  it('names an unknown column and those near to it', () => {
    const schema: Schema = {
      schemaId: 0,
      fields: ['origin', 'destination', 'delay'].map((name, index) => ({ id: index + 1, name, type: 'int', required: false })),
      identifierFieldIds: [],
    };
    const bound = () => bindExpression(schema, { op: 'eq', column: 'orgin', literal: 1 });
    expect(bound).toThrow('There is no column orgin. Did you mean origin?');
    expect(() => bindExpression(schema, { op: 'is-null', column: 'zzz' })).toThrow('The columns are origin, destination, delay.');
    expect(() => bindExpression(schema, { op: 'is-null', column: 'DELAY' })).toThrow('Did you mean delay?');
    expect(bindExpression(schema, { op: 'is-null', column: 'DELAY' }, { caseSensitive: false })).toEqual({
      op: 'is-null',
      fieldId: 3,
    });
  });

  it('is not about what a row holds many of', () => {
    const list = { kind: 'list', elementId: 2, element: 'int', elementRequired: false } as const;
    const schema: Schema = { schemaId: 0, fields: [{ id: 1, name: 'x', type: list, required: false }], identifierFieldIds: [] };
    expect(() => bindExpression(schema, { op: 'eq', column: 'x.element', literal: 1 })).toThrow('list or map');
    expect(() => bindExpression(schema, { op: 'eq', column: 'x', literal: 1 })).toThrow('compared with nothing');
    expect(bindExpression(schema, { op: 'is-null', column: 'x' })).toEqual({ op: 'is-null', fieldId: 1 });
  });

  it('over a set keeps each value once, in order', () => {
    const inSet = (literals: readonly UnboundLiteral[]) => bindExpression(schemaOf('int'), { op: 'in', column: 'x', literals });
    expect(inSet([3, '1', 3n, 2.5, 3e9])).toEqual({ op: 'in', fieldId: 1, literals: [1, 3] });
    expect(inSet([3])).toEqual({ op: 'eq', fieldId: 1, literal: 3 });
    expect(inSet([])).toEqual(never);
    expect(inSet([2.5])).toEqual(never);
  });

  it('takes NaN by equality alone', () => {
    expect(bindTo('double', 'eq', Number.NaN)).toEqual({ op: 'is-nan', fieldId: 1 });
    expect(() => bindTo('double', 'lt', 'nan')).toThrow('NaN');
  });

  it('and its negation never match the same row, and none of them a row of nulls in a comparison', () => {
    const nulls = cellsOf(sampleSchema.fields.map(() => null));
    fc.assert(
      fc.property(samplePredicate, sampleRow, (predicate, row) => {
        const bound = bindExpression(sampleSchema, predicate);
        const negated = bindExpression(sampleSchema, { op: 'not', child: predicate });
        const cells = cellsOf(row);
        expect(evaluateExpression(bound, cells) && evaluateExpression(negated, cells)).toBe(false);
        const hasNull = [...predicateFieldIds(bound)].some((id) => cells(id) === null);
        if (!hasNull && row.every((cell) => cell !== null)) {
          expect(evaluateExpression(bound, cells) || evaluateExpression(negated, cells)).toBe(true);
        }
        if (comparesOnly(predicate)) expect(evaluateExpression(bound, nulls)).toBe(false);
      }),
      { numRuns: 3000 },
    );
  });
});

function comparesOnly(predicate: Expression): boolean {
  return 'literal' in predicate;
}
