import type { FeedShare } from './feed-input.ts';

/** The global batches from a cursor on, and what one rank has of them (semantics, section 2, "Batches" and "Tail"). */
export interface RankPlan {
  /** Global batches of which this rank has a full one. */
  readonly fullBatches: bigint;
  /** This rank's rows of the last, shorter global batch: half-open, in positions of the order. Empty where it has none. */
  readonly tailFrom: bigint;
  readonly tailTo: bigint;
  /** The batches that this rank hands out; none where it has no row left. */
  readonly batches: bigint;
  readonly rows: bigint;
}

/** Ranks take slices: rank r has rows [c + b·B·W + r·B, c + b·B·W + (r + 1)·B) of global batch b; what is left over is shared evenly. */
export function planRank(share: FeedShare, start: bigint, rowsTotal: bigint): RankPlan {
  const [size, rank, world] = [BigInt(share.batchSize), BigInt(share.rank), BigInt(share.worldSize)];
  const left = rowsTotal > start ? rowsTotal - start : 0n;
  const fullBatches = left / (size * world);
  const rest = share.tail === 'DROP' ? 0n : left % (size * world);
  const tailFrom = rowsTotal - rest + (rest / world) * rank + smaller(rank, rest % world);
  const tailTo = tailFrom + rest / world + (rank < rest % world ? 1n : 0n);
  const tailRows = tailTo - tailFrom;
  const batches = fullBatches + (tailRows > 0n ? 1n : 0n);
  return { fullBatches, tailFrom, tailTo, batches, rows: fullBatches * size + tailRows };
}

/** Where global batch b ends, in positions of the order. */
export function batchEnd(share: FeedShare, start: bigint, rowsTotal: bigint, batch: bigint): bigint {
  return smaller(start + (batch + 1n) * BigInt(share.batchSize) * BigInt(share.worldSize), rowsTotal);
}

/** The rank's rows as a condition on a row's position in the order. */
export function rankSql(share: FeedShare, start: bigint, plan: RankPlan, position: string): string {
  const [size, world] = [share.batchSize, share.worldSize];
  const fullTo = start + plan.fullBatches * BigInt(size) * BigInt(world);
  const full = `(${position} >= ${start} AND ${position} < ${fullTo} AND ((${position} - ${start}) // ${size}) % ${world} = ${share.rank})`;
  return `(${full} OR (${position} >= ${plan.tailFrom} AND ${position} < ${plan.tailTo}))`;
}

export function smaller(left: bigint, right: bigint): bigint {
  return left > right ? right : left;
}
