import type { OrderGroups } from './order-groups.ts';
import { permutation } from './permutation.ts';

/** The groups one behind the other, as an epoch goes through them. */
export interface GroupSequence {
  /** The key of the group at a step; computed, not held. */
  readonly keyAt: (step: number) => number;
  /** Rows before each step; one more than there are groups. */
  readonly starts: Float64Array;
}

/** Groups as they stand where there are no words, else permuted by them. */
export function groupSequence(groups: OrderGroups, words: Uint32Array | null): GroupSequence {
  const keyAt = words === null ? (step: number) => step : permutation(groups.count, words);
  const starts = new Float64Array(groups.count + 1);
  for (let step = 0; step < groups.count; step++) {
    starts[step + 1] = (starts[step] ?? 0) + (groups.rowCounts[keyAt(step)] ?? 0);
  }
  return { keyAt, starts };
}

/** The step that holds a row, which must lie before the last start. */
export function stepOf({ starts }: GroupSequence, row: number): number {
  let [low, high] = [0, starts.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) <= row) low = middle;
    else high = middle;
  }
  return low;
}
