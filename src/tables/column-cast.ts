import type { DuckDBDecimalType, DuckDBListType, DuckDBMapType, DuckDBStructType, DuckDBType } from '@duckdb/node-api';
import { DuckDBTypeId } from '@duckdb/node-api';
import { decimalParts, type Type } from '../iceberg/type.ts';

const integers: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.TINYINT,
  DuckDBTypeId.SMALLINT,
  DuckDBTypeId.INTEGER,
  DuckDBTypeId.BIGINT,
  DuckDBTypeId.HUGEINT,
  DuckDBTypeId.UTINYINT,
  DuckDBTypeId.USMALLINT,
  DuckDBTypeId.UINTEGER,
  DuckDBTypeId.UBIGINT,
  DuckDBTypeId.UHUGEINT,
]);
const instants: ReadonlySet<DuckDBTypeId> = new Set([
  DuckDBTypeId.DATE,
  DuckDBTypeId.TIMESTAMP,
  DuckDBTypeId.TIMESTAMP_S,
  DuckDBTypeId.TIMESTAMP_MS,
  DuckDBTypeId.TIMESTAMP_NS,
  DuckDBTypeId.TIMESTAMP_TZ,
]);

/**
 * Whether values of a result's type may be written to a column of an Iceberg type by a cast: of the same kind, and where a value does
 * not fit, the cast fails rather than changes it. Text is never read as something else, and a fraction never becomes an integer.
 */
export function canCast(from: DuckDBType, to: Type): boolean {
  const { typeId } = from;
  if (typeId === DuckDBTypeId.SQLNULL) return true;
  if (typeof to !== 'string') {
    switch (to.kind) {
      case 'list':
        return (
          (typeId === DuckDBTypeId.LIST || typeId === DuckDBTypeId.ARRAY) &&
          canCast((from as DuckDBListType).valueType, to.element)
        );
      case 'map': {
        if (typeId !== DuckDBTypeId.MAP) return false;
        const map = from as DuckDBMapType;
        return canCast(map.keyType, to.key) && canCast(map.valueType, to.value);
      }
      case 'struct': {
        if (typeId !== DuckDBTypeId.STRUCT) return false;
        const struct = from as DuckDBStructType;
        return struct.entryNames.every((name, index) => {
          const field = to.fields.find((candidate) => candidate.name === name);
          const type = struct.entryTypes[index];
          return field !== undefined && type !== undefined && canCast(type, field.type);
        });
      }
    }
  }
  const decimal = decimalParts(to);
  switch (to) {
    case 'boolean':
      return typeId === DuckDBTypeId.BOOLEAN;
    case 'int':
    case 'long':
      return integers.has(typeId);
    case 'float':
    case 'double':
      return (
        integers.has(typeId) || typeId === DuckDBTypeId.FLOAT || typeId === DuckDBTypeId.DOUBLE || typeId === DuckDBTypeId.DECIMAL
      );
    case 'date':
      return typeId === DuckDBTypeId.DATE;
    case 'time':
      return typeId === DuckDBTypeId.TIME;
    // Timestamps without a zone are UTC (semantics, section 1).
    case 'timestamp':
    case 'timestamptz':
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return instants.has(typeId);
    case 'string':
      return typeId === DuckDBTypeId.VARCHAR || typeId === DuckDBTypeId.ENUM;
    case 'uuid':
      return typeId === DuckDBTypeId.UUID;
    case 'unknown':
      return false;
    default:
      return decimal === null ? typeId === DuckDBTypeId.BLOB : integers.has(typeId) || fewerDigits(from, decimal.scale);
  }
}

/** A cast to a smaller scale would round. */
function fewerDigits(from: DuckDBType, scale: number): boolean {
  return from.typeId === DuckDBTypeId.DECIMAL && (from as DuckDBDecimalType).scale <= scale;
}
