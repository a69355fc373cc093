import { avroDepthMax, avroSchemaPartsMax } from '../limits.ts';
import { damaged } from './avro-cursor.ts';
import type { AvroSchema } from './avro-schema.ts';

type Members = Readonly<Record<string, unknown>>;

const numbers = ['size', 'precision', 'scale', 'field-id', 'element-id', 'key-id', 'value-id'];

/** The value of a file's `avro.schema` as a schema, whose every part is of the kind it should be. Throws FAILED_PRECONDITION. */
export function checkedAvroSchema(value: unknown): AvroSchema {
  const budget = { parts: avroSchemaPartsMax };
  check(value, 0, budget);
  return value as AvroSchema;
}

function check(value: unknown, depth: number, budget: { parts: number }): void {
  if (depth > avroDepthMax) throw damaged(`its schema is nested deeper than ${avroDepthMax}`);
  if (--budget.parts < 0) throw damaged(`its schema has more than ${avroSchemaPartsMax} parts`);
  if (typeof value === 'string') return;
  if (Array.isArray(value)) {
    for (const branch of value) check(branch, depth + 1, budget);
    return;
  }
  const part = membersOf(value);
  checkAttributes(part);
  if (part.type === 'record') {
    if (!Array.isArray(part.fields)) throw damaged('a record of its schema has no fields');
    for (const field of part.fields) checkField(membersOf(field), depth, budget);
  } else if (part.type === 'array') check(part.items, depth + 1, budget);
  else if (part.type === 'map') check(part.values, depth + 1, budget);
  else if (part.type === 'fixed' && !(Number.isSafeInteger(part.size) && Number(part.size) >= 0)) {
    throw damaged('a fixed of its schema has no size');
  } else check(part.type, depth + 1, budget);
}

function checkField(field: Members, depth: number, budget: { parts: number }): void {
  if (typeof field.name !== 'string') throw damaged('a field of its schema has no name');
  checkAttributes(field);
  const own = field['iceberg-field-name'];
  if (own !== undefined && typeof own !== 'string')
    throw damaged(`the field ${field.name} of its schema has a name that is none`);
  check(field.type, depth + 1, budget);
}

function checkAttributes(part: Members): void {
  for (const name of numbers) {
    const value = part[name];
    if (value !== undefined && typeof value !== 'number') throw damaged(`${name} in its schema is no number`);
  }
  if (part.logicalType !== undefined && typeof part.logicalType !== 'string')
    throw damaged('a logical type of its schema is no text');
}

function membersOf(value: unknown): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw damaged('its schema has a part that is none');
  return value as Members;
}
