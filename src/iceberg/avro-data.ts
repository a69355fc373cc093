import avro from 'avsc';
import { openAvroContainer } from './avro-container.ts';
import { damaged } from './avro-cursor.ts';
import { exactLongs } from './avro-long.ts';
import type { AvroField, AvroSchema } from './avro-schema.ts';
import type { NestedField, PrimitiveType, Type } from './type.ts';

/** The rows of an Avro data or delete file. */
export interface AvroData {
  /** The file's own columns; an id that the file does not give is 0. */
  readonly fields: readonly NestedField[];
  readonly hasIds: boolean;
  /** Records as avsc gives them: longs are bigints, bytes and fixed are Buffers, unions are their value. */
  rows(): Generator<Readonly<Record<string, unknown>>>;
}

interface AnySchema {
  readonly type?: unknown;
  readonly logicalType?: string;
  readonly fields?: readonly AvroField[];
  readonly items?: AvroSchema;
  readonly values?: AvroSchema;
  readonly size?: number;
  readonly precision?: number;
  readonly scale?: number;
  readonly 'element-id'?: number;
  readonly 'key-id'?: number;
  readonly 'value-id'?: number;
  readonly 'adjust-to-utc'?: boolean;
}

/** Opens an Avro data file that lies in memory (spec: Appendix A, "Avro"). Throws FAILED_PRECONDITION where it is none. */
export function openAvroData(bytes: Uint8Array): AvroData {
  const container = openAvroContainer(bytes);
  const root = container.schema as AnySchema;
  if (root.type !== 'record' || root.fields === undefined) throw damaged('its rows are no records');
  const fields = root.fields.map(fieldOf);
  return {
    fields,
    hasIds: root.fields.some((field) => field['field-id'] !== undefined),
    *rows() {
      const type = byAvsc(() =>
        avro.Type.forSchema(container.schema as avro.Schema, { typeHook: exactLongs, wrapUnions: false }),
      );
      for (const block of container.blocks()) {
        const buffer = Buffer.from(block.bytes.buffer, block.bytes.byteOffset, block.bytes.byteLength);
        let offset = 0;
        for (let index = 0; index < block.count; index++) {
          const at = offset;
          const decoded = byAvsc(() => type.decode(buffer, at));
          if (decoded.offset < 0) throw damaged('a record goes beyond its block');
          offset = decoded.offset;
          yield decoded.value as Readonly<Record<string, unknown>>;
        }
      }
    },
  };
}

/** What avsc throws says what is wrong, and not that the file is. */
function byAvsc<T>(work: () => T): T {
  try {
    return work();
  } catch (cause) {
    throw damaged(cause instanceof Error ? cause.message : String(cause));
  }
}

function fieldOf(field: AvroField): NestedField {
  const { schema, isOptional } = withoutNull(field.type);
  const name = field['iceberg-field-name'] ?? field.name;
  return { id: field['field-id'] ?? 0, name, type: typeOf(schema, field.name), required: !isOptional };
}

function withoutNull(schema: AvroSchema): { readonly schema: AvroSchema; readonly isOptional: boolean } {
  if (!Array.isArray(schema)) return { schema, isOptional: false };
  const options = (schema as readonly AvroSchema[]).filter((option) => option !== 'null');
  const [only] = options;
  if (only === undefined || options.length !== 1) throw damaged('a column is a union of several types');
  return { schema: only, isOptional: true };
}

const primitives: Readonly<Record<string, PrimitiveType>> = {
  boolean: 'boolean',
  int: 'int',
  long: 'long',
  float: 'float',
  double: 'double',
  string: 'string',
  bytes: 'binary',
  null: 'unknown',
};

function typeOf(schema: AvroSchema, where: string): Type {
  if (typeof schema === 'string') return primitive(schema, where);
  const any = schema as AnySchema;
  switch (any.type) {
    case 'record':
      return { kind: 'struct', fields: (any.fields ?? []).map(fieldOf) };
    case 'array':
      return arrayType(any, where);
    case 'map': {
      const value = withoutNull(any.values ?? 'null');
      const ids = { keyId: any['key-id'] ?? 0, valueId: any['value-id'] ?? 0 };
      return { kind: 'map', ...ids, key: 'string', value: typeOf(value.schema, where), valueRequired: !value.isOptional };
    }
    case 'fixed':
      if (any.logicalType === 'uuid') return 'uuid';
      if (any.logicalType === 'decimal') return `decimal(${any.precision ?? 0}, ${any.scale ?? 0})`;
      return `fixed[${any.size ?? 0}]`;
    default:
      return typeof any.type === 'string' ? annotated(any, any.type, where) : typeOf(any.type as AvroSchema, where);
  }
}

function arrayType(any: AnySchema, where: string): Type {
  const element = withoutNull(any.items ?? 'null');
  const pair = (element.schema as AnySchema).fields;
  if (any.logicalType === 'map' && pair?.length === 2) {
    const [key, value] = pair.map(fieldOf) as [NestedField, NestedField];
    return { kind: 'map', keyId: key.id, key: key.type, valueId: value.id, value: value.type, valueRequired: value.required };
  }
  const type = typeOf(element.schema, where);
  return { kind: 'list', elementId: any['element-id'] ?? 0, element: type, elementRequired: !element.isOptional };
}

function annotated(any: AnySchema, type: string, where: string): PrimitiveType {
  const zone = any['adjust-to-utc'] === true ? 'timestamptz' : 'timestamp';
  switch (any.logicalType) {
    case 'date':
      return 'date';
    case 'time-micros':
      return 'time';
    case 'timestamp-micros':
      return zone;
    case 'timestamp-nanos':
      return `${zone}_ns`;
    case 'decimal':
      return `decimal(${any.precision ?? 0}, ${any.scale ?? 0})`;
    default:
      return primitive(type, where);
  }
}

function primitive(type: string, where: string): PrimitiveType {
  const found = primitives[type];
  if (found === undefined) throw damaged(`the column ${where} is of the Avro type ${type}, which no column can be`);
  return found;
}
