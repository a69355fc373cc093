import type { FeedOrder } from '../feed-input.ts';
import { FullReader } from './full-reader.ts';
import { groupSequence } from './group-sequence.ts';
import { LaneReader } from './lane-reader.ts';
import { type OrderGroups, orderGroups } from './order-groups.ts';
import { orderWords } from './order-hash.ts';
import type { OrderSpan } from './rank-batches.ts';
import { type RowAddresses, rowAddresses } from './row-addresses.ts';

/** The order of one epoch: a pure function of the groups' matching rows and of (shuffle, seed, epoch, lanes). */
export interface EpochOrder {
  /** Matching rows of the epoch. */
  readonly rows: number;
  readonly blocks: number;
  /** 1 for NONE and FULL, which have none. */
  readonly lanes: number;
  /** One for each who reads: holds a block for each lane that it is asked for. */
  readonly reader: () => OrderReader;
}

export interface OrderReader {
  /** The rows at the positions of a span, in order of their positions. Spans that follow one another cost least. */
  readonly read: (span: OrderSpan) => RowAddresses;
}

/**
 * `matchingRows` are those of each row group (of each file, for Avro), in order of (data sequence number, path bytes, ordinal); rows are
 * addressed by a group's place there and their index among its matching rows. Holds 16 bytes a group, 20 where some have no match.
 * Semantics, section 2; docs/order.md. Throws BAD_USER_INPUT beyond 2^53 rows or 2^32 blocks.
 */
export function epochOrder(matchingRows: Uint32Array, order: FeedOrder): EpochOrder {
  const groups = orderGroups(matchingRows);
  const { rows, blocks } = groups;
  if (order.shuffle === 'FULL') {
    const sequence = groupSequence(groups, null);
    const words = orderWords('all', order);
    return { rows, blocks, lanes: 1, reader: () => new FullReader(groups, sequence, words) };
  }
  if (order.shuffle === 'NONE') {
    const sequence = groupSequence(groups, null);
    return { rows, blocks, lanes: 1, reader: () => lanedReader(groups, 1, () => new LaneReader(groups, sequence, null)) };
  }
  const sequence = groupSequence(groups, orderWords('groups', order));
  const words = orderWords('rows', order);
  const { lanes } = order;
  return { rows, blocks, lanes, reader: () => lanedReader(groups, lanes, () => new LaneReader(groups, sequence, words)) };
}

/** Position p of the order is row p div lanes of lane p mod lanes. */
function lanedReader({ rows }: OrderGroups, lanes: number, newLane: () => LaneReader): OrderReader {
  const readers = new Map<number, LaneReader>();
  const laneStart = (lane: number) => lane * Math.floor(rows / lanes) + Math.min(lane, rows % lanes);
  return {
    read: (span) => {
      const { from, to, firstLane, endLane } = span;
      const target = rowAddresses(span.rows);
      const owned = Math.min(endLane, lanes) - firstLane;
      /** Rows of the lanes asked for, before a position. */
      const before = (position: number) =>
        Math.floor(position / lanes) * owned + Math.min(Math.max((position % lanes) - firstLane, 0), owned);
      for (let lane = firstLane; lane < firstLane + owned; lane++) {
        const first = Math.ceil((from - lane) / lanes);
        const count = Math.ceil((to - lane) / lanes) - first;
        if (count <= 0) continue;
        const reader = readers.get(lane) ?? newLane();
        readers.set(lane, reader);
        reader.read(laneStart(lane) + first, count, target, before(first * lanes + lane) - before(from), owned);
      }
      return target;
    },
  };
}
