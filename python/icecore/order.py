"""The order of a training epoch, `icecore-order/1` (docs/order.md), row for row as the server makes it."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from icecore.permutation import Words, mix32, order_words, permute, unpermute

Shuffle = Literal["NONE", "WINDOWED", "FULL"]
SHUFFLES = ("NONE", "WINDOWED", "FULL")

#: Powers of two.
LANES = (1, 2, 4, 8, 16, 32, 64)

#: Matching rows of a block, at most: what is sorted at once, and what a reader of a lane holds.
BLOCK_ROWS_MAX = 65_536
_INDICES = np.arange(BLOCK_ROWS_MAX, dtype=np.uint32)


class Span(NamedTuple):
    """Positions [start, stop) of an order, of lanes [first_lane, end_lane) alone."""

    start: int
    stop: int
    first_lane: int
    end_lane: int


class RowAddresses(NamedTuple):
    """Where rows lie: place of their groups among those given, and indices among a group's matching rows."""

    groups: NDArray[np.uint32]
    indices: NDArray[np.uint32]


class Block(NamedTuple):
    """A block as a lane reads it: rows [start, stop) of the sequence of groups."""

    start: int
    stop: int
    #: Of its group, among those given.
    place: int
    #: The index of its first row among the matching rows of the group.
    base: int
    #: Its rows in their order, by their indices from 0.
    rows: NDArray[np.intp]


class PlacedGroup(NamedTuple):
    """A group that has matching rows, in the sequence of groups."""

    #: Its first row there.
    start: int
    #: The key of its first block.
    first_block: int
    rows: int


class LaneRun(NamedTuple):
    """Rows [first, stop) of the sequence of groups, which are of one lane, go to the places at, at + stride, ..."""

    lane: int
    first: int
    stop: int
    at: int
    stride: int


