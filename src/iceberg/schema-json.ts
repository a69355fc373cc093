import { asArrayOf, asInt, asObject, asOneOf, optionalMember } from './json-member.ts';
import { checkSchema, type Schema } from './schema.ts';
import { parseFields, printField } from './type-json.ts';

/** Reads a schema (spec: Appendix C, "Schemas"); a v1 schema without an id has id 0. Throws BAD_USER_INPUT. */
export function parseSchema(json: unknown, where: string): Schema {
  const object = asObject(json, where);
  optionalMember(object, 'type', asOneOf('struct'), where);
  const schema: Schema = {
    schemaId: optionalMember(object, 'schema-id', asInt, where) ?? 0,
    fields: parseFields(object, where),
    identifierFieldIds: optionalMember(object, 'identifier-field-ids', asArrayOf(asInt), where) ?? [],
  };
  checkSchema(schema);
  return schema;
}

export function printSchema(schema: Schema): unknown {
  return {
    type: 'struct',
    'schema-id': schema.schemaId,
    ...(schema.identifierFieldIds.length === 0 ? {} : { 'identifier-field-ids': schema.identifierFieldIds }),
    fields: schema.fields.map(printField),
  };
}
