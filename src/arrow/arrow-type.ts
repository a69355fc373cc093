import {
  Binary,
  Bool,
  type DataType,
  DateDay,
  Decimal,
  Field,
  FixedSizeBinary,
  Float32,
  Float64,
  Int32,
  Int64,
  List,
  Map_,
  Null,
  Schema,
  Struct,
  TimeMicrosecond,
  TimestampMicrosecond,
  TimestampNanosecond,
  Utf8,
} from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import { childFields } from '../iceberg/schema.ts';
import type { NestedField, PrimitiveType, Type } from '../iceberg/type.ts';
import { decimalParts, fixedLength } from '../iceberg/type.ts';

/** How PyArrow, Java and Parquet readers pass a column's id along. */
const fieldIdKey = 'PARQUET:field_id';
const extensionKey = 'ARROW:extension:name';

function primitiveArrowType(type: PrimitiveType): DataType {
  const decimal = decimalParts(type);
  if (decimal !== null) return new Decimal(decimal.scale, decimal.precision, 128);
  const length = fixedLength(type);
  if (length !== null) return new FixedSizeBinary(length);
  switch (type) {
    case 'boolean':
      return new Bool();
    case 'int':
      return new Int32();
    case 'long':
      return new Int64();
    case 'float':
      return new Float32();
    case 'double':
      return new Float64();
    case 'date':
      return new DateDay();
    case 'time':
      return new TimeMicrosecond();
    case 'timestamp':
      return new TimestampMicrosecond();
    case 'timestamptz':
      return new TimestampMicrosecond('UTC');
    case 'timestamp_ns':
      return new TimestampNanosecond();
    case 'timestamptz_ns':
      return new TimestampNanosecond('UTC');
    case 'string':
      return new Utf8();
    case 'uuid':
      return new FixedSizeBinary(16);
    case 'binary':
      return new Binary();
    case 'unknown':
      return new Null();
    default:
      throw new IcecoreError('INTERNAL', `The type ${type} has no Arrow type.`);
  }
}

/** The Arrow type of an Iceberg type, as PyIceberg maps it: instants in UTC, a uuid as 16 bytes. */
export function arrowType(type: Type): DataType {
  if (typeof type === 'string') return primitiveArrowType(type);
  const [first, second] = childFields(type).map(arrowField);
  switch (type.kind) {
    case 'struct':
      return new Struct(type.fields.map(arrowField));
    case 'list':
      return new List(first ?? new Field('element', new Null(), true));
    case 'map': {
      const entries = [first, second].filter((field) => field !== undefined);
      return new Map_(new Field('entries', new Struct(entries), false) as never, false);
    }
  }
}

function arrowField(field: NestedField): Field {
  const metadata = new Map([[fieldIdKey, String(field.id)]]);
  if (field.type === 'uuid') metadata.set(extensionKey, 'arrow.uuid').set('ARROW:extension:metadata', '');
  return new Field(field.name, arrowType(field.type), !field.required, metadata);
}

/** The Arrow schema of columns, each with its Iceberg id. `metadata` is the schema's own, such as `icecore.snapshot-id`. */
export function arrowSchema(fields: readonly NestedField[], metadata: ReadonlyMap<string, string> = new Map()): Schema {
  return new Schema(fields.map(arrowField), new Map(metadata));
}
