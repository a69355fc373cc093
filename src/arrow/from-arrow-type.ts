import { DataType, type Field, TimeUnit } from 'apache-arrow';
import { IcecoreError } from '../errors.ts';
import type { NestedField, PrimitiveType, Type } from '../iceberg/type.ts';

function refuse(type: DataType, column: string, hint: string): IcecoreError {
  return new IcecoreError(
    'BAD_USER_INPUT',
    `The column "${column}" is of the Arrow type ${type}, which no table can hold. ${hint}`,
  );
}

/**
 * The Iceberg type that holds an Arrow column's values without loss; small integers become int, unsigned ones the next wider.
 * Nested ids come from `assignId`. Throws BAD_USER_INPUT for types that have none.
 */
export function fromArrowType(field: Field, column: string, assignId: () => number): Type {
  const type: DataType = field.type;
  if (DataType.isDictionary(type)) return fromArrowType(field.clone({ type: type.dictionary }), column, assignId);
  if (DataType.isStruct(type)) {
    const ids = type.children.map(() => assignId());
    return {
      kind: 'struct',
      fields: type.children.map((child, index) => fromArrowField(child, ids[index] ?? 0, `${column}.${child.name}`, assignId)),
    };
  }
  const [child] = type.children ?? [];
  if (child !== undefined && (DataType.isList(type) || DataType.isLargeList(type) || DataType.isFixedSizeList(type))) {
    const elementId = assignId();
    const element = fromArrowType(child, `${column}[]`, assignId);
    return { kind: 'list', elementId, element, elementRequired: !child.nullable };
  }
  if (child !== undefined && DataType.isMap(type)) {
    const [keyId, valueId] = [assignId(), assignId()];
    const [key, value] = child.type.children;
    if (key === undefined || value === undefined) throw refuse(type, column, 'A map has keys and values.');
    return {
      kind: 'map',
      keyId,
      key: fromArrowType(key, `${column} key`, assignId),
      valueId,
      value: fromArrowType(value, `${column} value`, assignId),
      valueRequired: !value.nullable,
    };
  }
  return fromPrimitive(type, field.metadata.get('ARROW:extension:name') ?? '', column);
}

function fromPrimitive(type: DataType, extension: string, column: string): PrimitiveType {
  if (DataType.isNull(type)) return 'unknown';
  if (DataType.isBool(type)) return 'boolean';
  if (DataType.isInt(type)) {
    if (type.bitWidth === 64) return type.isSigned ? 'long' : 'decimal(20, 0)';
    return type.bitWidth === 32 && !type.isSigned ? 'long' : 'int';
  }
  if (DataType.isFloat(type)) return type.precision === 2 ? 'double' : 'float';
  if (DataType.isUtf8(type) || DataType.isLargeUtf8(type) || DataType.isUtf8View(type)) return 'string';
  if (DataType.isBinary(type) || DataType.isLargeBinary(type) || DataType.isBinaryView(type)) return 'binary';
  if (DataType.isFixedSizeBinary(type)) {
    return type.byteWidth === 16 && extension === 'arrow.uuid' ? 'uuid' : `fixed[${type.byteWidth}]`;
  }
  if (DataType.isDate(type)) return 'date';
  if (DataType.isTime(type)) {
    if (type.unit !== TimeUnit.NANOSECOND) return 'time';
    throw refuse(type, column, 'Cast it to time64[us].');
  }
  if (DataType.isTimestamp(type)) {
    const zone = (type.timezone ?? '') === '' ? '' : 'tz';
    return type.unit === TimeUnit.NANOSECOND ? `timestamp${zone}_ns` : `timestamp${zone}`;
  }
  if (
    DataType.isDecimal(type) &&
    type.bitWidth === 128 &&
    type.precision <= 38 &&
    type.scale >= 0 &&
    type.scale <= type.precision
  ) {
    return `decimal(${type.precision}, ${type.scale})`;
  }
  throw refuse(type, column, 'Cast it to a number, text, a date or a timestamp.');
}

function fromArrowField(field: Field, id: number, column: string, assignId: () => number): NestedField {
  return { id, name: field.name, type: fromArrowType(field, column, assignId), required: !field.nullable };
}

/** The columns of an Arrow schema as Iceberg fields, ids from 1; all optional, since a batch is checked when it is written. */
export function fromArrowFields(fields: readonly Field[]): readonly NestedField[] {
  let nextId = fields.length + 1;
  return fields.map((field, index) => ({
    ...fromArrowField(field, index + 1, field.name, () => nextId++),
    required: false,
  }));
}
