import type { FeedOrder } from '../../../src/training/feed/feed-input.ts';
import { mix32, orderWords } from '../../../src/training/order/order-hash.ts';
import { permutation } from '../../../src/training/order/permutation.ts';

/** A row as [place of its group, index among the group's matching rows]. */
export type NaiveRow = readonly [group: number, index: number];

/** The order of an epoch as semantics, section 2 says it, all in memory: lists, a comparing sort, and lanes as lists of their own. */
export function naiveOrder(matchingRows: readonly number[], order: FeedOrder): readonly NaiveRow[] {
  const groups = matchingRows.map((count, place) => ({ count, place })).filter(({ count }) => count > 0);
  let blockKey = 0;
  const blocksOf = groups.map(({ count, place }) => {
    const blocks: { readonly key: number; readonly rows: readonly NaiveRow[] }[] = [];
    for (let base = 0; base < count; base += 65_536) {
      const rows = Array.from({ length: Math.min(65_536, count - base) }, (_, index): NaiveRow => [place, base + index]);
      blocks.push({ key: blockKey++, rows });
    }
    return blocks;
  });
  const asTheyStand = blocksOf.flat().flatMap(({ rows }) => rows);
  if (order.shuffle === 'NONE') return asTheyStand;
  if (order.shuffle === 'FULL') {
    const rowAt = permutation(asTheyStand.length, orderWords('all', order));
    return asTheyStand.map((_, position) => asTheyStand[rowAt(position)] as NaiveRow);
  }
  const groupAt = permutation(groups.length, orderWords('groups', order));
  const [w0 = 0, w1 = 0, w2 = 0, w3 = 0] = orderWords('rows', order);
  const sequence = groups.flatMap((_, step) =>
    (blocksOf[groupAt(step)] ?? []).flatMap(({ key, rows }) => {
      const [first, second] = [mix32(mix32(key ^ w0) + w1), mix32(mix32(key ^ w2) + w3)];
      const hashed = rows.map((row, index) => ({ row, index, hash: mix32(mix32(index + first) ^ second) }));
      return hashed.sort((left, right) => left.hash - right.hash || left.index - right.index).map(({ row }) => row);
    }),
  );
  const lanes: (readonly NaiveRow[])[] = [];
  let taken = 0;
  for (let lane = 0; lane < order.lanes; lane++) {
    const length = Math.floor(sequence.length / order.lanes) + (lane < sequence.length % order.lanes ? 1 : 0);
    lanes.push(sequence.slice(taken, taken + length));
    taken += length;
  }
  return sequence.map((_, position) => lanes[position % order.lanes]?.[Math.floor(position / order.lanes)] as NaiveRow);
}
