import type { DuckDBConnection, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import { DuckDBDataChunk } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import type { Schema } from '../iceberg/schema.ts';
import { duckDbTypeText } from './duckdb-type.ts';
import { fieldCells } from './json-cell.ts';
import { quoteIdentifier } from './quote.ts';

/** The rows of one of DuckDB's vectors. */
const chunkRows = 2048;

/** Makes an empty temporary table of a schema, nulls allowed where the schema allows them. */
export async function createTemporaryTable(connection: DuckDBConnection, tableName: string, schema: Schema): Promise<void> {
  const columns = schema.fields.map(
    (field) => `${quoteIdentifier(field.name)} ${duckDbTypeText(field.type)}${field.required ? ' NOT NULL' : ''}`,
  );
  await connection.run(`CREATE TEMP TABLE ${quoteIdentifier(tableName)} (${columns.join(', ')})`);
}

/**
 * Makes a temporary table of a schema's columns and fills it with JSON rows, objects keyed by column name in the contract's
 * forms, in their order. Gives the number of rows. Throws BAD_USER_INPUT with row (from 0), column and type where one does
 * not fit exactly; the table is then left to the end of the connection.
 */
export async function loadJsonRows(
  connection: DuckDBConnection,
  tableName: string,
  schema: Schema,
  rows: readonly unknown[],
): Promise<number> {
  await createTemporaryTable(connection, tableName, schema);
  const appender = await connection.createAppender(tableName, 'main', 'temp');
  try {
    const types = schema.fields.map((_field, index) => appender.columnType(index));
    for (let from = 0; from < rows.length; from += chunkRows) {
      appender.appendDataChunk(chunkOf(rows.slice(from, from + chunkRows), from, schema, types));
    }
    appender.flushSync();
  } finally {
    appender.closeSync();
  }
  return rows.length;
}

function chunkOf(rows: readonly unknown[], firstRow: number, schema: Schema, types: readonly DuckDBType[]): DuckDBDataChunk {
  const columns: DuckDBValue[][] = schema.fields.map(() => []);
  for (const [index, row] of rows.entries()) {
    const where = `Row ${firstRow + index}`;
    if (typeof row !== 'object' || row === null || Array.isArray(row)) {
      throw new IcecoreError('BAD_USER_INPUT', `${where} must be an object keyed by column name.`);
    }
    const cells = fieldCells(row as Record<string, unknown>, schema.fields, (name) => `${where}, column "${name}"`, where);
    for (const [column, field] of schema.fields.entries()) columns[column]?.push(cells[field.name] ?? null);
  }
  const chunk = DuckDBDataChunk.create(types, rows.length);
  chunk.setColumns(columns);
  return chunk;
}
