import type { DuckDBConnection } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { printIdentifier } from '../iceberg/identifier.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import { requireField } from '../iceberg/schema.ts';
import { isPrimitive, type NestedField } from '../iceberg/type.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import type { Table } from './table.ts';

/** The key columns by their names. Throws BAD_USER_INPUT where there is none, or one cannot identify rows. */
export function keyColumns(table: Table, names: readonly string[]): readonly NestedField[] {
  if (names.length === 0) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `UPSERT and DELETE need \`keys\`: the columns that identify a row of ${printIdentifier(table.identifier)}.`,
    );
  }
  return names.map((name) => {
    const field = requireField(currentSchema(table.metadata), name);
    if (isPrimitive(field.type) && field.type !== 'float' && field.type !== 'double' && !name.includes('.')) return field;
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Column "${name}" cannot be a key: keys are columns of their own, and no floating-point numbers.`,
    );
  });
}

/** Nulls are equal here, as in the table: a key with a null is a key. */
export function sameKey(left: string, right: string, keys: readonly NestedField[]): string {
  return keys
    .map(({ name }) => `${left}.${quoteIdentifier(name)} IS NOT DISTINCT FROM ${right}.${quoteIdentifier(name)}`)
    .join(' AND ');
}

/** Throws BAD_USER_INPUT, with one of the keys, where two rows have the same. */
export async function refuseDuplicateKeys(
  connection: DuckDBConnection,
  relation: string,
  keys: readonly NestedField[],
): Promise<void> {
  const names = keys.map(({ name }) => quoteIdentifier(name)).join(', ');
  try {
    const reader = await connection.runAndReadAll(
      `SELECT ${names} FROM ${relation} AS given GROUP BY ${names} HAVING count(*) > 1 LIMIT 1`,
    );
    const [twice] = reader.getRowObjectsJson();
    if (twice === undefined) return;
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The rows of an UPSERT have the key ${JSON.stringify(twice)} more than once; give each key one row.`,
      {
        context: { key: twice },
      },
    );
  } catch (error) {
    throw duckDbError(error, 'Looking at the keys of the rows');
  }
}
