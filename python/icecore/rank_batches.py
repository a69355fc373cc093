"""Which part of the global batches a rank has, from a cursor on (docs/order.md, "Batches" and "Tail")."""

from typing import Literal, NamedTuple

from icecore.order import EpochOrder, Span, rows_before

Tail = Literal["SHORT", "DROP"]


class RankBatch(NamedTuple):
    """A rank's part of a global batch."""

    #: Counted from the cursor.
    global_batch: int
    span: Span
    rows: int
    #: Where the global batch ends: the position of its cursor, the same on every rank.
    end: int
    #: True on the rank's final batch.
    last: bool


class RankBatches:
    """The batches of a rank from a position on; at least one, which is empty where the rank has no row left.

    Where the world size divides the lanes and the lanes divide the rows of a global batch, the rank reads its own
    run of lanes; otherwise its slice of each global batch. Raises ValueError for a share or position out of range.
    """

    def __init__(
        self,
        order: EpochOrder,
        *,
        batch_size: int,
        rank: int = 0,
        world_size: int = 1,
        tail: Tail = "SHORT",
        start: int = 0,
    ) -> None:
        if not 0 <= start <= order.rows:
            raise ValueError(f"The cursor stands at row {start} of an epoch of {order.rows}. Begin the epoch anew.")
        if batch_size < 1 or not 0 <= rank < world_size:
            raise ValueError(
                f"Rank {rank} of {world_size} with batches of {batch_size} is no share of a training feed."
            )
        self._lanes = order.lanes
        self._start = start
        self._batch_size = batch_size
        self._rank = rank
        self._global_rows = batch_size * world_size
        self._full_batches = (order.rows - start) // self._global_rows
        tail_from = start + self._full_batches * self._global_rows
        #: It reads its own run of lanes; a slice of each global batch otherwise.
        self.owns_lanes = order.lanes % world_size == 0 and self._global_rows % order.lanes == 0
        self._own_lanes = order.lanes // world_size if self.owns_lanes else order.lanes
        self._first_lane = rank * self._own_lanes if self.owns_lanes else 0
        self._end = tail_from if tail == "DROP" else order.rows
        if tail == "DROP":
            self._tail = self._span(tail_from, tail_from)
        elif self.owns_lanes:
            self._tail = self._span(tail_from, order.rows)
        else:
            even, extra = divmod(order.rows - tail_from, world_size)
            first = tail_from + even * rank + min(rank, extra)
            self._tail = self._span(first, first + even + (1 if rank < extra else 0))
        self._tail_rows = self._rows(self._tail)
        self._count = max(1, self._full_batches + (1 if self._tail_rows > 0 else 0))
        #: Rows of the rank in all.
        self.rows = self._full_batches * batch_size + self._tail_rows

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, global_batch: int) -> RankBatch:
        if not 0 <= global_batch < self._count:
            raise IndexError(f"There is no batch {global_batch}: the rank has {self._count}.")
        last = global_batch == self._count - 1
        if global_batch >= self._full_batches:
            return RankBatch(global_batch, self._tail, self._tail_rows, self._end, last)
        start = self._start + global_batch * self._global_rows
        end = start + self._global_rows
        if self.owns_lanes:
            span = self._span(start, end)
        else:
            span = self._span(start + self._rank * self._batch_size, start + (self._rank + 1) * self._batch_size)
        return RankBatch(global_batch, span, self._batch_size, end, last)

    def _span(self, start: int, stop: int) -> Span:
        return Span(start, stop, self._first_lane, self._first_lane + self._own_lanes)

    def _rows(self, span: Span) -> int:
        ends = (span.start, span.stop)
        start, stop = (rows_before(end, self._lanes, self._first_lane, self._own_lanes) for end in ends)
        return stop - start
