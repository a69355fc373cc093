import { Refusal } from '../refusal.ts';
import { type ArrowField, arrowType } from './arrow-schema.ts';
import type { FlatTable } from './flat-table.ts';
import { bool, i32, struct, type ThriftFields, type ThriftValue, text } from './thrift-writer.ts';

/** `Type` of Parquet. */
export const physical = { boolean: 0, int32: 1, int64: 2, float: 4, double: 5, byteArray: 6, fixed: 7 } as const;
export const repetition = { required: 0, optional: 1, repeated: 2 } as const;

/** What Parquet stores a column's values as. */
export interface ParquetType {
  readonly physical: number;
  /** Bytes of a value of a fixed length. */
  readonly length?: number;
  /** Members of its `SchemaElement` that say what the values mean. */
  readonly annotation: ThriftFields;
}

/** Members of a schema element that give a nested column its meaning. */
export const listAnnotation: ThriftFields = { 6: i32(3), 10: struct({ 3: struct({}) }) };
export const mapAnnotation: ThriftFields = { 6: i32(1), 10: struct({ 2: struct({}) }) };

/** Throws Refusal for a type that a feed does not bring today. */
export function parquetType(field: ArrowField): ParquetType {
  const { type, details, metadata } = field;
  if (type === arrowType.null) return plain(physical.int32, { 10: struct({ 11: struct({}) }) });
  if (type === arrowType.bool) return plain(physical.boolean);
  if (type === arrowType.utf8) return plain(physical.byteArray, { 6: i32(0), 10: struct({ 1: struct({}) }) });
  if (type === arrowType.binary) return plain(physical.byteArray);
  if (details === null || field.isDictionary) throw unknownType(field);
  switch (type) {
    case arrowType.int:
      if (details.byte(1) === 1 && details.int(0) === 32) return plain(physical.int32);
      if (details.byte(1) === 1 && details.int(0) === 64) return plain(physical.int64);
      break;
    case arrowType.floatingPoint:
      if (details.short(0) === 1) return plain(physical.float);
      if (details.short(0) === 2) return plain(physical.double);
      break;
    case arrowType.date:
      if (details.short(0, 1) === 0) return plain(physical.int32, { 6: i32(6), 10: struct({ 6: struct({}) }) });
      break;
    case arrowType.time:
      if (details.short(0, 1) === 2) return plain(physical.int64, { 6: i32(8), 10: struct({ 7: clock(false, 2) }) });
      break;
    case arrowType.timestamp:
      return timestamp(field, details);
    case arrowType.decimal:
      return decimal(details);
    case arrowType.fixedSizeBinary: {
      const annotation = metadata.get('ARROW:extension:name') === 'arrow.uuid' ? { 10: struct({ 14: struct({}) }) } : {};
      return { physical: physical.fixed, length: details.int(0), annotation };
    }
  }
  throw unknownType(field);
}

function timestamp(field: ArrowField, details: FlatTable): ParquetType {
  const isInstant = details.text(1) !== null;
  const unit = details.short(0);
  if (unit === 2) return plain(physical.int64, { 6: i32(10), 10: struct({ 8: clock(isInstant, 2) }) });
  if (unit === 3) return plain(physical.int64, { 10: struct({ 8: clock(isInstant, 3) }) });
  throw unknownType(field);
}

/** As few bytes as hold the precision (Parquet: "DECIMAL"). */
function decimal(details: FlatTable): ParquetType {
  const [precision, scale] = [details.int(0), details.int(1)];
  let length = 1;
  while (2n ** BigInt(8 * length - 1) <= 10n ** BigInt(precision) - 1n) length++;
  const logical = struct({ 5: struct({ 1: i32(scale), 2: i32(precision) }) });
  return { physical: physical.fixed, length, annotation: { 6: i32(5), 7: i32(scale), 8: i32(precision), 10: logical } };
}

/** `TimeType` and `TimestampType`: whether it is an instant, and the unit's place in its union. */
function clock(isInstant: boolean, unit: number): ThriftValue {
  return struct({ 1: bool(isInstant), 2: struct({ [unit]: struct({}) }) });
}

function plain(type: number, annotation: ThriftFields = {}): ParquetType {
  return { physical: type, annotation };
}

/** A `SchemaElement`; a group where it has children. */
export function schemaElement(
  field: Pick<ArrowField, 'name' | 'metadata'>,
  repeats: number,
  {
    type,
    children,
    annotation = {},
  }: { readonly type?: ParquetType; readonly children?: number; readonly annotation?: ThriftFields },
): ThriftValue {
  const id = field.metadata.get('PARQUET:field_id');
  return struct({
    1: type === undefined ? undefined : i32(type.physical),
    2: type?.length === undefined ? undefined : i32(type.length),
    3: i32(repeats),
    4: text(field.name),
    5: children === undefined ? undefined : i32(children),
    9: id === undefined ? undefined : i32(Number(id)),
    ...(type?.annotation ?? annotation),
  });
}

function unknownType({ name, type }: ArrowField): Refusal {
  return new Refusal(
    `Column ${name} is of an Arrow type (${type}) that is not written to Parquet: take a name that ends in .arrow.`,
    'FAILED_PRECONDITION',
  );
}
