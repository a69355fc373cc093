import type { FeedOrder } from '../feed/feed-input.ts';
import { blockRowsMax, shuffledBlock } from './block-shuffle.ts';
import { FullReader } from './full-reader.ts';
import { groupSequence } from './group-sequence.ts';
import { laneSegments, type OrderSegment } from './lane-segments.ts';
import { orderGroups } from './order-groups.ts';
import { orderWords } from './order-hash.ts';
import type { OrderSpan } from './rank-batches.ts';
import { type RowAddresses, rowAddresses } from './row-addresses.ts';

/** The order of one epoch: a pure function of the groups' matching rows and of (shuffle, seed, epoch, lanes). */
export interface EpochOrder {
  /** Matching rows of the epoch. */
  readonly rows: number;
  /** With a matching row. */
  readonly groups: number;
  readonly blocks: number;
  /** 1 for NONE and FULL, which have none. */
  readonly lanes: number;
  /** Null for FULL, whose rows lie anywhere. */
  readonly segments: OrderSegments | null;
  /** One for each who reads: holds a block for each lane that it is asked for. */
  readonly reader: () => OrderReader;
}

/** The order by runs of blocks: what to read, and where its rows go. */
export interface OrderSegments {
  /** Computed from the groups alone, in the time of their number. */
  readonly of: (span: OrderSpan) => readonly OrderSegment[];
  /** The rows of a segment's block in their order, by their indices in the block; null where they are read as they stand. */
  readonly rows: (segment: Pick<OrderSegment, 'key' | 'blockRows'>) => Uint16Array | null;
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
    return {
      rows,
      groups: groups.count,
      blocks,
      lanes: 1,
      segments: null,
      reader: () => new FullReader(groups, sequence, words),
    };
  }
  const isShuffled = order.shuffle === 'WINDOWED';
  const lanes = isShuffled ? order.lanes : 1;
  const sequence = groupSequence(groups, isShuffled ? orderWords('groups', order) : null);
  const words = isShuffled ? orderWords('rows', order) : null;
  const segments: OrderSegments = {
    of: (span) => laneSegments(groups, sequence, lanes, span),
    rows: ({ key, blockRows }) => (words === null ? null : shuffledBlock(words, key, blockRows)),
  };
  return { rows, groups: groups.count, blocks, lanes, segments, reader: () => segmentReader(segments) };
}

function segmentReader(segments: OrderSegments): OrderReader {
  let held = new Map<number, { readonly key: number; readonly rows: Uint16Array | null }>();
  return {
    read: (span) => {
      const target = rowAddresses(span.rows);
      const last = new Map(held);
      for (const segment of segments.of(span)) {
        const known = last.get(segment.lane);
        const rows = known?.key === segment.key ? known.rows : segments.rows(segment);
        last.set(segment.lane, { key: segment.key, rows });
        const base = segment.block * blockRowsMax;
        for (let row = 0, at = segment.at; row < segment.count; row++, at += segment.stride) {
          const index = segment.from + row;
          target.groups[at] = segment.place;
          target.indices[at] = base + (rows === null ? index : (rows[index] ?? 0));
        }
      }
      held = last;
      return target;
    },
  };
}
