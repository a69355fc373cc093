import type { BoundExpression, ComparisonOperator } from './expression.ts';
import { compareLiterals, isNanLiteral } from './literal-order.ts';
import type { Literal } from './type.ts';

/** The cell of a row in one column, by field id. */
export type RowCells = (fieldId: number) => Literal | null;

/**
 * Whether a row matches, as SQL counts it: a comparison with null is not true. NaN is above all numbers and equals none of
 * them, as in DuckDB and Spark.
 */
export function evaluateExpression(expression: BoundExpression, cells: RowCells): boolean {
  switch (expression.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'and':
      return evaluateExpression(expression.left, cells) && evaluateExpression(expression.right, cells);
    case 'or':
      return evaluateExpression(expression.left, cells) || evaluateExpression(expression.right, cells);
    default:
  }
  const value = cells(expression.fieldId);
  if (expression.op === 'is-null') return value === null;
  if (value === null) return false;
  switch (expression.op) {
    case 'not-null':
      return true;
    case 'is-nan':
      return isNanLiteral(value);
    case 'not-nan':
      return !isNanLiteral(value);
    default:
  }
  if ('literal' in expression) return compares(expression.op, value, expression.literal);
  if (!('literals' in expression)) return false;
  const isIn = expression.literals.some((literal) => compares('eq', value, literal));
  return isIn === (expression.op === 'in');
}

function compares(op: ComparisonOperator, value: Literal, literal: Literal): boolean {
  if (op === 'starts-with') return String(value).startsWith(String(literal));
  if (op === 'not-starts-with') return !String(value).startsWith(String(literal));
  const order = isNanLiteral(value) ? 1 : compareLiterals(value, literal);
  switch (op) {
    case 'lt':
      return order < 0;
    case 'lt-eq':
      return order <= 0;
    case 'gt':
      return order > 0;
    case 'gt-eq':
      return order >= 0;
    case 'eq':
      return order === 0;
    case 'not-eq':
      return order !== 0;
  }
}
