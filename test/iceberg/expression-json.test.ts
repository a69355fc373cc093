import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BoundExpression, Expression } from '../../src/iceberg/expression.ts';
import { bindExpression } from '../../src/iceberg/expression-bind.ts';
import { parseExpressionJson, printExpressionJson } from '../../src/iceberg/expression-json.ts';
import { unbindExpression } from '../../src/iceberg/expression-unbind.ts';
import { inColumnUnits } from '../../src/iceberg/expression-units.ts';
import { parseJson, printJson } from '../../src/iceberg/json.ts';
import type { Schema } from '../../src/iceberg/schema.ts';
import type { PrimitiveType } from '../../src/iceberg/type.ts';
import { expressionDepthMax } from '../../src/limits.ts';
import { samplePredicate } from './predicate-sample.ts';
import { valuesByType } from './values-by-type.ts';

const overTheWire = (expression: Expression) => parseExpressionJson(parseJson(printJson(printExpressionJson(expression))));

function schemaOf(type: PrimitiveType): Schema {
  return { schemaId: 0, fields: [{ id: 7, name: 'x', type, required: false }], identifierFieldIds: [] };
}

describe('the JSON of a filter', () => {
  it('gives, printed and parsed, the same predicate', () => {
    fc.assert(
      fc.property(samplePredicate, (expression) => {
        expect(overTheWire(expression)).toEqual(withoutMinusZero(expression));
      }),
    );
    const transformed = { op: 'in', column: 'id', transform: 'bucket[16]', literals: [1, 2] } as const;
    expect(overTheWire(transformed)).toEqual(transformed);
  });

  it.each(valuesByType)('carries literals of type %s to the column and back', (type, value) => {
    const schema = schemaOf(type);
    fc.assert(
      fc.property(value, fc.constantFrom('eq', 'lt', 'not-eq'), (literal, op) => {
        fc.pre(typeof literal !== 'number' || Number.isFinite(literal));
        const bound: BoundExpression = { op, fieldId: 7, literal };
        const again = inColumnUnits(schema, overTheWire(unbindExpression(schema, bound)), true);
        const rebound = bindExpression(schema, again);
        expect(rebound).toMatchObject({ op, fieldId: 7 });
        expect('literal' in rebound ? comparable(rebound.literal) : rebound).toEqual(comparable(literal));
      }),
    );
  });

  it('is read in the old forms and the new', () => {
    const bigger = { op: 'gt', column: 'a.b', literal: 3 };
    for (const json of [
      { type: 'gt', term: 'a.b', value: 3 },
      { type: 'GT', term: { type: 'reference', term: 'a.b' }, value: { type: 'literal', value: 3 } },
      { type: 'gt', left: { type: 'reference', name: 'a.b' }, right: { type: 'literal', value: 3, 'data-type': 'int' } },
      { type: 'gt', left: { type: 'reference', id: 5 }, right: 3 },
      { type: 'lt', left: 3, right: { type: 'reference', name: 'a.b' } },
    ]) {
      expect(parseExpressionJson(json, (id) => (id === 5 ? 'a.b' : undefined))).toEqual(bigger);
    }
    const named = { type: 'reference', name: 'x' };
    expect(parseExpressionJson({ type: 'is-null', child: named })).toEqual({ op: 'is-null', column: 'x' });
    expect(
      parseExpressionJson({ type: 'in', child: named, values: { type: 'literals', values: [1], 'data-type': 'int' } }),
    ).toEqual({
      op: 'in',
      column: 'x',
      literals: [1],
    });
    const day = { op: 'eq', column: 'ts', transform: 'day', literal: '2024-01-01' };
    const ts = { type: 'reference', name: 'ts' };
    expect(
      parseExpressionJson({ type: 'eq', term: { type: 'transform', transform: 'day', term: 'ts' }, value: '2024-01-01' }),
    ).toEqual(day);
    expect(
      parseExpressionJson({
        type: 'eq',
        left: { type: 'apply', function: ['system', 'days'], arguments: [ts] },
        right: '2024-01-01',
      }),
    ).toEqual(day);
    expect(
      parseExpressionJson({ type: 'eq', left: { type: 'apply', function: 'bucket', arguments: [16, ts] }, right: 3 }),
    ).toEqual({ op: 'eq', column: 'ts', transform: 'bucket[16]', literal: 3 });
    for (const json of [true, { type: 'true' }, { type: 'literal', value: true }]) {
      expect(parseExpressionJson(json)).toEqual({ op: 'true' });
    }
  });

  it.each<[unknown, string]>([
    [null, 'filter must be an object'],
    [{ type: 'and', left: true }, 'filter: "right" is missing'],
    [{ type: 'and', left: true, right: { type: 'eq', term: 'x' } }, 'filter.right: "value" is missing'],
    [{ type: 'like', term: 'x', value: 1 }, 'there is no predicate "like"'],
    [{ type: 'eq', term: 'x', value: null }, 'filter.value must be a literal'],
    [{ type: 'in', term: 'x', values: [1, {}] }, 'filter.values[1] must be a literal'],
    [{ type: 'eq', left: { type: 'reference', id: 9 }, right: 1 }, 'no column with the id 9'],
    [{ type: 'eq', left: { type: 'apply', function: 'sqrt', arguments: [] }, right: 1 }, 'sqrt of 0 arguments'],
    [{ type: 'eq', term: 3, value: 3 }, 'filter.term must be a column'],
  ])('that is none is refused with its place: %j', (json, message) => {
    expect(() => parseExpressionJson(json)).toThrow(message);
  });

  it('nested without end is refused, and does not exhaust the stack', () => {
    let json: unknown = true;
    for (let depth = 0; depth <= expressionDepthMax; depth++) json = { type: 'not', child: json };
    expect(() => parseExpressionJson(json)).toThrow('nested deeper');
  });
});

describe('integers for time columns', () => {
  it.each<[PrimitiveType, unknown]>([
    ['date', 11325],
    ['timestamptz', 11325n],
    ['timestamp_ns', 11_325_000n],
    ['int', 11325],
  ])('count in the unit of a %s', (type, literal) => {
    const filter = inColumnUnits(schemaOf(type), { op: 'eq', column: 'X', literal: 11325 }, false);
    expect(bindExpression(schemaOf(type), filter, { caseSensitive: false })).toEqual({ op: 'eq', fieldId: 7, literal });
  });
});

function comparable(literal: unknown): unknown {
  return literal instanceof Uint8Array ? Buffer.from(literal).toString('hex') : literal === 0 ? 0 : literal;
}

/** JSON text writes both zeros alike. */
function withoutMinusZero(expression: Expression): unknown {
  return JSON.parse(JSON.stringify(expression));
}
