import { describe, expect, it } from 'vitest';
import { columnPath, fieldByName, highestFieldId, sameSchema } from '../../src/iceberg/schema.ts';
import {
  addColumn,
  dropColumn,
  renameColumn,
  type SchemaVersion,
  setDoc,
  widenColumn,
} from '../../src/iceberg/schema-evolution.ts';
import { flightsSchema } from './sample-metadata.ts';

const version: SchemaVersion = { schema: flightsSchema, lastColumnId: 9 };
const none = { partitionSpecs: [], sortOrders: [] };

describe('a schema', () => {
  it('is evolved without losing ids', () => {
    let next = addColumn(version, { name: 'gate', type: 'string', doc: 'where' });
    next = addColumn(next, { parent: 'place', name: 'lon', type: 'float' });
    next = renameColumn(next, 'place.lat', 'latitude');
    next = widenColumn(next, 'delay', 'long');
    next = widenColumn(next, 'place.latitude', 'double');
    next = setDoc(next, 'delay', null);
    next = dropColumn(next, 'scores', none);
    expect(next.lastColumnId).toBe(11);
    expect(next.schema.fields).toEqual([
      { id: 1, name: 'id', type: 'long', required: true },
      { id: 2, name: 'ts', type: 'timestamptz', required: true },
      { id: 3, name: 'delay', type: 'long', required: false },
      {
        id: 4,
        name: 'place',
        type: {
          kind: 'struct',
          fields: [
            { id: 5, name: 'latitude', type: 'double', required: false },
            { id: 11, name: 'lon', type: 'float', required: false },
          ],
        },
        required: false,
      },
      { id: 10, name: 'gate', type: 'string', required: false, doc: 'where' },
    ]);
  });

  it('gives a dropped and added column another id', () => {
    const dropped = dropColumn(version, 'delay', none);
    expect(fieldByName(addColumn(dropped, { name: 'delay', type: 'int' }).schema, 'delay')?.id).toBe(10);
  });

  it('gives ids to what is nested in a new column', () => {
    const type = { kind: 'map', keyId: 0, key: 'string', valueId: 0, value: 'long', valueRequired: false } as const;
    const { schema, lastColumnId } = addColumn(version, { name: 'counts', type });
    expect(fieldByName(schema, 'counts')?.type).toMatchObject({ keyId: 11, valueId: 12 });
    expect(lastColumnId).toBe(12);
    expect(highestFieldId(schema)).toBe(12);
    expect(columnPath(schema, 12)).toBe('counts.value');
  });

  it('widens elements of lists', () => {
    const ints = addColumn(version, { name: 'xs', type: { kind: 'list', elementId: 0, element: 'int', elementRequired: false } });
    expect(fieldByName(widenColumn(ints, 'xs.element', 'long').schema, 'xs.element')?.type).toBe('long');
  });

  it('widens decimals by precision alone', () => {
    const price = addColumn(version, { name: 'price', type: 'decimal(9, 2)' });
    expect(fieldByName(widenColumn(price, 'price', 'decimal(18, 2)').schema, 'price')?.type).toBe('decimal(18, 2)');
    expect(() => widenColumn(price, 'price', 'decimal(18, 3)')).toThrow(/cannot go from decimal\(9, 2\) to decimal\(18, 3\)/);
    expect(() => widenColumn(price, 'price', 'decimal(8, 2)')).toThrow(/cannot go/);
  });

  const spec = { specId: 0, fields: [{ fieldId: 1000, sourceId: 2, name: 'ts_day', transform: 'day' }] };
  const order = {
    orderId: 1,
    fields: [{ sourceId: 5, transform: 'identity', direction: 'asc', nullOrder: 'nulls-last' }],
  } as const;
  it.each([
    ['ALREADY_EXISTS', 'There is a column delay already', () => addColumn(version, { name: 'delay', type: 'int' })],
    ['ALREADY_EXISTS', 'There is a column delay already', () => renameColumn(version, 'id', 'delay')],
    ['BAD_USER_INPUT', 'cannot be added as required', () => addColumn(version, { name: 'x', type: 'int', required: true })],
    [
      'BAD_USER_INPUT',
      'There is no column y. The columns are id, ts, delay, place, scores.',
      () => renameColumn(version, 'y', 'z'),
    ],
    ['BAD_USER_INPUT', 'columns are added to structs only', () => addColumn(version, { parent: 'ts', name: 'x', type: 'int' })],
    ['BAD_USER_INPUT', 'cannot go from long to int', () => widenColumn(version, 'id', 'int')],
    ['BAD_USER_INPUT', 'cannot go from int to string', () => widenColumn(version, 'delay', 'string')],
    ['BAD_USER_INPUT', 'element of a list', () => renameColumn(version, 'scores.element', 'x')],
    ['BAD_USER_INPUT', 'needs a name', () => renameColumn(version, 'id', '')],
    [
      'FAILED_PRECONDITION',
      'the partition field ts_day of spec 0',
      () => dropColumn(version, 'ts', { ...none, partitionSpecs: [spec] }),
    ],
    ['FAILED_PRECONDITION', 'sort order 1 uses it', () => dropColumn(version, 'place', { ...none, sortOrders: [order] })],
    ['FAILED_PRECONDITION', 'it identifies rows', () => dropColumn(version, 'id', none)],
    ['FAILED_PRECONDITION', 'drop place', () => dropColumn(version, 'place.lat', none)],
  ] as const)('refuses with %s: %s', (code, message, action) => {
    expect(action).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }));
  });

  it('is the same as another whatever the order of its identifier fields and its id', () => {
    const fields = flightsSchema.fields.map((field) => ({ ...field, required: true }));
    expect(
      sameSchema({ schemaId: 1, fields, identifierFieldIds: [1, 2] }, { schemaId: 2, fields, identifierFieldIds: [2, 1] }),
    ).toBe(true);
    expect(sameSchema(flightsSchema, { ...flightsSchema, fields })).toBe(false);
  });
});
