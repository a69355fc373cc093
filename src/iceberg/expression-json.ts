import { IcecoreError } from '../errors.ts';
import { expressionDepthMax } from '../limits.ts';
import type { ComparisonOperator, Expression, Term, UnaryOperator, UnboundLiteral } from './expression.ts';
import { type ColumnNames, columnTerm, type ExpressionTerm, parseLiteral, parseTerm } from './expression-term-json.ts';
import { asBoolean, asObject, asString, type JsonObject, member } from './json-member.ts';

const unaryOperators: ReadonlySet<string> = new Set<UnaryOperator>(['is-null', 'not-null', 'is-nan', 'not-nan']);
const comparisonOperators: ReadonlySet<string> = new Set<ComparisonOperator>([
  'lt',
  'lt-eq',
  'gt',
  'gt-eq',
  'eq',
  'not-eq',
  'starts-with',
  'not-starts-with',
]);

/** What a comparison says with its sides exchanged: 3 < x is x > 3. */
const exchanged: Readonly<Partial<Record<ComparisonOperator, ComparisonOperator>>> = {
  lt: 'gt',
  'lt-eq': 'gt-eq',
  gt: 'lt',
  'gt-eq': 'lt-eq',
  eq: 'eq',
  'not-eq': 'not-eq',
};

function isUnary(type: string): type is UnaryOperator {
  return unaryOperators.has(type);
}

function isComparison(type: string): type is ComparisonOperator {
  return comparisonOperators.has(type);
}

/**
 * A predicate from its JSON in the REST protocol, in all its forms: bare true and false and the objects that stand for them,
 * `term` and `value` as well as `child`, `left` and `right`, names and ids, transforms as terms or as applied functions
 * (REST specification: `Predicate`). Literals are as JSON has them; `columnName` is asked for references by id. Throws
 * BAD_USER_INPUT that says where in the tree.
 */
export function parseExpressionJson(json: unknown, columnName: ColumnNames = () => undefined, where = 'filter'): Expression {
  return parsePredicate(json, columnName, where, 0);
}

function parsePredicate(json: unknown, columnName: ColumnNames, where: string, depth: number): Expression {
  if (depth > expressionDepthMax) {
    throw new IcecoreError('BAD_USER_INPUT', `The filter is nested deeper than ${expressionDepthMax}. Use "in" for many values.`);
  }
  if (typeof json === 'boolean') return { op: json ? 'true' : 'false' };
  const object = asObject(json, where);
  const type = member(object, 'type', asString, where).toLowerCase().replaceAll('_', '-');
  const child = (name: string): Expression => {
    if (!Object.hasOwn(object, name)) throw new IcecoreError('BAD_USER_INPUT', `${where}: "${name}" is missing.`);
    return parsePredicate(object[name], columnName, depth < 8 ? `${where}.${name}` : where, depth + 1);
  };
  switch (type) {
    case 'true':
    case 'false':
      return { op: type };
    case 'literal':
      return { op: member(object, 'value', asBoolean, where) ? 'true' : 'false' };
    case 'not':
      return { op: 'not', child: child('child') };
    case 'and':
    case 'or':
      return { op: type, left: child('left'), right: child('right') };
    case 'in':
    case 'not-in':
      return { op: type, ...operand(object, columnName, where), literals: parseLiterals(object, where) };
    default:
  }
  if (isUnary(type)) return { op: type, ...operand(object, columnName, where) };
  if (isComparison(type)) return parseComparison(type, object, columnName, where);
  throw new IcecoreError('BAD_USER_INPUT', `${where}: there is no predicate "${type}".`);
}

/** `child`, or `term` as older clients call it. */
function operand(object: JsonObject, columnName: ColumnNames, where: string): Term {
  const name = Object.hasOwn(object, 'child') ? 'child' : 'term';
  return columnTerm(side(object, name, columnName, where), `${where}.${name}`);
}

function side(object: JsonObject, name: string, columnName: ColumnNames, where: string): ExpressionTerm {
  if (!Object.hasOwn(object, name)) throw new IcecoreError('BAD_USER_INPUT', `${where}: "${name}" is missing.`);
  return parseTerm(object[name], columnName, `${where}.${name}`);
}

function parseComparison(op: ComparisonOperator, object: JsonObject, columnName: ColumnNames, where: string): Expression {
  if (!Object.hasOwn(object, 'left')) {
    const term = operand(object, columnName, where);
    if (!Object.hasOwn(object, 'value')) throw new IcecoreError('BAD_USER_INPUT', `${where}: "value" is missing.`);
    return { op, ...term, literal: parseLiteral(object.value, `${where}.value`) };
  }
  const left = side(object, 'left', columnName, where);
  if (!Object.hasOwn(object, 'right')) throw new IcecoreError('BAD_USER_INPUT', `${where}: "right" is missing.`);
  // A bare text is a column on the left and a value on the right, as in `term` and `value`.
  if (left.kind === 'column') return { op, ...left.term, literal: parseLiteral(object.right, `${where}.right`) };
  const turned = exchanged[op];
  if (turned === undefined) throw new IcecoreError('BAD_USER_INPUT', `${where}: ${op} takes a column on its left.`);
  const right = columnTerm(side(object, 'right', columnName, where), `${where}.right`);
  return { op: turned, ...right, literal: left.literal };
}

function parseLiterals(object: JsonObject, where: string): readonly UnboundLiteral[] {
  const { values } = object;
  const items = Array.isArray(values) ? values : asObject(values, `${where}.values`).values;
  if (!Array.isArray(items)) throw new IcecoreError('BAD_USER_INPUT', `${where}: "values" must be a list.`);
  return items.map((item, index) => parseLiteral(item, `${where}.values[${index}]`));
}

/**
 * The JSON of a predicate in the form that every client reads, old and new: `term` is a column's name or a transform of it,
 * `value` and `values` are bare. Print it with `printJson`. Throws BAD_USER_INPUT for infinities, which JSON has not.
 */
export function printExpressionJson(expression: Expression): unknown {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression.op === 'true';
    case 'not':
      return { type: 'not', child: printExpressionJson(expression.child) };
    case 'and':
    case 'or':
      return {
        type: expression.op,
        left: printExpressionJson(expression.left),
        right: printExpressionJson(expression.right),
      };
    default:
  }
  const predicate = { type: expression.op, term: printTerm(expression) };
  if ('literal' in expression) return { ...predicate, value: printLiteral(expression.literal) };
  return 'literals' in expression ? { ...predicate, values: expression.literals.map(printLiteral) } : predicate;
}

function printTerm({ column, transform }: Term): unknown {
  return transform === undefined ? column : { type: 'transform', transform, term: column };
}

function printLiteral(literal: UnboundLiteral): UnboundLiteral {
  if (typeof literal !== 'number' || Number.isFinite(literal)) return literal;
  throw new IcecoreError('BAD_USER_INPUT', `${literal} cannot be written as JSON.`);
}
