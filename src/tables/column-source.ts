import { type DuckDBConnection, type DuckDBType, DuckDBTypeId, SQLNULL } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { NestedField } from '../iceberg/type.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import { duckDbError } from '../sql/duckdb-error.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { quoteIdentifier, quoteText } from '../sql/quote.ts';
import { canCast } from './column-cast.ts';

/**
 * A SELECT that gives a relation's rows in a table's columns and types, columns that the relation lacks as null. Throws BAD_USER_INPUT
 * for a column that the table does not have, one whose type cannot be written, and a required one that is missing.
 */
export async function tableColumnsSql(connection: DuckDBConnection, relation: string, schema: Schema): Promise<string> {
  const given = await relationColumns(connection, relation);
  for (const name of given.keys()) {
    if (schema.fields.some((field) => field.name === name)) continue;
    const columns = schema.fields.map((field) => field.name).join(', ');
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `The rows have a column "${name}" that the table has not. Its columns: ${columns}.`,
      {
        context: { column: name },
      },
    );
  }
  const columns: string[] = [];
  for (const field of schema.fields) {
    if (field.type === 'unknown') continue;
    const type = given.get(field.name);
    const isNull =
      type !== undefined && !canCast(type, field.type) && (await isNothingButNull(connection, relation, field, type));
    columns.push(columnSql(field, isNull ? SQLNULL : type));
  }
  return `SELECT ${columns.join(', ')} FROM ${relation} AS given`;
}

/** The names and types of a relation's columns, in order. Throws BAD_USER_INPUT where it is no relation. */
export async function relationColumns(connection: DuckDBConnection, relation: string): Promise<ReadonlyMap<string, DuckDBType>> {
  try {
    const statement = await connection.prepare(`SELECT * FROM ${relation} AS given`);
    try {
      return new Map(
        Array.from({ length: statement.columnCount }, (_, index) => [statement.columnName(index), statement.columnType(index)]),
      );
    } finally {
      statement.destroySync();
    }
  } catch (error) {
    throw duckDbError(error, 'The source of the rows');
  }
}

/** DuckDB says INTEGER of a bare NULL, until it is asked for a row. */
async function isNothingButNull(
  connection: DuckDBConnection,
  relation: string,
  field: NestedField,
  type: DuckDBType,
): Promise<boolean> {
  if (type.typeId !== DuckDBTypeId.INTEGER) return false;
  const reader = await connection.runAndReadAll(
    `SELECT typeof(given.${quoteIdentifier(field.name)}) FROM ${relation} AS given LIMIT 1`,
  );
  return reader.getRows()[0]?.[0] === '"NULL"';
}

function columnSql(field: NestedField, type: DuckDBType | undefined): string {
  const name = quoteIdentifier(field.name);
  const wanted = duckDbTypeText(field.type);
  if (type === undefined) {
    if (field.required) {
      throw new IcecoreError('BAD_USER_INPUT', `Column "${field.name}" is required, and the rows have none of that name.`, {
        context: { column: field.name },
      });
    }
    return `CAST(NULL AS ${wanted}) AS ${name}`;
  }
  if (!canCast(type, field.type)) {
    throw new IcecoreError(
      'BAD_USER_INPUT',
      `Column "${field.name}" is ${printTypeText(field.type)}, and the rows have it as ${type}. Cast it in the source, if that is meant.`,
      { context: { column: field.name } },
    );
  }
  const losesNanos = type.typeId === DuckDBTypeId.TIMESTAMP_NS && (field.type === 'timestamp' || field.type === 'timestamptz');
  if (!losesNanos) return `CAST(given.${name} AS ${wanted}) AS ${name}`;
  const message = quoteText(`Column "${field.name}" keeps microseconds, and a value has nanoseconds; round it in the source.`);
  const inRange = `epoch_ns(given.${name}) % 1000 = 0 OR given.${name} IS NULL`;
  return `CAST(CASE WHEN ${inRange} THEN given.${name} ELSE error(${message}) END AS ${wanted}) AS ${name}`;
}
