import { IcecoreError } from '../errors.ts';
import type { BoundExpression, ComparisonOperator } from '../iceberg/expression.ts';
import type { Schema } from '../iceberg/schema.ts';
import type { Literal, NestedField, PrimitiveType } from '../iceberg/type.ts';
import { literalSql } from './literal-sql.ts';
import { quoteIdentifier, quoteText } from './quote.ts';

interface Column {
  readonly sql: string;
  readonly type: PrimitiveType;
}

const operators: Readonly<Record<Exclude<ComparisonOperator, 'starts-with' | 'not-starts-with'>, string>> = {
  lt: '<',
  'lt-eq': '<=',
  gt: '>',
  'gt-eq': '>=',
  eq: '=',
  'not-eq': '<>',
};

/**
 * A bound predicate as DuckDB's SQL over the schema's column names, with typed literals: what filters rows exactly as the
 * predicate prunes files. `relation` is a quoted name to put before each column.
 */
export function predicateSql(schema: Schema, expression: BoundExpression, relation?: string): string {
  const columns = new Map<number, Column>();
  const visit = (fields: readonly NestedField[], parent: string | null) => {
    for (const { id, name, type } of fields) {
      const own = relation === undefined ? quoteIdentifier(name) : `${relation}.${quoteIdentifier(name)}`;
      const sql = parent === null ? own : `struct_extract(${parent}, ${quoteText(name)})`;
      // A struct can be asked whether it is null, and nothing else.
      columns.set(id, { sql, type: typeof type === 'string' ? type : 'unknown' });
      if (typeof type !== 'string' && type.kind === 'struct') visit(type.fields, sql);
    }
  };
  visit(schema.fields, null);
  return print(expression, (fieldId) => {
    const column = columns.get(fieldId);
    if (column !== undefined) return column;
    throw new IcecoreError('INTERNAL', `The predicate is about the column with id ${fieldId}, which the schema has not.`);
  });
}

function print(expression: BoundExpression, columnOf: (fieldId: number) => Column): string {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression.op;
    case 'and':
    case 'or':
      return `(${print(expression.left, columnOf)} ${expression.op.toUpperCase()} ${print(expression.right, columnOf)})`;
    case 'in':
    case 'not-in': {
      const { sql, type } = columnOf(expression.fieldId);
      const list = expression.literals.map((literal) => literalSql(type, literal)).join(', ');
      return `(${sql} ${expression.op === 'in' ? 'IN' : 'NOT IN'} (${list}))`;
    }
    case 'is-null':
      return `(${columnOf(expression.fieldId).sql} IS NULL)`;
    case 'not-null':
      return `(${columnOf(expression.fieldId).sql} IS NOT NULL)`;
    case 'is-nan':
      return `isnan(${columnOf(expression.fieldId).sql})`;
    case 'not-nan':
      return `(NOT isnan(${columnOf(expression.fieldId).sql}))`;
    default:
      return comparison(expression.op, columnOf(expression.fieldId), expression.literal);
  }
}

function comparison(op: ComparisonOperator, { sql, type }: Column, literal: Literal): string {
  const value = literalSql(type, literal);
  if (op === 'starts-with') return `starts_with(${sql}, ${value})`;
  if (op === 'not-starts-with') return `(NOT starts_with(${sql}, ${value}))`;
  return `(${sql} ${operators[op]} ${value})`;
}
