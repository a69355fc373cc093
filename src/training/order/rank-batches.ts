import { IcecoreError } from '../../errors.ts';
import type { FeedShare } from '../feed/feed-input.ts';

/** Positions [from, to) of an order, of lanes [firstLane, endLane) alone. */
export interface OrderSpan {
  readonly from: number;
  readonly to: number;
  readonly firstLane: number;
  readonly endLane: number;
  /** Positions that these are. */
  readonly rows: number;
}

/** A rank's part of a global batch. */
export interface RankBatch {
  /** Counted from the cursor. */
  readonly globalBatch: number;
  readonly span: OrderSpan;
  /** Where the global batch ends: the position of its cursor, the same on every rank. */
  readonly end: number;
  /** True on the rank's final batch. */
  readonly last: boolean;
}

export interface RankBatches {
  /** At least 1: an empty batch carries the mark where the rank has no row left. */
  readonly count: number;
  /** Rows of the rank in all. */
  readonly rows: number;
  readonly at: (globalBatch: number) => RankBatch;
}

/**
 * The batches of a rank from a position on (semantics, section 2, "Batches" and "Tail"). Where the world size divides the lanes and the
 * lanes divide the rows of a global batch, the rank reads its own run of lanes; otherwise its slice of each global batch.
 * Throws BAD_USER_INPUT where the position lies behind the order's end.
 */
export function rankBatches(order: { readonly rows: number; readonly lanes: number }, share: FeedShare, start = 0): RankBatches {
  const { rows: total, lanes } = order;
  if (!Number.isSafeInteger(start) || start < 0 || start > total) {
    throw new IcecoreError('BAD_USER_INPUT', `The cursor stands at row ${start} of an epoch of ${total}. Begin the epoch anew.`);
  }
  const { batchSize, rank, worldSize, tail } = share;
  const globalRows = batchSize * worldSize;
  const fullBatches = Math.floor((total - start) / globalRows);
  const tailFrom = start + fullBatches * globalRows;
  const ownsLanes = lanes % worldSize === 0 && globalRows % lanes === 0;
  const ownLanes = ownsLanes ? lanes / worldSize : lanes;
  const firstLane = ownsLanes ? rank * ownLanes : 0;
  const span = (from: number, to: number): OrderSpan => {
    const before = (position: number) =>
      Math.floor(position / lanes) * ownLanes + Math.min(Math.max((position % lanes) - firstLane, 0), ownLanes);
    return { from, to, firstLane, endLane: firstLane + ownLanes, rows: before(to) - before(from) };
  };
  const tailSpan = (): OrderSpan => {
    if (tail === 'DROP') return span(tailFrom, tailFrom);
    if (ownsLanes) return span(tailFrom, total);
    const [even, extra] = [Math.floor((total - tailFrom) / worldSize), (total - tailFrom) % worldSize];
    const from = tailFrom + even * rank + Math.min(rank, extra);
    return span(from, from + even + (rank < extra ? 1 : 0));
  };
  const rest = tailSpan();
  const count = Math.max(1, fullBatches + (rest.rows > 0 ? 1 : 0));
  return {
    count,
    rows: fullBatches * batchSize + rest.rows,
    at: (globalBatch) => {
      const last = globalBatch === count - 1;
      if (globalBatch >= fullBatches) {
        return { globalBatch, span: rest, end: tail === 'DROP' ? tailFrom : total, last };
      }
      const from = start + globalBatch * globalRows;
      const end = from + globalRows;
      if (ownsLanes) return { globalBatch, span: span(from, end), end, last };
      return { globalBatch, span: span(from + rank * batchSize, from + (rank + 1) * batchSize), end, last };
    },
  };
}
