"""The blocks of one lane from a row on, some ahead of whoever takes them."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import NamedTuple

from icecore.errors import IcecoreError
from icecore.order import BLOCK_ROWS_MAX, EpochOrder
from icecore.ordered_block import OrderedBlock


class LaneGroups(NamedTuple):
    """Groups by their place among those of a plan."""

    #: Those blocks of a group that hold some rows of the sequence, in their order: some of them at a time.
    open: Callable[[int, range], Iterator[list[OrderedBlock]]]
    #: It will be opened next.
    expect: Callable[[int], None]


class LaneBlocks:
    """Reads the groups of a lane one after the other. Some blocks of one group are in hand, and the next ones are made
    in the pool from `rows_ahead` rows before the end of the last of them on."""

    def __init__(
        self,
        order: EpochOrder,
        lane: int,
        groups: LaneGroups,
        pool: Executor,
        *,
        rows_ahead: int = BLOCK_ROWS_MAX,
    ) -> None:
        self._order = order
        self._groups = groups
        self._pool = pool
        self._rows_ahead = rows_ahead
        self._end = order.lane_start(lane + 1)
        self._block: OrderedBlock | None = None
        #: Those after it that are made.
        self._made: deque[OrderedBlock] = deque()
        self._next: Future[list[OrderedBlock]] | None = None
        #: Rows of the group that is open.
        self._rows = range(0)
        self._blocks: Iterator[list[OrderedBlock]] = iter(())

    def at(self, row: int) -> OrderedBlock:
        """The block that holds a row of the sequence. Rows are asked for in their order, and some may be left out."""
        block = self._block
        if block is None or not block.start <= row < block.stop:
            self._block = None
            block = self._block = self._taken(row)
        if not self._made and block.stop < self._end and row >= block.stop - self._rows_ahead:
            self.begin(block.stop)
        return block

    def begin(self, row: int) -> None:
        """Begins to make the block of this row, and those after it."""
        if self._next is None:
            self._next = self._pool.submit(self._read, row)

    def close(self) -> None:
        """Lets go of what is in hand. Nothing may be under way in the pool any more."""
        self._block = self._next = None
        self._made.clear()
        self._blocks = iter(())

    def _taken(self, row: int) -> OrderedBlock:
        while True:
            while self._made:
                block = self._made.popleft()
                if block.start <= row < block.stop:
                    return block
            # What is being made lies before it where a reader of slices has gone past it.
            self.begin(row)
            assert self._next is not None
            made, self._next = self._next.result(), None
            self._made.extend(made)

    def _read(self, row: int) -> list[OrderedBlock]:
        """The block of a row, and others after it that come with it."""
        if row not in self._rows:
            _, stop = self._order.group_rows(row)
            self._rows = range(row, min(stop, self._end))
            self._blocks = self._groups.open(self._order.place_at(row), self._rows)
            if stop < self._end:
                self._groups.expect(self._order.place_at(stop))
        while True:
            blocks = next(self._blocks, None)
            if blocks is None:
                # Never a StopIteration, which would end whoever reads as if all were there.
                raise _other_rows(row)
            if row < blocks[-1].stop:
                return blocks


def _other_rows(row: int) -> IcecoreError:
    return IcecoreError(
        "CONFLICT",
        f"The block of row {row} of the order has too few rows: a file was changed since the plan was made. "
        "Begin anew.",
    )
