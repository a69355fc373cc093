import type { DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { BIGINT, BOOLEAN, DOUBLE, DuckDBListValue, HUGEINT, INTEGER, LIST, SQLNULL, VARCHAR } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';

export interface QueryParameter {
  readonly value: DuckDBValue;
  readonly type: DuckDBType;
}

/**
 * A JSON value as a statement's parameter: booleans, numbers, strings, null, and lists of one kind of them. Longs that JSON
 * carries as strings are strings here too, and compare with a column of longs. Throws BAD_USER_INPUT for objects.
 */
export function queryParameter(value: unknown, number: number): QueryParameter {
  if (value === null || value === undefined) return { value: null, type: SQLNULL };
  if (typeof value === 'boolean') return { value, type: BOOLEAN };
  if (typeof value === 'string') return { value, type: VARCHAR };
  if (typeof value === 'number') return numberParameter(value);
  if (typeof value === 'bigint') return { value, type: BigInt.asIntN(64, value) === value ? BIGINT : HUGEINT };
  if (Array.isArray(value)) {
    const items = value.map((item) => queryParameter(item, number));
    const type = items.map((item) => item.type).reduce(widest, SQLNULL);
    const isUniform = items.every(
      (item) => item.value === null || item.type === type || (isNumeric(item.type) && isNumeric(type)),
    );
    if (isUniform) return { value: new DuckDBListValue(items.map((item) => numberAs(item.value, type))), type: LIST(type) };
  }
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `Parameter ${number} must be a boolean, a number, a string, null, or a list of one of these.`,
  );
}

function numberParameter(value: number): QueryParameter {
  if ((value | 0) === value) return { value, type: INTEGER };
  if (Number.isSafeInteger(value)) return { value: BigInt(value), type: BIGINT };
  return { value, type: DOUBLE };
}

const widths: readonly DuckDBType[] = [SQLNULL, INTEGER, BIGINT, HUGEINT, DOUBLE];
const isNumeric = (type: DuckDBType) => widths.includes(type) && type !== SQLNULL;

function widest(left: DuckDBType, right: DuckDBType): DuckDBType {
  if (right === SQLNULL) return left;
  return widths.indexOf(left) > widths.indexOf(right) && isNumeric(right) ? left : right;
}

function numberAs(value: DuckDBValue, type: DuckDBType): DuckDBValue {
  if (type === DOUBLE && typeof value === 'bigint') return Number(value);
  return (type === BIGINT || type === HUGEINT) && typeof value === 'number' ? BigInt(value) : value;
}
