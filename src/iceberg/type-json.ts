import { IcecoreError } from '../errors.ts';
import { typeDepthMax } from '../limits.ts';
import { asArrayOf, asBoolean, asInt, asObject, asString, type JsonObject, member, optionalMember } from './json-member.ts';
import type { NestedField, PrimitiveType, Type } from './type.ts';

const plain: ReadonlySet<string> = new Set([
  'boolean',
  'int',
  'long',
  'float',
  'double',
  'date',
  'time',
  'timestamp',
  'timestamptz',
  'timestamp_ns',
  'timestamptz_ns',
  'string',
  'uuid',
  'binary',
  'unknown',
] satisfies PrimitiveType[]);

/** The primitive type of a text such as `long` or `decimal(10,2)`, in its canonical form; null where it names none. */
export function parsePrimitiveType(text: string): PrimitiveType | null {
  const lower = text.trim().toLowerCase();
  if (plain.has(lower)) return lower as PrimitiveType;
  const decimal = /^decimal\(\s*(\d{1,2})\s*,\s*(\d{1,2})\s*\)$/.exec(lower);
  if (decimal !== null) {
    const [precision, scale] = [Number(decimal[1]), Number(decimal[2])];
    return precision >= 1 && precision <= 38 && scale <= precision ? `decimal(${precision}, ${scale})` : null;
  }
  const fixed = /^fixed\[\s*(\d{1,9})\s*\]$/.exec(lower);
  return fixed !== null && Number(fixed[1]) > 0 ? `fixed[${Number(fixed[1])}]` : null;
}

/** What is wrong with a text that names no type, and what would be right. */
export function unknownType(text: string, where: string): IcecoreError {
  const shown = text.length > 80 ? `${text.slice(0, 80)}…` : text;
  const reason = /^(variant|geometry|geography)/i.test(text)
    ? 'is a type that Icecore does not read yet'
    : 'is no Iceberg type: those are boolean, int, long, float, double, decimal(p, s) with p up to 38, date, time, timestamp, ' +
      'timestamptz, timestamp_ns, timestamptz_ns, string, uuid, fixed[n], binary, list, map and struct';
  return new IcecoreError('BAD_USER_INPUT', `${where}: "${shown}" ${reason}.`);
}

/** Reads a type of a schema's JSON (spec: Appendix C, "Schemas"). Throws BAD_USER_INPUT. */
export function parseType(json: unknown, where: string, depth = 0): Type {
  if (typeof json === 'string') {
    const primitive = parsePrimitiveType(json);
    if (primitive === null) throw unknownType(json, where);
    return primitive;
  }
  if (depth > typeDepthMax) throw new IcecoreError('BAD_USER_INPUT', `${where}: more than ${typeDepthMax} types in one another.`);
  const object = asObject(json, where);
  const kind = member(object, 'type', asString, where);
  switch (kind) {
    case 'struct':
      return { kind, fields: parseFields(object, where, depth) };
    case 'list':
      return {
        kind,
        elementId: member(object, 'element-id', asInt, where),
        element: member(object, 'element', (value, at) => parseType(value, at, depth + 1), where),
        elementRequired: member(object, 'element-required', asBoolean, where),
      };
    case 'map':
      return {
        kind,
        keyId: member(object, 'key-id', asInt, where),
        key: member(object, 'key', (value, at) => parseType(value, at, depth + 1), where),
        valueId: member(object, 'value-id', asInt, where),
        value: member(object, 'value', (value, at) => parseType(value, at, depth + 1), where),
        valueRequired: member(object, 'value-required', asBoolean, where),
      };
    default:
      throw unknownType(kind, where);
  }
}

/** The `fields` of a struct or of a schema. */
export function parseFields(struct: JsonObject, where: string, depth = 0): readonly NestedField[] {
  const parseField = (json: unknown, at: string): NestedField => {
    const object = asObject(json, at);
    const name = member(object, 'name', asString, at);
    const doc = optionalMember(object, 'doc', asString, at);
    const initialDefault = object['initial-default'] ?? undefined;
    const writeDefault = object['write-default'] ?? undefined;
    return {
      id: member(object, 'id', asInt, at),
      name,
      type: member(object, 'type', (value) => parseType(value, `${where}: column "${name}"`, depth + 1), at),
      required: member(object, 'required', asBoolean, at),
      ...(doc === undefined ? {} : { doc }),
      ...(initialDefault === undefined ? {} : { initialDefault }),
      ...(writeDefault === undefined ? {} : { writeDefault }),
    };
  };
  return member(struct, 'fields', asArrayOf(parseField), where);
}

/** The JSON of a type; primitive types are their text. */
export function printType(type: Type): unknown {
  if (typeof type === 'string') return type;
  switch (type.kind) {
    case 'struct':
      return { type: 'struct', fields: type.fields.map(printField) };
    case 'list':
      return {
        type: 'list',
        'element-id': type.elementId,
        element: printType(type.element),
        'element-required': type.elementRequired,
      };
    case 'map':
      return {
        type: 'map',
        'key-id': type.keyId,
        key: printType(type.key),
        'value-id': type.valueId,
        value: printType(type.value),
        'value-required': type.valueRequired,
      };
  }
}

export function printField(field: NestedField): unknown {
  return {
    id: field.id,
    name: field.name,
    required: field.required,
    type: printType(field.type),
    ...(field.doc === undefined ? {} : { doc: field.doc }),
    ...(field.initialDefault === undefined ? {} : { 'initial-default': field.initialDefault }),
    ...(field.writeDefault === undefined ? {} : { 'write-default': field.writeDefault }),
  };
}
