import { IcecoreError } from '../errors.ts';
import type { ComparisonOperator, Expression, UnboundLiteral } from '../iceberg/expression.ts';
import type { DuckDb } from './duckdb.ts';
import { comparisonOf, isNanCall, literalOf } from './predicate-node.ts';
import { cannotBeRead, isNode, parseSyntaxTree, type SyntaxNode, type SyntaxValue } from './syntax-tree.ts';

const allowed =
  "A predicate is made of comparisons (=, <>, <, <=, >, >=), IN, BETWEEN, IS NULL, isnan(column), LIKE 'prefix%', AND, OR and NOT " +
  'over columns and literals';

/** Of a predicate that a message quotes. */
const shownLengthMax = 200;

function refuse(what: string): IcecoreError {
  return new IcecoreError('BAD_USER_INPUT', `${allowed}; ${what}.`);
}

/**
 * The expression of a predicate's text, a column by its name (a field of a struct by its path, `a.b`), literals as they were
 * written: numbers, text, dates and times as text, bytes as hex. Nothing is looked up: whether the
 * columns exist and the literals fit is settled where it is bound. Throws BAD_USER_INPUT that says what is allowed.
 */
export async function parsePredicate(db: DuckDb, text: string, signal?: AbortSignal): Promise<Expression> {
  const tree = await db.guarded
    // On a line of its own, so that a comment at its end does not swallow the bracket.
    .use((connection) => parseSyntaxTree(connection, `SELECT (\n${text}\n)`), signal)
    .catch((cause: unknown) => {
      // What the parser says is about the SELECT around the text, which the caller does not know.
      if (!IcecoreError.is(cause) || !cause.message.startsWith(cannotBeRead)) throw cause;
      throw refuse(`${JSON.stringify(text.slice(0, shownLengthMax))} cannot be read as one`);
    });
  const expression = onlyExpression(tree);
  if (expression === null) throw refuse('this is more than one expression');
  try {
    return expressionOf(expression);
  } catch (error) {
    if (error instanceof RangeError) throw refuse('this one is nested too deeply');
    throw error;
  }
}

/** The one expression of `SELECT (…)`; null where the text closed the bracket and went on. */
function onlyExpression(tree: SyntaxNode): SyntaxNode | null {
  const [statement] = Array.isArray(tree.statements) ? tree.statements : [];
  const node = isNode(statement) ? statement.node : null;
  if (!isNode(node) || node.type !== 'SELECT_NODE' || !Array.isArray(node.select_list) || node.select_list.length !== 1)
    return null;
  const isBare =
    isNode(node.from_table) && node.from_table.type === 'EMPTY' && node.where_clause === null && node.having === null;
  const [expression] = node.select_list;
  return isBare && isNode(expression) ? expression : null;
}

function children(value: SyntaxValue | undefined): readonly SyntaxNode[] {
  return Array.isArray(value) ? value.filter((item) => isNode(item)) : [];
}

function child(value: SyntaxValue | undefined): SyntaxNode {
  if (!isNode(value)) throw refuse('something is missing');
  return value;
}

function expressionOf(node: SyntaxNode): Expression {
  switch (node.class) {
    case 'CONJUNCTION': {
      const op = node.type === 'CONJUNCTION_AND' ? 'and' : 'or';
      return children(node.children)
        .map(expressionOf)
        .reduce((left, right) => ({ op, left, right }));
    }
    case 'COMPARISON':
      return comparison(node);
    case 'BETWEEN': {
      const column = columnOf(child(node.input));
      const left: Expression = { op: 'gt-eq', column, literal: requiredLiteral(child(node.lower)) };
      return { op: 'and', left, right: { op: 'lt-eq', column, literal: requiredLiteral(child(node.upper)) } };
    }
    case 'OPERATOR':
      return operator(node);
    case 'FUNCTION':
      return functionCall(node);
    case 'COLUMN_REF':
      // A boolean column by itself.
      return { op: 'eq', column: columnOf(node), literal: true };
    case 'CONSTANT':
    case 'CAST': {
      const literal = literalOf(node);
      if (typeof literal === 'boolean') return { op: literal ? 'true' : 'false' };
      throw refuse('a literal alone is no condition');
    }
    default:
      throw refuse(`${String(node.class).toLowerCase().replaceAll('_', ' ')} is not`);
  }
}

