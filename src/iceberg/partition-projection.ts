import type { BoundExpression } from './expression.ts';
import { and, or } from './expression-bind.ts';
import { evaluateExpression } from './expression-evaluate.ts';
import { compareLiterals } from './literal-order.ts';
import type { PartitionField, PartitionSpec } from './partition-spec.ts';
import { fieldById, type Schema } from './schema.ts';
import { bindTransform, canTransform, type ParsedTransform, parseTransform } from './transform.ts';
import type { Literal, PrimitiveType } from './type.ts';

const always = { op: 'true' } as const;
const never = { op: 'false' } as const;
type Leaf = Extract<BoundExpression, { fieldId: number }>;
type Comparison = Extract<Leaf, { literal: Literal }>;
type Apply = (value: Literal) => Literal | null;

/**
 * The predicate on partition values that holds of every partition in which a row may match (spec: "Scan Planning", inclusive
 * projection). Its field ids are those of the spec's fields.
 */
export function projectInclusive(spec: PartitionSpec, schema: Schema, expression: BoundExpression): BoundExpression {
  switch (expression.op) {
    case 'true':
    case 'false':
      return expression;
    case 'and':
      return and(projectInclusive(spec, schema, expression.left), projectInclusive(spec, schema, expression.right));
    case 'or':
      return or(projectInclusive(spec, schema, expression.left), projectInclusive(spec, schema, expression.right));
    default: {
      const leaf: Leaf = expression;
      const source = fieldById(schema, leaf.fieldId)?.type;
      return spec.fields
        .filter((field) => field.sourceId === leaf.fieldId)
        .map((field) => (typeof source === 'string' ? projectLeaf(field, source, leaf) : always))
        .reduce<BoundExpression>(and, always);
    }
  }
}

/** Whether a partition's values satisfy a projected predicate. */
export function partitionMatches(
  spec: PartitionSpec,
  projected: BoundExpression,
): (partition: readonly (Literal | null)[]) => boolean {
  const places = new Map(spec.fields.map(({ fieldId }, index) => [fieldId, index] as const));
  return (partition) => evaluateExpression(projected, (fieldId) => partition[places.get(fieldId) ?? -1] ?? null);
}

function projectLeaf({ fieldId, transform: text }: PartitionField, source: PrimitiveType, leaf: Leaf): BoundExpression {
  const transform = parseTransform(text);
  // What these hold says nothing of the row: it is always null.
  if (transform.kind === 'void' || transform.kind === 'unknown' || !canTransform(transform, source)) return always;
  if (leaf.op === 'is-null' || leaf.op === 'not-null') return { op: leaf.op, fieldId };
  if (transform.kind === 'identity') return projectIdentity(fieldId, leaf);
  // The transforms left take no floats; a value they take is there.
  if (leaf.op === 'is-nan' || leaf.op === 'not-nan') return { op: 'not-null', fieldId };
  const apply = bindTransform(text, source);
  if (leaf.op === 'eq' || leaf.op === 'in') {
    const literals = 'literals' in leaf ? leaf.literals : [leaf.literal];
    const images = literals.flatMap((literal) => apply(literal) ?? []);
    return oneOf(fieldId, isDatePart(transform) ? images.flatMap(withLegacyNeighbour) : images);
  }
  if (!('literal' in leaf) || leaf.op === 'not-eq' || transform.kind === 'bucket') return always;
  if (leaf.op === 'starts-with' || leaf.op === 'not-starts-with') return projectPrefix(fieldId, transform, leaf, apply);
  return projectOrder(fieldId, source, transform, leaf, apply);
}

/** Where null counts as unequal, as in Iceberg's own rule, its partition has to stay too. */
function projectIdentity(fieldId: number, leaf: Leaf): BoundExpression {
  const projected = { ...leaf, fieldId };
  const isNegative = leaf.op === 'not-eq' || leaf.op === 'not-in' || leaf.op === 'not-starts-with';
  return isNegative ? or({ op: 'is-null', fieldId }, projected) : projected;
}

