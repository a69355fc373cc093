import { blockRowsMax } from './block-shuffle.ts';
import { type GroupSequence, stepOf } from './group-sequence.ts';
import type { OrderGroups } from './order-groups.ts';
import type { OrderSpan } from './rank-batches.ts';

/**
 * A run of the rows of one block, as a lane goes through them, in a span: row `from + n` of the block's order stands at `at + n * stride`
 * among the span's rows.
 */
export interface OrderSegment {
  readonly lane: number;
  /** The place of the group. */
  readonly place: number;
  /** Which of the group's blocks. */
  readonly block: number;
  /** Of the block among all blocks: what its rows are shuffled by. */
  readonly key: number;
  /** Rows of the whole block. */
  readonly blockRows: number;
  readonly from: number;
  readonly count: number;
  readonly at: number;
  readonly stride: number;
}

/** The segments of a span, lane by lane, each lane's from front to back. Position p of the order is row p div lanes of lane p mod lanes. */
export function laneSegments(
  groups: OrderGroups,
  sequence: GroupSequence,
  lanes: number,
  span: OrderSpan,
): readonly OrderSegment[] {
  const { from, to, firstLane, endLane } = span;
  const owned = Math.min(endLane, lanes) - firstLane;
  const laneStart = (lane: number) => lane * Math.floor(groups.rows / lanes) + Math.min(lane, groups.rows % lanes);
  /** Rows of the lanes asked for, before a position. */
  const before = (position: number) =>
    Math.floor(position / lanes) * owned + Math.min(Math.max((position % lanes) - firstLane, 0), owned);
  const segments: OrderSegment[] = [];
  for (let lane = firstLane; lane < firstLane + owned; lane++) {
    const first = Math.ceil((from - lane) / lanes);
    const count = Math.ceil((to - lane) / lanes) - first;
    if (count <= 0) continue;
    const row = laneStart(lane) + first;
    cutIntoSegments(
      groups,
      sequence,
      { lane, row, count, at: before(first * lanes + lane) - before(from), stride: owned },
      segments,
    );
  }
  return segments;
}

interface LaneRun {
  readonly lane: number;
  /** Of the sequence of groups. */
  readonly row: number;
  readonly count: number;
  readonly at: number;
  readonly stride: number;
}

function cutIntoSegments(groups: OrderGroups, sequence: GroupSequence, run: LaneRun, segments: OrderSegment[]): void {
  const { lane, at, stride } = run;
  const end = run.row + run.count;
  let step = stepOf(sequence, run.row);
  for (let row = run.row; row < end; ) {
    while ((sequence.starts[step + 1] ?? 0) <= row) step++;
    const group = sequence.keyAt(step);
    const inGroup = row - (sequence.starts[step] ?? 0);
    const block = Math.floor(inGroup / blockRowsMax);
    const blockRows = Math.min((groups.rowCounts[group] ?? 0) - block * blockRowsMax, blockRowsMax);
    const from = inGroup - block * blockRowsMax;
    const count = Math.min(blockRows - from, end - row);
    segments.push({
      lane,
      place: groups.places === null ? group : (groups.places[group] ?? 0),
      block,
      key: (groups.firstBlocks[group] ?? 0) + block,
      blockRows,
      from,
      count,
      at: at + (row - run.row) * stride,
      stride,
    });
    row += count;
  }
}
