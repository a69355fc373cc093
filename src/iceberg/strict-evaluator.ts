import type { BoundExpression } from './expression.ts';
import { holdsOneOf, isConstantIn, mayStartWith, startsWith } from './inclusive-evaluator.ts';
import { compareLiterals } from './literal-order.ts';
import type { ValueRange } from './value-range.ts';

/** Whether every row matches, going by what is known of its columns; true only where all must. */
export function mustMatch(expression: BoundExpression, rangeOf: (fieldId: number) => ValueRange): boolean {
  switch (expression.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'and':
      return mustMatch(expression.left, rangeOf) && mustMatch(expression.right, rangeOf);
    case 'or':
      return mustMatch(expression.left, rangeOf) || mustMatch(expression.right, rangeOf);
    default:
  }
  const range = rangeOf(expression.fieldId);
  const { nulls, nans, lower, upper } = range;
  // A null matches no comparison, and bounds say nothing of NaN.
  const isBounded = nulls === 'none' && nans === 'none';
  switch (expression.op) {
    case 'is-null':
      return nulls === 'all';
    case 'not-null':
      return nulls === 'none';
    case 'is-nan':
      return nans === 'all';
    case 'not-nan':
      return isBounded;
    case 'lt':
      return isBounded && upper !== null && compareLiterals(upper, expression.literal) < 0;
    case 'lt-eq':
      return isBounded && upper !== null && compareLiterals(upper, expression.literal) <= 0;
    case 'gt':
      return isBounded && lower !== null && compareLiterals(lower, expression.literal) > 0;
    case 'gt-eq':
      return isBounded && lower !== null && compareLiterals(lower, expression.literal) >= 0;
    case 'eq':
      return isConstantIn(range, [expression.literal]);
    case 'in':
      return isConstantIn(range, expression.literals);
    case 'not-eq':
      return isBounded && !holdsOneOf(range, [expression.literal]);
    case 'not-in':
      return isBounded && !holdsOneOf(range, expression.literals);
    case 'starts-with':
      return isBounded && startsWith(lower, expression.literal) && startsWith(upper, expression.literal);
    case 'not-starts-with':
      return isBounded && !mayStartWith(range, String(expression.literal));
  }
}
