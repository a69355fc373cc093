import type { DataFile, FieldSummary } from './data-file.ts';
import { isNanLiteral } from './literal-order.ts';
import { decodeSingleValue } from './single-value.ts';
import type { Literal, PrimitiveType, Type } from './type.ts';

/** How many of a group of values are so; `some` where it is not known. */
export type Share = 'none' | 'some' | 'all';

/** What is known of the values of one column in a file, or of one partition field in a manifest. */
export interface ValueRange {
  readonly nulls: Share;
  /** NaN among all values, nulls counted. */
  readonly nans: Share;
  /** No value but null and NaN is below; null where it is not known. Text may be cut short. */
  readonly lower: Literal | null;
  readonly upper: Literal | null;
}

const unknownRange: ValueRange = { nulls: 'some', nans: 'some', lower: null, upper: null };

function share(count: bigint | undefined, total: bigint | undefined): Share {
  if (count === undefined) return 'some';
  if (count <= 0n) return count < 0n ? 'some' : 'none';
  return count === total ? 'all' : 'some';
}

function canBeNan(type: Type): boolean {
  return type === 'float' || type === 'double';
}

/** A bound that is not to be trusted, of another length or NaN, is none. */
function bound(type: PrimitiveType, bytes: Uint8Array | null | undefined): Literal | null {
  if (bytes === null || bytes === undefined) return null;
  try {
    const value = decodeSingleValue(type, bytes);
    return isNanLiteral(value) ? null : value;
  } catch {
    return null;
  }
}

/** From a file's metrics (spec: "Manifests", `data_file`). A column of a struct, list or map type has none. */
export function columnRange(file: DataFile, fieldId: number, type: Type): ValueRange {
  if (typeof type !== 'string' || type === 'unknown') return unknownRange;
  const valueCount = file.valueCounts.get(fieldId);
  return {
    nulls: share(file.nullValueCounts.get(fieldId), valueCount),
    nans: canBeNan(type) ? share(file.nanValueCounts.get(fieldId), valueCount) : 'none',
    lower: bound(type, file.lowerBounds.get(fieldId)),
    upper: bound(type, file.upperBounds.get(fieldId)),
  };
}

/** From what a manifest list says of a partition field (spec: "Manifest Lists", `field_summary`). */
export function summaryRange(summary: FieldSummary, type: PrimitiveType): ValueRange {
  const mayBeNan = canBeNan(type) && summary.containsNan !== false;
  const lower = bound(type, summary.lowerBound);
  const upper = bound(type, summary.upperBound);
  const hasValue = summary.lowerBound !== null || summary.upperBound !== null;
  const isOnlyNan = summary.containsNan === true && canBeNan(type) && !summary.containsNull && !hasValue;
  return {
    nulls: summary.containsNull ? (hasValue || mayBeNan ? 'some' : 'all') : 'none',
    nans: isOnlyNan ? 'all' : mayBeNan ? 'some' : 'none',
    lower,
    upper,
  };
}
