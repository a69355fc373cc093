import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assignFreshIds } from '../../src/iceberg/field-id.ts';
import { checkSchema, highestFieldId, type Schema } from '../../src/iceberg/schema.ts';
import { parseSchema, printSchema } from '../../src/iceberg/schema-json.ts';
import type { PrimitiveType, Type } from '../../src/iceberg/type.ts';
import { parsePrimitiveType, parseType, printType } from '../../src/iceberg/type-json.ts';
import { parseTypeText, printTypeText } from '../../src/iceberg/type-text.ts';
import { valuesByType } from './values-by-type.ts';

const counter = (from = 0) => {
  let last = from;
  return () => ++last;
};

const primitive: fc.Arbitrary<PrimitiveType> = fc.constantFrom(...valuesByType.map(([type]) => type));
const name = fc.oneof(fc.constantFrom('a', 'b_1', 'größe'), fc.string({ minLength: 1, maxLength: 6 }));
const { type: anyType } = fc.letrec<{ type: Type }>((tie) => ({
  type: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    primitive,
    tie('type').map((element): Type => ({ kind: 'list', elementId: 0, element, elementRequired: false })),
    fc
      .tuple(tie('type'), tie('type'))
      .map(([key, value]): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, value, valueRequired: false })),
    fc.uniqueArray(fc.tuple(name, tie('type')), { selector: ([key]) => key, minLength: 1, maxLength: 3 }).map(
      (fields): Type => ({
        kind: 'struct',
        fields: fields.map(([key, type]) => ({ id: 0, name: key, type, required: false })),
      }),
    ),
  ),
}));

describe('the text of a type', () => {
  it('says the same type', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        const text = printTypeText(type);
        expect(parseTypeText(text, () => 0)).toEqual(type);
        expect(printTypeText(parseTypeText(text, counter()))).toBe(text);
      }),
    );
  });

  it.each([
    ['long', 'long'],
    [' Decimal(10,2) ', 'decimal(10, 2)'],
    ['LIST<double>', 'list<double>'],
    ['map<string,list<fixed[16]>>', 'map<string, list<fixed[16]>>'],
    ['struct< a : int , "b c": struct<"x""y": uuid> >', 'struct<a: int, "b c": struct<"x""y": uuid>>'],
  ])('%s', (text, canonical) => {
    expect(printTypeText(parseTypeText(text, counter()))).toBe(canonical);
  });

  it('gives ids level by level', () => {
    expect(parseTypeText('struct<a: list<int>, b: map<string, long>>', counter(10))).toMatchObject({
      fields: [
        { id: 11, type: { elementId: 13 } },
        { id: 12, type: { keyId: 14, valueId: 15 } },
      ],
    });
  });

  it.each([
    ['bigint', /"bigint" is no Iceberg type/],
    ['list<bigint>', /"bigint" is no Iceberg type/],
    ['list<int', /">" is missing at character 9/],
    ['list<int>>', /">" is too much/],
    ['struct<a int>', /":" is missing/],
    ['struct<>', /a field name is missing/],
    ['struct<a: int, a: int>', /the name a occurs twice/],
    ['map<int>', /"," is missing/],
    ['decimal(39, 2)', /p up to 38/],
    ['decimal(4, 5)', /no Iceberg type/],
    ['variant', /does not read yet/],
    ['', /a type is missing/],
    [`${'list<'.repeat(500)}int`, /more than 64 types in one another/],
  ])('refuses %s', (text, message) => {
    expect(() => parseTypeText(text, counter())).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringMatching(message) }),
    );
  });

  it('never fails otherwise', () => {
    const pieces = fc.array(fc.constantFrom('list<', 'struct<', 'map<', 'a: ', 'int', ', ', '>', 'decimal(9, 2)', '"', ' '), {
      maxLength: 12,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        try {
          parseTypeText(parts.join(''), counter());
        } catch (error) {
          expect(error).toMatchObject({ code: 'BAD_USER_INPUT' });
        }
      }),
    );
  });
});

describe('the JSON of a type', () => {
  it('says the same type', () => {
    fc.assert(
      fc.property(anyType, (type) => {
        expect(parseType(printType(type), 'x')).toEqual(type);
      }),
    );
  });

  it('of a schema says the same schema, with fresh ids that stay when given again', () => {
    fc.assert(
      fc.property(anyType, anyType, (first, second) => {
        const schema: Schema = assignFreshIds({
          schemaId: 3,
          fields: [
            { id: 0, name: 'first', type: first, required: true, doc: 'one' },
            { id: 0, name: 'second', type: second, required: false, initialDefault: 7n, writeDefault: 'x' },
          ],
          identifierFieldIds: [],
        });
        try {
          checkSchema(schema);
        } catch {
          // Names with dots may give two fields one path.
          return;
        }
        expect(parseSchema(printSchema(schema), 'x')).toEqual(schema);
        expect(assignFreshIds(schema)).toEqual(schema);
        expect(highestFieldId(schema)).toBeGreaterThanOrEqual(2);
      }),
    );
  });

  it('refuses a type nested too deep', () => {
    let json: unknown = 'int';
    for (let depth = 0; depth < 1000; depth++)
      json = { type: 'list', 'element-id': depth, element: json, 'element-required': false };
    expect(() => parseType(json, 'x')).toThrow(/more than 64/);
  });

  it('reads primitive types in their looser forms', () => {
    expect(['decimal(10,2)', 'decimal( 10 , 2 )', 'fixed[ 4 ]', 'INT'].map(parsePrimitiveType)).toEqual([
      'decimal(10, 2)',
      'decimal(10, 2)',
      'fixed[4]',
      'int',
    ]);
    expect(['fixed[0]', 'decimal(0, 0)', 'text'].map(parsePrimitiveType)).toEqual([null, null, null]);
  });
});

describe('a schema', () => {
  const fields = [
    { id: 1, name: 'a', type: 'int', required: true },
    { id: 2, name: 'b', type: 'double', required: true },
  ] as const;
  it.each([
    [{ fields: [fields[0], { ...fields[1], id: 1 }], identifierFieldIds: [] }, /the id 1 belongs to both a and b/],
    [{ fields: [fields[0], { ...fields[1], name: 'a' }], identifierFieldIds: [] }, /the name a occurs twice/],
    [{ fields: [{ ...fields[0], id: 2147483540 }], identifierFieldIds: [] }, /not between 0 and 2147483447/],
    [{ fields: [{ ...fields[0], name: '' }], identifierFieldIds: [] }, /has no name/],
    [{ fields: [{ ...fields[0], name: 'a\u0000b' }], identifierFieldIds: [] }, /zero byte/],
    [{ fields, identifierFieldIds: [2] }, /neither float, double/],
    [{ fields, identifierFieldIds: [3] }, /identifier field 3 does not exist/],
  ])('is refused: %o', (schema, message) => {
    expect(() => checkSchema({ schemaId: 0, ...schema })).toThrow(message);
  });
});
