import type { DuckDBType } from '@duckdb/node-api';
import { IcecoreError } from '../errors.ts';
import { currentSchema } from '../iceberg/metadata.ts';
import type { Schema } from '../iceberg/schema.ts';
import { printTypeText } from '../iceberg/type-text.ts';
import type { DuckDb } from '../sql/duckdb.ts';
import { duckDbTypeText } from '../sql/duckdb-type.ts';
import { withSelect } from '../sql/query.ts';
import { quoteIdentifier } from '../sql/quote.ts';
import { type ParsedSelect, parseSelect } from '../sql/select.ts';
import { canCast } from '../tables/column-cast.ts';
import type { Tables } from '../tables/tables.ts';

/** What runs definitions; its arithmetic is part of their meaning (semantics, section 10). */
export const definitionEngine = 'duckdb 1.5.5';

/**
 * Reads a feature table's definition and checks it against the tables as they are: a single harmless SELECT over tables that exist, not
 * over the feature table itself, that gives the feature table's columns. Throws BAD_USER_INPUT and NOT_FOUND.
 */
export async function checkDefinition(
  db: DuckDb,
  tables: Tables,
  featureTable: string,
  schema: Schema,
  definition: string,
  signal?: AbortSignal,
): Promise<ParsedSelect> {
  const select = await parseSelect(db, definition, signal);
  if (select.parameterCount > 0) throw refuse(featureTable, 'takes parameters; write the values into it');
  const fields = await selectColumns(db, tables, select, signal);
  for (const given of fields) {
    if (!schema.fields.some((field) => field.name === given.name)) {
      throw refuse(featureTable, `gives a column ${given.name} that the table has not. It has ${names(schema.fields)}`);
    }
  }
  for (const field of schema.fields) {
    const given = fields.find((candidate) => candidate.name === field.name);
    if (given === undefined && !field.required) continue;
    if (given === undefined) throw refuse(featureTable, `lacks the required column ${field.name}; it gives ${names(fields)}`);
    if (canCast(given.type, field.type)) continue;
    throw refuse(
      featureTable,
      `gives ${field.name} as ${given.type}, and the table has it as ${printTypeText(field.type)}. Cast it, if that is meant`,
    );
  }
  return select;
}

function names(columns: readonly { readonly name: string }[]): string {
  return columns.map((column) => column.name).join(', ');
}

function refuse(featureTable: string, reason: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `The definition of ${featureTable} ${reason}.`, { context: { featureTable } });
}

/** A column of a SELECT, of a type of the engine. */
export interface SelectColumn {
  readonly name: string;
  readonly type: DuckDBType;
}

/** The columns that a SELECT gives, by the current columns of its tables, or those at the point it names; no data is read. */
export async function selectColumns(
  db: DuckDb,
  tables: Tables,
  select: ParsedSelect,
  signal?: AbortSignal,
): Promise<readonly SelectColumn[]> {
  const relations: string[] = [];
  for (const { identifier } of select.references) {
    relations.push(emptyRelationSql(currentSchema((await tables.load(identifier)).metadata)));
  }
  return await withSelect(db, { select, relations }, signal === undefined ? {} : { signal }, async (connection, sql) => {
    const statement = await connection.prepare(sql);
    try {
      const columns = Array.from({ length: statement.columnCount }, (_, index) => index);
      return columns.map((index) => ({ name: statement.columnName(index), type: statement.columnType(index) }));
    } finally {
      statement.destroySync();
    }
  });
}

function emptyRelationSql(schema: Schema): string {
  const columns = schema.fields.map((field) => `CAST(NULL AS ${duckDbTypeText(field.type)}) AS ${quoteIdentifier(field.name)}`);
  return `SELECT ${columns.join(', ')} WHERE false`;
}
