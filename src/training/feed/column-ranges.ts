import type { NestedField } from '../../iceberg/type.ts';
import { estimatedRowBytes } from '../row-bytes-estimate.ts';

/** Columns [from, to) of a feed, and their part of the bytes of a row, about. */
export interface ColumnRange {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** What a cell costs beside its bytes, in bytes. */
const cellCost = 8;
/** Bytes of texts, and of what is nested, cost more than those of numbers. */
const variableCost = 3;
const variableTypes = ['string', 'binary'];

export function allColumns(columns: readonly NestedField[]): ColumnRange {
  return { from: 0, to: columns.length, share: 1 };
}

/** Columns in at most so many ranges one behind the other, of about equal work. None is empty, and none ends within a nested column. */
export function columnRanges(columns: readonly NestedField[], count: number): readonly ColumnRange[] {
  const costs = columns.map(columnCost);
  const total = costs.reduce((sum, cost) => sum + cost, 0);
  const rowBytes = Math.max(1, estimatedRowBytes(columns));
  let before = 0;
  const rangeOf = costs.map((cost) => {
    before += cost;
    return Math.floor(((before - cost / 2) / total) * count);
  });
  return [...new Set(rangeOf)].map((range) => {
    const [from, to] = [rangeOf.indexOf(range), rangeOf.lastIndexOf(range) + 1];
    return { from, to, share: estimatedRowBytes(columns.slice(from, to)) / rowBytes };
  });
}

function columnCost(column: NestedField): number {
  const bytes = estimatedRowBytes([column]);
  const isVariable = typeof column.type !== 'string' || variableTypes.includes(column.type);
  return cellCost + (isVariable ? variableCost * bytes : bytes);
}