class EpochOrder:
    """The order of one epoch: a pure function of the groups' matching rows and of (shuffle, seed, epoch, lanes).

    `matching_rows` are those of each row group (of each file, for Avro), in order of (data sequence number,
    path bytes, ordinal). Holds some 36 bytes a group, and a block for each lane that is read.
    Raises ValueError where lanes is no power of two up to 64, and beyond 2^53 rows or 2^32 blocks.
    """

    def __init__(
        self,
        matching_rows: Sequence[int] | NDArray[np.integer],
        *,
        shuffle: Shuffle = "WINDOWED",
        seed: int = 0,
        epoch: int = 0,
        lanes: int = 8,
    ) -> None:
        if shuffle not in SHUFFLES:
            raise ValueError(f"shuffle is {shuffle!r}, and must be NONE, WINDOWED or FULL.")
        if lanes not in LANES:
            raise ValueError(f"lanes is {lanes}, and must be a power of two from 1 to 64.")
        given = np.asarray(matching_rows, dtype=np.int64)
        self._places = np.flatnonzero(given)
        self._row_counts = given[self._places]
        blocks = -(-self._row_counts // BLOCK_ROWS_MAX)
        self.rows = int(self._row_counts.sum())
        self.blocks = int(blocks.sum())
        if self.rows >= 2**53 or self.blocks > 2**32:
            raise ValueError(
                f"{self.rows} rows in {self.blocks} blocks cannot be ordered: "
                "2^53 - 1 rows and 2^32 blocks are the most."
            )
        self.shuffle = shuffle
        #: 1 for NONE and FULL, which have none.
        self.lanes = lanes if shuffle == "WINDOWED" else 1
        self._first_blocks = np.cumsum(blocks) - blocks
        count = self._places.size
        sequence = np.arange(count, dtype=np.uint64)
        self._group_words = order_words("groups", seed, epoch)
        if shuffle == "WINDOWED":
            sequence = permute(sequence, count, self._group_words)
        self._sequence = sequence.astype(np.int64)
        self._starts = np.concatenate([[0], np.cumsum(self._row_counts[self._sequence])])
        self._words = order_words("all" if shuffle == "FULL" else "rows", seed, epoch)
        self._open: dict[int, Block] = {}

    def read(self, span: Span) -> RowAddresses:
        """The rows at the positions of a span, in their order. Spans that follow one another cost least."""
        if self.shuffle == "FULL":
            return self._read_full(span.start, span.stop)
        target = RowAddresses(*(np.empty(self.rows_of(span), np.uint32) for _ in range(2)))
        for run in self.lane_runs(span):
            self._read_lane(run, target)
        return target

    def rows_of(self, span: Span) -> int:
        """How many rows a span holds."""
        owned = min(span.end_lane, self.lanes) - span.first_lane
        start, stop = (rows_before(end, self.lanes, span.first_lane, owned) for end in (span.start, span.stop))
        return stop - start

    def lane_runs(self, span: Span) -> Iterator[LaneRun]:
        """What each lane of a span has in it, and its places among the span's rows. For NONE and WINDOWED."""
        lanes, first_lane = self.lanes, span.first_lane
        owned = min(span.end_lane, lanes) - first_lane
        offset = rows_before(span.start, lanes, first_lane, owned)
        for lane in range(first_lane, first_lane + owned):
            first = -((lane - span.start) // lanes)
            stop = -((lane - span.stop) // lanes)
            if stop > first:
                start = self.lane_start(lane)
                at = rows_before(first * lanes + lane, lanes, first_lane, owned) - offset
                yield LaneRun(lane, start + first, start + stop, at, owned)

    def _read_lane(self, run: LaneRun, target: RowAddresses) -> None:
        lane, row, stop, at, stride = run
        while row < stop:
            block = self._open.get(lane)
            if block is None or not block.start <= row < block.stop:
                block = self._open[lane] = self.block_at(row)
            taken = min(block.stop, stop) - row
            places = slice(at, at + (taken - 1) * stride + 1, stride)
            target.groups[places] = block.place
            target.indices[places] = block.rows[row - block.start : row - block.start + taken] + block.base
            row += taken
            at += taken * stride

    def lane_start(self, lane: int) -> int:
        """The row of the sequence of groups that a lane begins at; where the last one ends for `lanes`."""
        even, extra = divmod(self.rows, self.lanes)
        return lane * even + min(lane, extra)

    def group_rows(self, row: int) -> tuple[int, int]:
        """The rows [start, stop) of the sequence of groups that are in one group with this one."""
        step = int(np.searchsorted(self._starts, row, side="right")) - 1
        return int(self._starts[step]), int(self._starts[step + 1])

    def place_at(self, row: int) -> int:
        """The place among those given of the group that holds a row of the sequence."""
        step = int(np.searchsorted(self._starts, row, side="right")) - 1
        return int(self._places[self._sequence[step]])

    def block_rows(self, row: int) -> tuple[int, int]:
        """The rows [start, stop) of the sequence of groups that are in one block with this one."""
        group_start, group_stop = self.group_rows(row)
        start = group_start + (row - group_start) // BLOCK_ROWS_MAX * BLOCK_ROWS_MAX
        return start, min(start + BLOCK_ROWS_MAX, group_stop)

    def block_at(self, row: int) -> Block:
        """The block that holds a row of the sequence of groups. For NONE and WINDOWED."""
        step = int(np.searchsorted(self._starts, row, side="right")) - 1
        key = int(self._sequence[step])
        start, stop = self.block_rows(row)
        base = start - int(self._starts[step])
        if self.shuffle == "NONE":
            rows = np.arange(stop - start, dtype=np.intp)
        else:
            block = int(self._first_blocks[key]) + base // BLOCK_ROWS_MAX
            rows = _shuffled_rows(self._words, block, stop - start)
        return Block(start, stop, int(self._places[key]), base, rows)

    def blocks_of(self, rows: range) -> Iterator[Block]:
        """The blocks that hold some rows of the sequence of groups. For NONE and WINDOWED."""
        row = rows.start
        while row < rows.stop:
            block = self.block_at(row)
            yield block
            row = block.stop

    def placed(self, place: int) -> PlacedGroup | None:
        """Where the group at a place among those given lies in the sequence; None where it has no matching row."""
        key = int(np.searchsorted(self._places, place))
        if key == self._places.size or int(self._places[key]) != place:
            return None
        step = key
        if self.shuffle == "WINDOWED":
            step = int(unpermute(np.array([key], np.uint64), self._places.size, self._group_words)[0])
        return PlacedGroup(int(self._starts[step]), int(self._first_blocks[key]), int(self._row_counts[key]))

    def _read_full(self, start: int, stop: int) -> RowAddresses:
        rows = permute(np.arange(start, stop, dtype=np.uint64), self.rows, self._words).astype(np.int64)
        keys = np.searchsorted(self._starts, rows, side="right") - 1
        groups = self._places[keys].astype(np.uint32)
        return RowAddresses(groups, (rows - self._starts[keys]).astype(np.uint32))


def shuffled_block(words: Words, block: int, row_count: int) -> NDArray[np.uint32]:
    """The rows of a block, by their indices from 0, in the order of (32-bit hash; index)."""
    return _shuffled_rows(words, block, row_count).astype(np.uint32)


def _shuffled_rows(words: Words, block: int, row_count: int) -> NDArray[np.intp]:
    w = words[:4, np.newaxis]
    key = np.array([block], dtype=np.uint32)
    first = mix32(mix32(key ^ w[0]) + w[1])
    second = mix32(mix32(key ^ w[2]) + w[3])
    indices = _INDICES[:row_count]
    mixed = mix32(indices + first)
    mixed ^= second
    keys = mix32(mixed).astype(np.uint64)
    keys <<= np.uint64(16)
    keys |= indices
    keys.sort()
    keys &= np.uint64(0xFFFF)
    return keys.view(np.int64).astype(np.intp, copy=False)


def rows_before(position: int, lanes: int, first_lane: int, owned: int) -> int:
    """Positions before this one that belong to the `owned` lanes from `first_lane` on."""
    turn, lane = divmod(position, lanes)
    return turn * owned + min(max(lane - first_lane, 0), owned)


def live_rows(bits: bytes, row_count: int) -> NDArray[np.uint32]:
    """The live rows of a group, ascending, from a bit a row, the lowest bit of a byte first.

    Indexed by a row's index among the matching rows, it gives the row of the group.
    """
    flags = np.unpackbits(np.frombuffer(bits, np.uint8), count=row_count, bitorder="little")
    return np.flatnonzero(flags).astype(np.uint32)
