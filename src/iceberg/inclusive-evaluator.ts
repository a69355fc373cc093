import type { BoundExpression } from './expression.ts';
import { compareLiterals } from './literal-order.ts';
import type { Literal } from './type.ts';
import type { ValueRange } from './value-range.ts';

/**
 * Whether any row may match, going by what is known of its columns; false only where none can. It holds for SQL's rule that
 * null matches no comparison, and for Iceberg's own that null is unequal to everything. NaN counts as above all numbers,
 * though bounds leave it out.
 */
export function mayMatch(expression: BoundExpression, rangeOf: (fieldId: number) => ValueRange): boolean {
  switch (expression.op) {
    case 'true':
      return true;
    case 'false':
      return false;
    case 'and':
      return mayMatch(expression.left, rangeOf) && mayMatch(expression.right, rangeOf);
    case 'or':
      return mayMatch(expression.left, rangeOf) || mayMatch(expression.right, rangeOf);
    default:
  }
  const range = rangeOf(expression.fieldId);
  const { nulls, nans, lower, upper } = range;
  const isEmpty = nulls === 'all';
  switch (expression.op) {
    case 'is-null':
      return nulls !== 'none';
    case 'not-null':
      return !isEmpty;
    case 'is-nan':
      return nans !== 'none' && !isEmpty;
    case 'not-nan':
      return nans !== 'all' && !isEmpty;
    case 'lt':
      return !isEmpty && nans !== 'all' && (lower === null || compareLiterals(lower, expression.literal) < 0);
    case 'lt-eq':
      return !isEmpty && nans !== 'all' && (lower === null || compareLiterals(lower, expression.literal) <= 0);
    case 'gt':
      return !isEmpty && (nans !== 'none' || upper === null || compareLiterals(upper, expression.literal) > 0);
    case 'gt-eq':
      return !isEmpty && (nans !== 'none' || upper === null || compareLiterals(upper, expression.literal) >= 0);
    case 'eq':
      return !isEmpty && nans !== 'all' && holdsOneOf(range, [expression.literal]);
    case 'in':
      return !isEmpty && nans !== 'all' && holdsOneOf(range, expression.literals);
    case 'not-eq':
      return !isConstantIn(range, [expression.literal]);
    case 'not-in':
      return !isConstantIn(range, expression.literals);
    case 'starts-with':
      return !isEmpty && mayStartWith(range, String(expression.literal));
    case 'not-starts-with':
      return !(nulls === 'none' && startsWith(lower, expression.literal) && startsWith(upper, expression.literal));
  }
}

/** Whether one of the literals, which are sorted, lies within the bounds. */
export function holdsOneOf({ lower, upper }: ValueRange, literals: readonly Literal[]): boolean {
  const candidate = lower === null ? literals[0] : literals[firstNotBelow(literals, lower)];
  return candidate !== undefined && (upper === null || compareLiterals(candidate, upper) <= 0);
}

/** Where the first literal lies that is not below a value, in logarithmic time: an `in` may name thousands. */
function firstNotBelow(literals: readonly Literal[], value: Literal): number {
  let low = 0;
  let high = literals.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const literal = literals[middle];
    if (literal !== undefined && compareLiterals(literal, value) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Whether every row holds the same value, and it is one of the literals. Bounds that meet are exact, cut short or not. */
export function isConstantIn({ nulls, nans, lower, upper }: ValueRange, literals: readonly Literal[]): boolean {
  if (nulls !== 'none' || nans !== 'none' || lower === null || upper === null || compareLiterals(lower, upper) !== 0)
    return false;
  const candidate = literals[firstNotBelow(literals, lower)];
  return candidate !== undefined && compareLiterals(candidate, lower) === 0;
}

/** What begins with a prefix is not below it, and is below all that is above it and does not begin with it. */
export function mayStartWith({ lower, upper }: ValueRange, prefix: string): boolean {
  if (upper !== null && compareLiterals(upper, prefix) < 0) return false;
  return lower === null || compareLiterals(lower, prefix) <= 0 || startsWith(lower, prefix);
}

export function startsWith(value: Literal | null, prefix: Literal): boolean {
  return typeof value === 'string' && typeof prefix === 'string' && value.startsWith(prefix);
}
