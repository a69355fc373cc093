import { expect, test } from 'vitest';
import { checkedAvroSchema } from '../../src/iceberg/avro-schema-check.ts';

const record = (type: unknown, more: object = {}) => ({ type: 'record', name: 'r', fields: [{ name: 'a', type, ...more }] });

test.for([
  'long',
  ['null', 'string'],
  record('int', { 'field-id': 1, 'iceberg-field-name': 'ä' }),
  record({ type: 'array', items: record({ type: 'fixed', name: 'f', size: 16, logicalType: 'uuid' }), 'element-id': 3 }),
  record({ type: 'map', values: ['null', { type: 'bytes', logicalType: 'decimal', precision: 9, scale: 2 }] }),
])('%j is a schema', (schema) => {
  expect(checkedAvroSchema(schema)).toBe(schema);
});

let deep: unknown = 'int';
for (let depth = 0; depth < 1000; depth++) deep = { type: 'array', items: deep };

test.for([
  null,
  7,
  {},
  { type: 'record', name: 'r' },
  { type: 'record', name: 'r', fields: [null] },
  { type: 'record', name: 'r', fields: [{ type: 'int' }] },
  record(undefined),
  record('int', { 'field-id': '1' }),
  record('int', { 'iceberg-field-name': 1 }),
  { type: 'array' },
  { type: 'fixed', name: 'f', size: -1 },
  { type: 'bytes', logicalType: 7 },
  deep,
])('what is none is refused: case %#', (schema) => {
  expect(() => checkedAvroSchema(schema)).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
});
