import type { Literal } from './type.ts';

export type ComparisonOperator = 'lt' | 'lt-eq' | 'gt' | 'gt-eq' | 'eq' | 'not-eq' | 'starts-with' | 'not-starts-with';
export type UnaryOperator = 'is-null' | 'not-null' | 'is-nan' | 'not-nan';

/** A literal as it was written, before the column's type is known: what the parser of a predicate gives. */
export type UnboundLiteral = boolean | number | bigint | string;

/** What a predicate is about: a column by name, or a transform of it such as `day` or `bucket[16]`. */
export interface Term {
  readonly column: string;
  readonly transform?: string;
}

/** A predicate over columns by name (spec for evaluation: "Scan Planning"). */
export type Expression =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'or'; readonly left: Expression; readonly right: Expression }
  | { readonly op: 'not'; readonly child: Expression }
  | UnaryPredicate
  | ComparisonPredicate
  | SetPredicate;

export interface UnaryPredicate extends Term {
  readonly op: UnaryOperator;
}

export interface ComparisonPredicate extends Term {
  readonly op: ComparisonOperator;
  readonly literal: UnboundLiteral;
}

export interface SetPredicate extends Term {
  readonly op: 'in' | 'not-in';
  readonly literals: readonly UnboundLiteral[];
}

/** The same, bound to field ids and typed literals of one schema; `not` has been pushed down to the leaves. */
export type BoundExpression =
  | { readonly op: 'true' }
  | { readonly op: 'false' }
  | { readonly op: 'and'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: 'or'; readonly left: BoundExpression; readonly right: BoundExpression }
  | { readonly op: UnaryOperator; readonly fieldId: number }
  | { readonly op: ComparisonOperator; readonly fieldId: number; readonly literal: Literal }
  | { readonly op: 'in' | 'not-in'; readonly fieldId: number; readonly literals: readonly Literal[] };
