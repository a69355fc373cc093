import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { currentSchema, defaultSortOrder, defaultSpec } from '../../src/iceberg/metadata.ts';
import { newTableMetadata } from '../../src/iceberg/new-metadata.ts';
import { childFields, columnPath, fieldByName, type Schema } from '../../src/iceberg/schema.ts';
import { requestedFormatVersion } from '../../src/iceberg/table-property.ts';
import type { NestedField, Type } from '../../src/iceberg/type.ts';

/** A type with ids of 0, to be numbered by `numbered`. */
const typeOf: fc.Arbitrary<Type> = fc.letrec<{ type: Type; struct: Type }>((tie) => ({
  type: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.constantFrom<Type>('long', 'string', 'date'),
    tie('struct'),
    tie('type').map((element): Type => ({ kind: 'list', elementId: 0, element, elementRequired: false })),
    fc
      .tuple(tie('type'), tie('type'))
      .map(([key, value]): Type => ({ kind: 'map', keyId: 0, key, valueId: 0, value, valueRequired: true })),
  ),
  struct: fc
    .uniqueArray(fc.tuple(fc.constantFrom('a', 'b', 'c'), tie('type')), {
      selector: ([name]) => name,
      minLength: 1,
      maxLength: 3,
    })
    .map((fields): Type => ({ kind: 'struct', fields: fields.map(([name, type]) => ({ id: 0, name, type, required: false })) })),
})).type;

const schemas: fc.Arbitrary<Schema> = fc
  .tuple(
    fc.array(typeOf, { minLength: 1, maxLength: 5 }),
    fc.uniqueArray(fc.integer({ min: 0, max: 100_000 }), { minLength: 400, maxLength: 400, size: 'max' }),
  )
  .map(([types, ids]) => {
    const given = [...ids];
    const columns = types.map((type, index): NestedField => ({ id: 0, name: `column ${index}`, type, required: false }));
    const key: NestedField = { id: 0, name: 'key', type: 'long', required: true };
    const fields = [...columns, key].map((field) => numbered(field, () => given.pop() ?? 0));
    return { schemaId: 7, fields, identifierFieldIds: fields.slice(-1).map(({ id }) => id) };
  });

function numbered(field: NestedField, nextId: () => number): NestedField {
  return { ...field, id: nextId(), type: numberedType(field.type, nextId) };
}

function numberedType(type: Type, nextId: () => number): Type {
  if (typeof type === 'string') return type;
  if (type.kind === 'struct') return { ...type, fields: type.fields.map((field) => numbered(field, nextId)) };
  if (type.kind === 'list') return { ...type, elementId: nextId(), element: numberedType(type.element, nextId) };
  return {
    ...type,
    keyId: nextId(),
    valueId: nextId(),
    key: numberedType(type.key, nextId),
    value: numberedType(type.value, nextId),
  };
}

function* allFields(fields: readonly NestedField[]): Generator<NestedField> {
  for (const field of fields) {
    yield field;
    yield* allFields(childFields(field.type));
  }
}

function begin(schema: Schema, sourceId: number, properties: Readonly<Record<string, string>> = {}) {
  return newTableMetadata({
    uuid: '9c12d441-03fe-4693-9a96-a0705ddf69c1',
    location: 'file:///warehouse/t',
    schema,
    partitionSpec: { specId: 3, fields: [{ fieldId: 77, sourceId, name: 'key_bucket', transform: 'bucket[4]' }] },
    sortOrder: { orderId: 9, fields: [{ sourceId, transform: 'identity', direction: 'asc', nullOrder: 'nulls-first' }] },
    properties,
    formatVersion: 2,
    nowMs: 1,
  });
}

describe('a table that begins', () => {
  it('has ids from 1 on without a gap, whatever they were; columns first, and all that used the old ones uses the new', () => {
    fc.assert(
      fc.property(schemas, (schema) => {
        const keyId = schema.identifierFieldIds[0] ?? -1;
        const table = begin(schema, keyId);
        const fresh = currentSchema(table);
        const before = [...allFields(schema.fields)];
        const after = [...allFields(fresh.fields)];
        expect(after.map(({ id }) => id).toSorted((a, b) => a - b)).toEqual(after.map((_, index) => index + 1));
        expect(fresh.fields.map(({ id }) => id)).toEqual(fresh.fields.map((_, index) => index + 1));
        expect(after.map(({ id }) => columnPath(fresh, id))).toEqual(before.map(({ id }) => columnPath(schema, id)));
        const newKey = fieldByName(fresh, 'key')?.id;
        expect(fresh).toMatchObject({ schemaId: 0, identifierFieldIds: [newKey] });
        expect(table.lastColumnId).toBe(after.length);
        expect(defaultSpec(table)).toEqual({
          specId: 0,
          fields: [{ fieldId: 1000, sourceId: newKey, name: 'key_bucket', transform: 'bucket[4]' }],
        });
        expect(defaultSortOrder(table)).toMatchObject({ orderId: 1, fields: [{ sourceId: newKey }] });
        // Those of a table that has begun stay.
        expect(currentSchema(begin(fresh, newKey ?? -1))).toEqual(fresh);
      }),
      { numRuns: 60 },
    );
  });

  it('keeps no property that says what the metadata says', () => {
    const schema: Schema = {
      schemaId: 0,
      fields: [{ id: 1, name: 'key', type: 'long', required: false }],
      identifierFieldIds: [],
    };
    const properties = { 'format-version': '3', uuid: 'x', 'current-schema': '{}', owner: 'ann', __proto__x: '1' };
    expect(begin(schema, 1, properties).properties).toEqual({ owner: 'ann', __proto__x: '1' });
  });

  it('has the version that the property asks for', () => {
    expect(requestedFormatVersion({})).toBe(2);
    expect(['1', '2', '3'].map((version) => requestedFormatVersion({ 'format-version': version }))).toEqual([1, 2, 3]);
    for (const version of ['4', '0', '', '2.0', 'two']) {
      expect(() => requestedFormatVersion({ 'format-version': version })).toThrow(/format-version/);
    }
  });
});
