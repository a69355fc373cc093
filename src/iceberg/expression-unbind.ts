import { IcecoreError } from '../errors.ts';
import type { BoundExpression, Expression, UnboundLiteral } from './expression.ts';
import { printJsonValue } from './json-value.ts';
import { columnPath, fieldById, type Schema } from './schema.ts';
import type { Literal, PrimitiveType } from './type.ts';

/**
 * A bound predicate by column names again, its literals as they are written in JSON (spec: Appendix D): binding it to the
 * same schema gives it back. Throws INTERNAL where it was bound to another schema.
 */
export function unbindExpression(schema: Schema, expression: BoundExpression): Expression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression;
    case 'and':
    case 'or':
      return {
        op: expression.op,
        left: unbindExpression(schema, expression.left),
        right: unbindExpression(schema, expression.right),
      };
    default:
  }
  const { fieldId } = expression;
  const type = fieldById(schema, fieldId)?.type;
  const column = columnPath(schema, fieldId);
  if (column === undefined || type === undefined) {
    throw new IcecoreError('INTERNAL', `The predicate is about column ${fieldId}, which its schema lacks.`);
  }
  if ('literal' in expression) return { op: expression.op, column, literal: written(type as PrimitiveType, expression.literal) };
  if ('literals' in expression) {
    return { op: expression.op, column, literals: expression.literals.map((literal) => written(type as PrimitiveType, literal)) };
  }
  return { op: expression.op, column };
}

/** Bytes in upper case, as the REST specification has them. */
function written(type: PrimitiveType, literal: Literal): UnboundLiteral {
  if (typeof literal === 'number' && !Number.isFinite(literal)) return literal;
  if (literal instanceof Uint8Array) return Buffer.from(literal).toString('hex').toUpperCase();
  return printJsonValue(type, literal) as UnboundLiteral;
}
