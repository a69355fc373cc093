import { isNanLiteral } from './literal-order.ts';
import type { PartitionField, PartitionSpec } from './partition-spec.ts';
import { parseTransform } from './transform.ts';
import { firstOf } from './transform-predicate.ts';
import type { Literal, PrimitiveType } from './type.ts';
import type { ValueRange } from './value-range.ts';

const unknown: ValueRange = { nulls: 'some', nans: 'some', lower: null, upper: null };
const allNull: ValueRange = { nulls: 'all', nans: 'none', lower: null, upper: null };

/** Gives what a file's partition says of its values of one column, by each spec field that is made from it. */
export function partitionRanges(
  spec: PartitionSpec,
  fieldId: number,
  type: PrimitiveType,
): (partition: readonly (Literal | null)[]) => readonly ValueRange[] {
  const ranges = spec.fields.flatMap((field, index) => {
    if (field.sourceId !== fieldId) return [];
    const range = rangeOfField(field, type);
    return range === null ? [] : [(partition: readonly (Literal | null)[]) => range(partition[index] ?? null)];
  });
  return (partition) => ranges.map((range) => range(partition));
}

/** Null where the values of a field say nothing of the column's. */
function rangeOfField({ transform: text }: PartitionField, type: PrimitiveType): ((value: Literal | null) => ValueRange) | null {
  const transform = parseTransform(text);
  if (transform.kind === 'void' || transform.kind === 'unknown') return null;
  return (value) => {
    if (value === null) return allNull;
    switch (transform.kind) {
      case 'identity':
        return isNanLiteral(value) ? { ...unknown, nulls: 'none', nans: 'all' } : exactly(value, value);
      case 'bucket':
        return unbounded(type);
      case 'truncate':
        return truncated(type, transform.width, value);
      default: {
        const count = Number(value);
        // Early writers rounded times before 1970 towards zero: what lies in such a partition may be of the one before.
        const from = count <= 0 ? count - 1 : count;
        const next = firstOf(transform.kind, type, count + 1);
        return exactly(firstOf(transform.kind, type, from), typeof next === 'bigint' ? next - 1n : Number(next) - 1);
      }
    }
  };
}

function exactly(lower: Literal, upper: Literal): ValueRange {
  return { nulls: 'none', nans: 'none', lower, upper };
}

function unbounded(type: PrimitiveType): ValueRange {
  return { ...unknown, nulls: 'none', nans: type === 'float' || type === 'double' ? 'some' : 'none' };
}

const intMax = 2 ** 31 - 1;
const longMax = 2n ** 63n - 1n;

function truncated(type: PrimitiveType, width: number, value: Literal): ValueRange {
  if (typeof value === 'string') {
    return Array.from(value).length < width ? exactly(value, value) : { ...exactly(value, value), upper: null };
  }
  // Of the least integers the truncated value does not fit, and comes out at the upper end.
  if (typeof value === 'number' && value + width - 1 <= intMax) return exactly(value, value + width - 1);
  if (typeof value === 'bigint' && (type !== 'long' || value + BigInt(width) - 1n <= longMax)) {
    return exactly(value, value + BigInt(width) - 1n);
  }
  return unbounded(type);
}
