import { resolveColumn } from './column-name.ts';
import type { Expression, Term, UnboundLiteral } from './expression.ts';
import type { Schema } from './schema.ts';
import { transformResultType } from './transform.ts';
import { isPrimitive, type PrimitiveType } from './type.ts';

/**
 * A filter of the REST protocol with the integers of its time columns as bigints in the column's own unit, which binding
 * takes: clients send days for dates and microseconds for all else, nanosecond columns too, as the Java library reads them.
 * Throws BAD_USER_INPUT for a column that is not there.
 */
export function inColumnUnits(schema: Schema, expression: Expression, caseSensitive: boolean): Expression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression;
    case 'not':
      return { ...expression, child: inColumnUnits(schema, expression.child, caseSensitive) };
    case 'and':
    case 'or':
      return {
        ...expression,
        left: inColumnUnits(schema, expression.left, caseSensitive),
        right: inColumnUnits(schema, expression.right, caseSensitive),
      };
    default:
  }
  const convert = unitOf(comparedType(schema, expression, caseSensitive));
  if (convert === null) return expression;
  if ('literal' in expression) return { ...expression, literal: convert(expression.literal) };
  return 'literals' in expression ? { ...expression, literals: expression.literals.map(convert) } : expression;
}

function comparedType(schema: Schema, { column, transform }: Term, caseSensitive: boolean): PrimitiveType | null {
  const { type } = resolveColumn(schema, column, caseSensitive);
  if (!isPrimitive(type)) return null;
  return transform === undefined ? type : transformResultType(transform, type);
}

function unitOf(type: PrimitiveType | null): ((literal: UnboundLiteral) => UnboundLiteral) | null {
  switch (type) {
    case 'date':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return (literal) => scaled(literal, 1n);
    case 'timestamp_ns':
    case 'timestamptz_ns':
      return (literal) => scaled(literal, 1000n);
    default:
      return null;
  }
}

function scaled(literal: UnboundLiteral, factor: bigint): UnboundLiteral {
  if (typeof literal === 'bigint') return literal * factor;
  return typeof literal === 'number' && Number.isInteger(literal) ? BigInt(literal) * factor : literal;
}
