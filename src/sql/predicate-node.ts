import type { ComparisonOperator, UnboundLiteral } from '../iceberg/expression.ts';
import { isNode, numberText, type SyntaxNode, type SyntaxValue } from './syntax-tree.ts';

const comparisons: Readonly<Record<string, ComparisonOperator>> = {
  COMPARE_EQUAL: 'eq',
  COMPARE_NOTEQUAL: 'not-eq',
  COMPARE_LESSTHAN: 'lt',
  COMPARE_GREATERTHAN: 'gt',
  COMPARE_LESSTHANOREQUALTO: 'lt-eq',
  COMPARE_GREATERTHANOREQUALTO: 'gt-eq',
};

export function comparisonOf(type: string): ComparisonOperator | undefined {
  return comparisons[type];
}

/** `isnan(x)` */
export function isNanCall(node: SyntaxNode): boolean {
  return String(node.function_name).toLowerCase() === 'isnan' && Array.isArray(node.children) && node.children.length === 1;
}

/** Types whose literals are written as text: `DATE '2001-01-01'`, `UUID '…'`, `'NaN'::DOUBLE`. */
const textCasts = new Set(['DATE', 'TIME', 'TIMESTAMP', 'TIMESTAMP WITH TIME ZONE', 'TIMESTAMP_NS', 'UUID', 'VARCHAR']);
const numberCasts = new Set(['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT', 'HUGEINT', 'FLOAT', 'DOUBLE', 'DECIMAL']);

/**
 * The literal that a node stands for, null for NULL, undefined where it is none. Integers are numbers up to 2^53 and bigints
 * beyond, decimals their digits as text, casts of literals the literal itself: the column's type decides in the end.
 */
export function literalOf(node: SyntaxNode): UnboundLiteral | null | undefined {
  if (node.class === 'CONSTANT' && isNode(node.value)) return constantOf(node.value);
  if (node.class === 'CAST' && isNode(node.child) && isNode(node.cast_type)) {
    const type = String(node.cast_type.id);
    const literal = literalOf(node.child);
    if (type === 'BOOLEAN') return literal === 't' || literal === 'f' ? literal === 't' : booleanOf(literal);
    if (textCasts.has(type)) return literal;
    if (type === 'BLOB') return typeof literal === 'string' ? blobHex(literal) : literal;
    return numberCasts.has(type) ? numberOf(literal) : undefined;
  }
  if (node.class === 'FUNCTION' && Array.isArray(node.children) && node.children.length === 1) {
    const [operand] = node.children;
    const literal = isNode(operand) ? literalOf(operand) : undefined;
    if (node.function_name === '-') return negative(literal);
    if (node.function_name === '+' && typeof literal !== 'boolean') return literal;
  }
  return undefined;
}

function booleanOf(literal: UnboundLiteral | null | undefined): boolean | null | undefined {
  if (literal === null || typeof literal === 'boolean') return literal;
  if (typeof literal !== 'string') return undefined;
  const text = literal.toLowerCase();
  return text === 'true' ? true : text === 'false' ? false : undefined;
}

function numberOf(literal: UnboundLiteral | null | undefined): UnboundLiteral | null | undefined {
  if (typeof literal !== 'string') return typeof literal === 'boolean' ? undefined : literal;
  if (/^[+-]?(?:nan|inf|infinity)$/i.test(literal)) {
    const sign = literal.startsWith('-') ? -1 : 1;
    return /nan/i.test(literal) ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  }
  return /^[+-]?\d+$/.test(literal) ? integer(BigInt(literal)) : literal;
}

function negative(literal: UnboundLiteral | null | undefined): UnboundLiteral | null | undefined {
  if (typeof literal === 'number') return -literal;
  if (typeof literal === 'bigint') return integer(-literal);
  // The digits of a decimal.
  if (typeof literal === 'string' && /^[\d.]+$/.test(literal)) return `-${literal}`;
  return literal === null ? null : undefined;
}

function integer(value: bigint): number | bigint {
  return Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

function constantOf(constant: SyntaxNode): UnboundLiteral | null | undefined {
  if (constant.is_null === true) return null;
  const type = isNode(constant.type) ? constant.type : {};
  const text = numberText(constant.value);
  switch (type.id) {
    case 'BOOLEAN':
      return constant.value === true;
    case 'VARCHAR':
      return typeof constant.value === 'string' ? constant.value : undefined;
    case 'INTEGER':
    case 'BIGINT':
      return text === undefined ? undefined : integer(BigInt(text));
    case 'HUGEINT':
      return hugeint(constant.value);
    case 'DOUBLE':
      return text === undefined ? undefined : Number(text);
    case 'DECIMAL':
      return decimal(constant.value, isNode(type.type_info) ? Number(type.type_info.scale) : 0);
    default:
      return undefined;
  }
}

/** 128 bits: a signed upper and an unsigned lower half. */
function hugeint(value: SyntaxValue | undefined): bigint | undefined {
  if (!isNode(value)) return undefined;
  const [upper, lower] = [numberText(value.upper), numberText(value.lower)];
  return upper === undefined || lower === undefined ? undefined : (BigInt(upper) << 64n) + BigInt(lower);
}

/** `1.50`, from its digits as one integer, of 64 or of 128 bits. */
function decimal(value: SyntaxValue | undefined, scale: number): string | undefined {
  const text = numberText(value);
  const unscaled = text === undefined ? hugeint(value) : BigInt(text);
  if (unscaled === undefined) return undefined;
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  const sign = unscaled < 0n ? '-' : '';
  return scale === 0 ? `${sign}${digits}` : `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

/** The hex text of a blob as DuckDB writes it, `\\xAB` for a byte and a letter for itself; undefined where it is none. */
function blobHex(text: string): string | undefined {
  const bytes = text.match(/\\x[0-9a-f]{2}|[ -~]/gi) ?? [];
  if (bytes.join('') !== text) return undefined;
  return bytes
    .map((byte) => (byte.length === 1 ? byte.charCodeAt(0).toString(16).padStart(2, '0') : byte.slice(2).toLowerCase()))
    .join('');
}
