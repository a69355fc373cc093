import { IcecoreError } from '../errors.ts';
import { expressionDepthMax } from '../limits.ts';
import { resolveColumn } from './column-name.ts';
import type {
  BoundExpression,
  ComparisonOperator,
  ComparisonPredicate,
  Expression,
  SetPredicate,
  Term,
  UnaryOperator,
  UnaryPredicate,
} from './expression.ts';
import { type LiteralPlace, placeLiteral } from './literal-coercion.ts';
import { compareLiterals } from './literal-order.ts';
import { columnPath, isSingleValued, type Schema } from './schema.ts';
import { canTransform, parseTransform, transformResultType } from './transform.ts';
import { onColumn } from './transform-predicate.ts';
import { isPrimitive, type Literal, type NestedField, type PrimitiveType } from './type.ts';
import { printTypeText } from './type-text.ts';

export interface BindOptions {
  readonly caseSensitive: boolean;
  /**
   * Called for a predicate on a transform that cannot be said of its column, such as a bucket's number; it then counts as
   * true, so that what is bound holds of more rows. Without it such a predicate is refused.
   */
  readonly widened?: () => void;
}

const always = { op: 'true' } as const;
const never = { op: 'false' } as const;

/**
 * The predicate bound to a schema's field ids and types, `not` pushed down to its leaves, what cannot be otherwise folded to
 * true or false. As in SQL, a comparison with a null matches no row, negated or not; so "x < 3,000,000,000" of an int becomes
 * "x is not null". Throws BAD_USER_INPUT for a column that is not there and for a literal that its type cannot be compared with.
 */
export function bindExpression(
  schema: Schema,
  expression: Expression,
  options: BindOptions = { caseSensitive: true },
): BoundExpression {
  return bind({ schema, options }, expression, false);
}

interface Binding {
  readonly schema: Schema;
  readonly options: BindOptions;
}

function bind(binding: Binding, expression: Expression, isNegated: boolean): BoundExpression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return (expression.op === 'true') === isNegated ? never : always;
    case 'not':
      return bind(binding, expression.child, !isNegated);
    case 'and':
    case 'or': {
      const left = bind(binding, expression.left, isNegated);
      const right = bind(binding, expression.right, isNegated);
      return (expression.op === 'and') === isNegated ? or(left, right) : and(left, right);
    }
    case 'is-null':
    case 'not-null':
    case 'is-nan':
    case 'not-nan':
      return bindUnary(binding, isNegated ? { ...expression, op: negatedUnary[expression.op] } : expression);
    case 'in':
    case 'not-in':
      return bindSet(binding, (expression.op === 'in') !== isNegated, expression);
    default:
      return bindComparison(binding, isNegated ? { ...expression, op: negatedComparison[expression.op] } : expression);
  }
}

const negatedUnary: Readonly<Record<UnaryOperator, UnaryOperator>> = {
  'is-null': 'not-null',
  'not-null': 'is-null',
  'is-nan': 'not-nan',
  'not-nan': 'is-nan',
};

const negatedComparison: Readonly<Record<ComparisonOperator, ComparisonOperator>> = {
  lt: 'gt-eq',
  'gt-eq': 'lt',
  gt: 'lt-eq',
  'lt-eq': 'gt',
  eq: 'not-eq',
  'not-eq': 'eq',
  'starts-with': 'not-starts-with',
  'not-starts-with': 'starts-with',
};

/** Both; true and false are taken out. */
export function and(left: BoundExpression, right: BoundExpression): BoundExpression {
  if (left.op === 'false' || right.op === 'false') return never;
  if (left.op === 'true') return right;
  return right.op === 'true' ? left : { op: 'and', left, right };
}

/** Either; true and false are taken out. */
export function or(left: BoundExpression, right: BoundExpression): BoundExpression {
  if (left.op === 'true' || right.op === 'true') return always;
  if (left.op === 'false') return right;
  return right.op === 'false' ? left : { op: 'or', left, right };
}

