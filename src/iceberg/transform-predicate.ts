import { daysFromCivil, unitsPerDay } from './calendar.ts';
import type { BoundExpression, ComparisonOperator } from './expression.ts';
import { type DateTransform, parseTransform } from './transform.ts';
import type { Literal, PrimitiveType } from './type.ts';

/** A predicate on a transform of a column; `literal` is a value of the transform's result type. */
export interface TransformComparison {
  readonly op: ComparisonOperator;
  readonly fieldId: number;
  readonly type: PrimitiveType;
  readonly transform: string;
  readonly literal: Literal;
}

/**
 * The same predicate said of the column itself: day(x) = 2020-01-01 is x within that day. Null where it cannot be said, as
 * of buckets. Null rows match neither form.
 */
export function onColumn({ op, fieldId, type, transform: text, literal }: TransformComparison): BoundExpression | null {
  const transform = parseTransform(text);
  if (transform.kind === 'identity') return { op, fieldId, literal };
  if (transform.kind === 'truncate') {
    return typeof literal === 'string' && type === 'string' ? onPrefix(op, fieldId, transform.width, literal) : null;
  }
  if (transform.kind === 'bucket' || transform.kind === 'void' || transform.kind === 'unknown') return null;
  const from = firstOf(transform.kind, type, Number(literal));
  const next = firstOf(transform.kind, type, Number(literal) + 1);
  switch (op) {
    case 'lt':
      return { op: 'lt', fieldId, literal: from };
    case 'lt-eq':
      return { op: 'lt', fieldId, literal: next };
    case 'gt':
      return { op: 'gt-eq', fieldId, literal: next };
    case 'gt-eq':
      return { op: 'gt-eq', fieldId, literal: from };
    case 'eq':
      return { op: 'and', left: { op: 'gt-eq', fieldId, literal: from }, right: { op: 'lt', fieldId, literal: next } };
    case 'not-eq':
      return { op: 'or', left: { op: 'lt', fieldId, literal: from }, right: { op: 'gt-eq', fieldId, literal: next } };
    default:
      return null;
  }
}

/** The first value of a year, month, day or hour counted from 1970. */
export function firstOf(kind: DateTransform, type: PrimitiveType, count: number): Literal {
  const perDay = unitsPerDay[type.endsWith('_ns') ? 'nanos' : 'micros'];
  if (kind === 'hour') return BigInt(count) * (perDay / 24n);
  const days = kind === 'day' ? count : daysFromCivil(civilStart(kind, count));
  return type === 'date' ? days : BigInt(days) * perDay;
}

function civilStart(kind: 'year' | 'month', count: number) {
  if (kind === 'year') return { year: 1970 + count, month: 1, day: 1 };
  const month = ((count % 12) + 12) % 12;
  return { year: 1970 + (count - month) / 12, month: month + 1, day: 1 };
}

/** Text cut to a width of code points: one that is shorter is the text itself, one of the width is its beginning. */
function onPrefix(op: ComparisonOperator, fieldId: number, width: number, literal: string): BoundExpression | null {
  const length = Array.from(literal).length;
  const isPositive = op === 'eq' || op === 'starts-with';
  const isPrefix = op === 'starts-with' || op === 'not-starts-with';
  if (!isPositive && op !== 'not-eq' && op !== 'not-starts-with') return null;
  if (length > width) return isPositive ? { op: 'false' } : { op: 'not-null', fieldId };
  if (isPrefix || length === width) return { op: isPositive ? 'starts-with' : 'not-starts-with', fieldId, literal };
  return { op, fieldId, literal };
}
