import type {
  DuckDBArrayType,
  DuckDBDecimalType,
  DuckDBListType,
  DuckDBMapType,
  DuckDBStructType,
  DuckDBType,
} from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { NestedField, PrimitiveType, Type } from '../iceberg/type.ts';
import { decimalParts, fixedLength } from '../iceberg/type.ts';
import { quoteIdentifier } from './quote.ts';

const primitiveText: Partial<Record<PrimitiveType, string>> = {
  boolean: 'BOOLEAN',
  int: 'INTEGER',
  long: 'BIGINT',
  float: 'FLOAT',
  double: 'DOUBLE',
  date: 'DATE',
  time: 'TIME',
  timestamp: 'TIMESTAMP',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  timestamp_ns: 'TIMESTAMP_NS',
  // DuckDB 1.5 has no nanoseconds with a zone. It runs in UTC, so the instant is the same.
  timestamptz_ns: 'TIMESTAMP_NS',
  string: 'VARCHAR',
  uuid: 'UUID',
  binary: 'BLOB',
  // Holds nulls alone; DuckDB's own `"NULL"` turns into this too.
  unknown: 'INTEGER',
};

/** The DuckDB type that holds an Iceberg type's values without loss, as SQL text. Fixed is BLOB: its length is not checked. */
export function duckDbTypeText(type: Type): string {
  if (typeof type === 'string') {
    const decimal = decimalParts(type);
    if (decimal !== null) return `DECIMAL(${decimal.precision}, ${decimal.scale})`;
    if (fixedLength(type) !== null) return 'BLOB';
    const text = primitiveText[type];
    if (text === undefined) throw new IcecoreError('BAD_USER_INPUT', `The type ${type} is none that the SQL engine knows.`);
    return text;
  }
  switch (type.kind) {
    case 'list':
      return `${duckDbTypeText(type.element)}[]`;
    case 'map':
      return `MAP(${duckDbTypeText(type.key)}, ${duckDbTypeText(type.value)})`;
    case 'struct':
      return `STRUCT(${type.fields.map((field) => `${quoteIdentifier(field.name)} ${duckDbTypeText(field.type)}`).join(', ')})`;
  }
}

const primitiveOf: Partial<Record<DuckDBTypeId, PrimitiveType>> = {
  [DuckDBTypeId.BOOLEAN]: 'boolean',
  [DuckDBTypeId.TINYINT]: 'int',
  [DuckDBTypeId.SMALLINT]: 'int',
  [DuckDBTypeId.INTEGER]: 'int',
  [DuckDBTypeId.UTINYINT]: 'int',
  [DuckDBTypeId.USMALLINT]: 'int',
  [DuckDBTypeId.UINTEGER]: 'long',
  [DuckDBTypeId.BIGINT]: 'long',
  [DuckDBTypeId.UBIGINT]: 'decimal(20, 0)',
  // The sum of longs. Of its 39 digits the greatest lie beyond an Iceberg decimal; they are refused where they are written.
  [DuckDBTypeId.HUGEINT]: 'decimal(38, 0)',
  [DuckDBTypeId.UHUGEINT]: 'decimal(38, 0)',
  [DuckDBTypeId.FLOAT]: 'float',
  [DuckDBTypeId.DOUBLE]: 'double',
  [DuckDBTypeId.DATE]: 'date',
  [DuckDBTypeId.TIME]: 'time',
  [DuckDBTypeId.TIMESTAMP]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_S]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_MS]: 'timestamp',
  [DuckDBTypeId.TIMESTAMP_NS]: 'timestamp_ns',
  [DuckDBTypeId.TIMESTAMP_TZ]: 'timestamptz',
  [DuckDBTypeId.VARCHAR]: 'string',
  [DuckDBTypeId.ENUM]: 'string',
  [DuckDBTypeId.UUID]: 'uuid',
  [DuckDBTypeId.BLOB]: 'binary',
  [DuckDBTypeId.SQLNULL]: 'unknown',
};

/**
 * The Iceberg type of a result's column. Nested ids come from `assignId`, level by level; everything is optional.
 * Throws BAD_USER_INPUT for types that a table cannot hold, such as INTERVAL, naming the cast that would do.
 */
export function icebergType(type: DuckDBType, column: string, assignId: () => number): Type {
  switch (type.typeId) {
    case DuckDBTypeId.DECIMAL: {
      const { width, scale } = type as DuckDBDecimalType;
      return `decimal(${width}, ${scale})`;
    }
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY: {
      const elementId = assignId();
      const element = icebergType((type as DuckDBListType | DuckDBArrayType).valueType, column, assignId);
      return { kind: 'list', elementId, element, elementRequired: false };
    }
    case DuckDBTypeId.MAP: {
      const { keyType, valueType } = type as DuckDBMapType;
      const [keyId, valueId] = [assignId(), assignId()];
      const key = icebergType(keyType, column, assignId);
      return { kind: 'map', keyId, key, valueId, value: icebergType(valueType, column, assignId), valueRequired: false };
    }
    case DuckDBTypeId.STRUCT: {
      const { entryNames, entryTypes } = type as DuckDBStructType;
      const ids = entryNames.map(() => assignId());
      return {
        kind: 'struct',
        fields: entryTypes.map((entryType, index) => ({
          id: ids[index] ?? 0,
          name: entryNames[index] ?? '',
          type: icebergType(entryType, column, assignId),
          required: false,
        })),
      };
    }
    default: {
      const primitive = primitiveOf[type.typeId];
      if (primitive !== undefined) return primitive;
      throw new IcecoreError(
        'BAD_USER_INPUT',
        `The column "${column}" is of the SQL type ${type}, which no table can hold. Cast it, for instance to VARCHAR.`,
      );
    }
  }
}

/** The columns of a result as optional Iceberg fields, ids from 1. */
export function icebergFields(names: readonly string[], types: readonly DuckDBType[]): readonly NestedField[] {
  let nextId = types.length + 1;
  return types.map((type, index) => {
    const name = names[index] ?? '';
    return { id: index + 1, name, type: icebergType(type, name, () => nextId++), required: false };
  });
}