function findColumn({ schema, options }: Binding, name: string): NestedField {
  const field = resolveColumn(schema, name, options.caseSensitive);
  if (isSingleValued(schema, field.id)) return field;
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The column ${columnPath(schema, field.id)} lies in a list or map: a row holds many of it, and no predicate can be about it.`,
  );
}

function bindUnary(binding: Binding, { op, column, transform }: UnaryPredicate): BoundExpression {
  const field = findColumn(binding, column);
  if (transform !== undefined) {
    const { kind } = parseTransform(transform);
    if (kind === 'void' || kind === 'unknown') return widen(binding, { column, transform });
  }
  // The transforms of floating-point columns are void and identity alone.
  const hasNan = field.type === 'float' || field.type === 'double';
  if (op === 'is-nan' && !hasNan) return never;
  if (op === 'not-nan' && !hasNan) return { op: 'not-null', fieldId: field.id };
  return { op, fieldId: field.id };
}

function widen({ options }: Binding, { column, transform }: Term): BoundExpression {
  if (options.widened === undefined) {
    throw new IcecoreError('BAD_USER_INPUT', `${transform} of ${column} cannot be compared with anything here.`);
  }
  options.widened();
  return always;
}

/** A column that literals can be compared with, and its type. */
function findPrimitive(binding: Binding, column: string): { readonly fieldId: number; readonly type: PrimitiveType } {
  const { id, type } = findColumn(binding, column);
  if (isPrimitive(type)) return { fieldId: id, type };
  throw new IcecoreError(
    'BAD_USER_INPUT',
    `The column ${column} is a ${printTypeText(type)}: it can be compared with nothing. Name a field within it.`,
  );
}

function bindComparison(binding: Binding, predicate: ComparisonPredicate): BoundExpression {
  if (predicate.transform !== undefined) return bindTransform(binding, predicate, predicate.transform);
  const { op, column, literal } = predicate;
  const { fieldId, type } = findPrimitive(binding, column);
  if (op === 'starts-with' || op === 'not-starts-with') return bindPrefix(op, fieldId, type, predicate);
  return compareAt(op, fieldId, placeLiteral(type, literal, column), column);
}

function bindPrefix(
  op: 'starts-with' | 'not-starts-with',
  fieldId: number,
  type: PrimitiveType,
  { column, literal }: ComparisonPredicate,
): BoundExpression {
  if (type !== 'string' || typeof literal !== 'string') {
    throw new IcecoreError('BAD_USER_INPUT', `Only text starts with a text; the column ${column} is of type ${type}.`);
  }
  if (literal === '') return op === 'starts-with' ? { op: 'not-null', fieldId } : never;
  return { op, fieldId, literal };
}

/** The comparison is made with the transform's result first, and then said of the column. */
function bindTransform(binding: Binding, predicate: ComparisonPredicate, transform: string): BoundExpression {
  const { op, column, literal } = predicate;
  const { fieldId, type } = findPrimitive(binding, column);
  const parsed = parseTransform(transform);
  if (parsed.kind === 'unknown' || parsed.kind === 'void') return widen(binding, predicate);
  if (!canTransform(parsed, type)) {
    throw new IcecoreError('BAD_USER_INPUT', `The transform ${transform} does not take the column ${column} of type ${type}.`);
  }
  const result = transformResultType(transform, type);
  const bound =
    op === 'starts-with' || op === 'not-starts-with'
      ? bindPrefix(op, fieldId, result, predicate)
      : compareAt(op, fieldId, placeLiteral(result, literal, `${transform} of ${column}`), column);
  if (!('literal' in bound)) return bound;
  return onColumn({ op: bound.op, fieldId, type, transform, literal: bound.literal }) ?? widen(binding, predicate);
}

function compareAt(op: ComparisonOperator, fieldId: number, place: LiteralPlace, column: string): BoundExpression {
  const notNull = { op: 'not-null', fieldId } as const;
  if (place.at === 'value') return { op, fieldId, literal: place.value };
  if (place.at === 'nan') {
    if (op === 'eq') return { op: 'is-nan', fieldId };
    if (op === 'not-eq') return { op: 'not-nan', fieldId };
    throw new IcecoreError('BAD_USER_INPUT', `NaN is neither less nor greater than a value of ${column}. Ask whether it is NaN.`);
  }
  if (op === 'eq') return never;
  if (op === 'not-eq') return notNull;
  const isLess = op === 'lt' || op === 'lt-eq';
  if (place.at === 'between') {
    return isLess ? { op: 'lt-eq', fieldId, literal: place.floor } : { op: 'gt-eq', fieldId, literal: place.ceiling };
  }
  return isLess === (place.at === 'above') ? notNull : never;
}

function bindSet(binding: Binding, isIn: boolean, { column, transform, literals }: SetPredicate): BoundExpression {
  const { fieldId, type } = findPrimitive(binding, column);
  // SQL: nothing is in an empty list, and everything is not in it, null too.
  if (literals.length === 0) return isIn ? never : always;
  if (transform !== undefined) {
    if (literals.length > expressionDepthMax) return widen(binding, { column, transform });
    const each = literals.map((literal) => bindTransform(binding, { op: isIn ? 'eq' : 'not-eq', column, literal }, transform));
    return each.reduce(isIn ? or : and);
  }
  const places = literals.map((literal) => placeLiteral(type, literal, column));
  const values = distinct(places.flatMap((place) => (place.at === 'value' ? [place.value] : [])));
  const hasNan = places.some((place) => place.at === 'nan');
  const set = setOf(isIn, fieldId, values);
  if (!hasNan) return set;
  return isIn ? or(set, { op: 'is-nan', fieldId }) : and(set, { op: 'not-nan', fieldId });
}

function setOf(isIn: boolean, fieldId: number, values: readonly Literal[]): BoundExpression {
  const [first] = values;
  if (first === undefined) return isIn ? never : { op: 'not-null', fieldId };
  if (values.length === 1) return { op: isIn ? 'eq' : 'not-eq', fieldId, literal: first };
  return { op: isIn ? 'in' : 'not-in', fieldId, literals: values };
}

function distinct(values: readonly Literal[]): readonly Literal[] {
  const sorted = values.toSorted(compareLiterals);
  return sorted.filter((value, index) => {
    const before = sorted[index - 1];
    return before === undefined || compareLiterals(before, value) !== 0;
  });
}

/** The ids of the columns that a predicate is about. */
export function predicateFieldIds(expression: BoundExpression): ReadonlySet<number> {
  const ids = new Set<number>();
  const visit = (part: BoundExpression) => {
    if (part.op === 'and' || part.op === 'or') {
      visit(part.left);
      visit(part.right);
    } else if (part.op !== 'true' && part.op !== 'false') ids.add(part.fieldId);
  };
  visit(expression);
  return ids;
}
