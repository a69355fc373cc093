import { describe, expect, it } from 'vitest';
import { partitionPath } from '../../src/iceberg/partition-path.ts';
import { buildPartitionSpec, partitionTypes } from '../../src/iceberg/partition-spec.ts';
import type { Schema } from '../../src/iceberg/schema.ts';

const schema: Schema = {
  schemaId: 0,
  fields: [
    { id: 1, name: 'id', type: 'long', required: true },
    { id: 2, name: 'ts', type: 'timestamp', required: true },
    { id: 3, name: 'origin', type: 'string', required: false },
    { id: 4, name: 'price', type: 'decimal(9, 2)', required: false },
    { id: 5, name: 'tags', type: { kind: 'list', elementId: 6, element: 'string', elementRequired: false }, required: false },
    { id: 7, name: 'origin_trunc', type: 'string', required: false },
    {
      id: 8,
      name: 'place',
      type: { kind: 'struct', fields: [{ id: 9, name: 'city', type: 'string', required: false }] },
      required: false,
    },
  ],
  identifierFieldIds: [],
};

describe('a partition spec', () => {
  it('has names as the reference implementation gives them, and ids from 1000', () => {
    const spec = buildPartitionSpec(schema, [
      { column: 'ts', transform: 'day' },
      { column: 'id', transform: 'Bucket[16]' },
      { column: 'origin', transform: 'identity' },
      { column: 'price', transform: 'truncate[10]' },
      { column: 'place.city', transform: 'void' },
    ]);
    expect(spec).toEqual({
      specId: 0,
      fields: [
        { fieldId: 1000, sourceId: 2, name: 'ts_day', transform: 'day' },
        { fieldId: 1001, sourceId: 1, name: 'id_bucket', transform: 'bucket[16]' },
        { fieldId: 1002, sourceId: 3, name: 'origin', transform: 'identity' },
        { fieldId: 1003, sourceId: 4, name: 'price_trunc', transform: 'truncate[10]' },
        { fieldId: 1004, sourceId: 9, name: 'place.city_null', transform: 'void' },
      ],
    });
    expect(partitionTypes(spec, schema)).toEqual(['date', 'int', 'string', 'decimal(9, 2)', 'string']);
  });

  it('takes over field ids of equal fields, and the id of an equal spec', () => {
    const first = buildPartitionSpec(schema, [{ column: 'ts', transform: 'day' }]);
    const second = buildPartitionSpec(
      schema,
      [
        { column: 'origin', transform: 'identity' },
        { column: 'ts', transform: 'day' },
      ],
      1000,
      [first],
    );
    expect(second).toMatchObject({ specId: 1, fields: [{ fieldId: 1001 }, { fieldId: 1000 }] });
    expect(buildPartitionSpec(schema, [{ column: 'ts', transform: 'day' }], 1001, [first, second])).toEqual(first);
    expect(buildPartitionSpec(schema, [], 1001, [first, second])).toEqual({ specId: 2, fields: [] });
  });

  it.each([
    [[{ column: 'x', transform: 'day' }], /There is no column x/],
    [[{ column: 'ts', transform: 'daily' }], /"daily" is no transform/],
    [[{ column: 'ts', transform: 'bucket[0]' }], /no transform/],
    [[{ column: 'origin', transform: 'day' }], /day of origin: the transform does not take string/],
    [[{ column: 'tags', transform: 'identity' }], /does not take list<string>/],
    [[{ column: 'tags.element', transform: 'identity' }], /a row holds many of it/],
    [[{ column: 'origin', transform: 'truncate[2]' }], /its name origin_trunc is that of another column/],
    [
      [
        { column: 'ts', transform: 'day' },
        { column: 'ts', transform: 'hour' },
      ],
      /day of ts partitions by that already/,
    ],
    [
      [
        { column: 'id', transform: 'bucket[2]' },
        { column: 'id', transform: 'bucket[3]' },
      ],
      /its name id_bucket is that of bucket\[2\] of id too/,
    ],
  ])('is refused: %o', (inputs, message) => {
    expect(() => buildPartitionSpec(schema, inputs)).toThrow(
      expect.objectContaining({ code: 'BAD_USER_INPUT', message: expect.stringMatching(message) }),
    );
  });
});

describe('a partition path', () => {
  const path = (column: string, transform: string, value: bigint | number | string | null) =>
    partitionPath(buildPartitionSpec(schema, [{ column, transform }]), schema, [value]);

  it.each([
    ['ts', 'day', 11325, 'ts_day=2001-01-03'],
    ['ts', 'month', 372, 'ts_month=2001-01'],
    ['ts', 'month', -1, 'ts_month=1969-12'],
    ['ts', 'year', 31, 'ts_year=2001'],
    ['ts', 'hour', -1, 'ts_hour=1969-12-31-23'],
    ['ts', 'identity', 0n, 'ts=1970-01-01T00_00_00'],
    ['id', 'bucket[4]', 3, 'id_bucket=3'],
    ['price', 'identity', -1420n, 'price=-14.20'],
    ['origin', 'identity', null, 'origin=null'],
    ['origin', 'identity', '../a b\u0000ü', 'origin=.._a_b__'],
  ])('of %s by %s: %s', (column, transform, value, expected) => {
    expect(path(column, transform, value)).toBe(expected);
  });

  it('has one folder a field, none for an unpartitioned table', () => {
    const spec = buildPartitionSpec(schema, [
      { column: 'ts', transform: 'day' },
      { column: 'origin', transform: 'identity' },
    ]);
    expect(partitionPath(spec, schema, [0, 'LAX'])).toBe('ts_day=1970-01-01/origin=LAX');
    expect(partitionPath({ specId: 0, fields: [] }, schema, [])).toBe('');
  });

  it('stays within the length of a file name, and apart from another long value', () => {
    const [one, other] = ['1', '2'].map((end) => path('origin', 'identity', `${'x'.repeat(5000)}${end}`));
    expect(one?.length).toBeLessThanOrEqual(255);
    expect(one).not.toBe(other);
  });
});