function oneOf(fieldId: number, images: readonly Literal[]): BoundExpression {
  const sorted = images.toSorted(compareLiterals);
  const literals = sorted.filter((image, index) => index === 0 || compareLiterals(sorted[index - 1] ?? image, image) !== 0);
  const [first] = literals;
  if (first === undefined) return never;
  return literals.length === 1 ? { op: 'eq', fieldId, literal: first } : { op: 'in', fieldId, literals };
}

function isDatePart({ kind }: ParsedTransform): boolean {
  return kind === 'year' || kind === 'month' || kind === 'day' || kind === 'hour';
}

/** Early writers rounded dates before 1970 towards zero, so their files lie one further up. Iceberg's Java library does the same. */
function withLegacyNeighbour(image: Literal): readonly Literal[] {
  return typeof image === 'number' && image < 0 ? [image, image + 1] : [image];
}

/** `truncate` alone takes text. A row that begins with the prefix begins, cut, with the prefix cut. */
function projectPrefix(fieldId: number, transform: ParsedTransform, leaf: Comparison, apply: Apply): BoundExpression {
  const width = transform.kind === 'truncate' ? transform.width : 0;
  const length = Array.from(String(leaf.literal)).length;
  const isPositive = leaf.op === 'starts-with';
  if (length < width) return isPositive ? { op: 'starts-with', fieldId, literal: leaf.literal } : { op: 'true' };
  return isPositive ? oneOf(fieldId, [apply(leaf.literal) ?? '']) : always;
}

/**
 * Truncation and date parts keep order, so x < v gives t(x) <= t(v); and where values have neighbours, t(x) <= t(v - 1), which
 * leaves out the partition that begins at v itself.
 */
function projectOrder(
  fieldId: number,
  source: PrimitiveType,
  transform: ParsedTransform,
  leaf: Comparison,
  apply: Apply,
): BoundExpression {
  const isLess = leaf.op === 'lt' || leaf.op === 'lt-eq';
  const nearest =
    leaf.op === 'lt' ? neighbour(source, leaf.literal, -1) : leaf.op === 'gt' ? neighbour(source, leaf.literal, 1) : leaf.literal;
  if (nearest === null) return never;
  const image = apply(nearest);
  if (image === null) return always;
  if (isDatePart(transform)) {
    const literal = isLess && typeof image === 'number' && image < 0 ? image + 1 : image;
    return { op: isLess ? 'lt-eq' : 'gt-eq', fieldId, literal };
  }
  const wrapped = wrappedImage(source, apply);
  if (wrapped === null) return { op: isLess ? 'lt-eq' : 'gt-eq', fieldId, literal: image };
  if (isLess) return or({ op: 'lt-eq', fieldId, literal: image }, { op: 'eq', fieldId, literal: wrapped });
  return compareLiterals(image, nearest) > 0 ? always : { op: 'gt-eq', fieldId, literal: image };
}

const lowest: Readonly<Record<string, readonly [Literal, Literal]>> = {
  int: [-(2 ** 31), 2 ** 31 - 1],
  date: [-(2 ** 31), 2 ** 31 - 1],
};
const lowestLong: readonly [Literal, Literal] = [-(2n ** 63n), 2n ** 63n - 1n];

/** The value one before or after; null where there is none, the value itself where the type has no neighbours. */
function neighbour(source: PrimitiveType, value: Literal, step: 1 | -1): Literal | null {
  const isDecimal = source.startsWith('decimal');
  if (typeof value === 'bigint') {
    if (!isDecimal && value === lowestLong[step === 1 ? 1 : 0]) return null;
    return value + BigInt(step);
  }
  const limits = lowest[source];
  if (typeof value !== 'number' || limits === undefined) return value;
  return value === limits[step === 1 ? 1 : 0] ? null : value + step;
}

/** Truncating the lowest ints goes below what the type holds and comes out at its upper end: the one place where order breaks. */
function wrappedImage(source: PrimitiveType, apply: Apply): Literal | null {
  const min = source === 'int' ? -(2 ** 31) : source === 'long' ? -(2n ** 63n) : null;
  const image = min === null ? null : apply(min);
  return min !== null && image !== null && compareLiterals(image, min) > 0 ? image : null;
}