const mirrored: Readonly<Record<string, ComparisonOperator>> = { lt: 'gt', 'lt-eq': 'gt-eq', gt: 'lt', 'gt-eq': 'lt-eq' };

function comparison(node: SyntaxNode): Expression {
  const op = comparisonOf(String(node.type));
  if (op === undefined) throw refuse('IS DISTINCT FROM is not; write IS NULL and a comparison');
  const [left, right] = [child(node.left), child(node.right)];
  const isMirrored = left.class !== 'COLUMN_REF';
  const column = columnOf(isMirrored ? right : left);
  const literal = requiredLiteral(isMirrored ? left : right);
  return { op: isMirrored ? (mirrored[op] ?? op) : op, column, literal };
}

function operator(node: SyntaxNode): Expression {
  const [first, ...rest] = children(node.children);
  switch (node.type) {
    case 'OPERATOR_NOT':
      return { op: 'not', child: expressionOf(child(first)) };
    case 'OPERATOR_IS_NULL':
      return { op: 'is-null', column: columnOf(child(first)) };
    case 'OPERATOR_IS_NOT_NULL':
      return { op: 'not-null', column: columnOf(child(first)) };
    case 'COMPARE_IN':
    case 'COMPARE_NOT_IN':
      return {
        op: node.type === 'COMPARE_IN' ? 'in' : 'not-in',
        column: columnOf(child(first)),
        literals: rest.map(requiredLiteral),
      };
    default:
      throw refuse(`${String(node.type).toLowerCase().replaceAll('_', ' ')} is not`);
  }
}

function functionCall(node: SyntaxNode): Expression {
  const name = String(node.function_name).toLowerCase();
  const [first, second] = children(node.children);
  if (isNanCall(node)) return { op: 'is-nan', column: columnOf(child(first)) };
  if (name === '~~' || name === '!~~' || name === 'like_escape' || name === 'not_like_escape') {
    const pattern = literalOf(child(second));
    const prefix = typeof pattern === 'string' && name.endsWith('~~') ? /^([^%_]*)%$/.exec(pattern)?.[1] : undefined;
    const exact = typeof pattern === 'string' && name.endsWith('~~') && /^[^%_]*$/.test(pattern) ? pattern : undefined;
    const column = columnOf(child(first));
    const isNegative = name === '!~~';
    if (prefix !== undefined) return { op: isNegative ? 'not-starts-with' : 'starts-with', column, literal: prefix };
    if (exact !== undefined) return { op: isNegative ? 'not-eq' : 'eq', column, literal: exact };
    throw refuse("LIKE takes a prefix and one % at its end, 'prefix%', without _ and ESCAPE");
  }
  if (name === '^@' || name === 'starts_with') {
    return { op: 'starts-with', column: columnOf(child(first)), literal: requiredLiteral(child(second)) };
  }
  throw refuse(`the function ${name} is not`);
}

function columnOf(node: SyntaxNode): string {
  if (node.class !== 'COLUMN_REF' || !Array.isArray(node.column_names)) {
    throw refuse('each comparison has a column on one side and a literal on the other');
  }
  return node.column_names.join('.');
}

function requiredLiteral(node: SyntaxNode): UnboundLiteral {
  const literal = literalOf(node);
  if (literal === null) throw refuse('a comparison with NULL is never true: write IS NULL');
  if (literal === undefined) throw refuse('each comparison has a column on one side and a literal on the other');
  return literal;
}
