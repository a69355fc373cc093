"""The blocks of one lane from a row on, a block ahead of whoever takes them."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from icecore.errors import IcecoreError
from icecore.memory import ColumnMemory
from icecore.order import BLOCK_ROWS_MAX, Block, EpochOrder
from icecore.ordered_block import OrderedBlock, ordered_block


class LaneGroups(NamedTuple):
    """Groups by their place among those of a plan."""

    #: Blocks of a group, in order, from the first on.
    open: Callable[[int], Iterator[pa.RecordBatch]]
    #: It will be opened next.
    expect: Callable[[int], None]


class LaneBlocks:
    """Reads the groups of a lane one after the other. One block is in hand, and the next one is made in the pool from
    `rows_ahead` rows before its end on."""

    def __init__(
        self,
        order: EpochOrder,
        lane: int,
        groups: LaneGroups,
        pool: Executor,
        memory: ColumnMemory,
        *,
        rows_ahead: int = BLOCK_ROWS_MAX,
    ) -> None:
        self._order = order
        self._groups = groups
        self._pool = pool
        self._memory = memory
        self._rows_ahead = rows_ahead
        self._end = order.lane_start(lane + 1)
        self._block: OrderedBlock | None = None
        self._next: Future[OrderedBlock] | None = None
        #: Rows of the block that is being made.
        self._next_rows = range(0)
        self._place = -1
        self._ordinal = 0
        self._blocks: Iterator[pa.RecordBatch] = iter(())

    def at(self, row: int) -> OrderedBlock:
        """The block that holds a row of the sequence. Rows are asked for in their order, and some may be left out."""
        block = self._block
        if block is None or not block.start <= row < block.stop:
            self._block = None
            self.begin(row)
            assert self._next is not None
            block = self._block = self._next.result()
            self._next = None
        if self._next is None and block.stop < self._end and row >= block.stop - self._rows_ahead:
            self._begin_at(block.stop)
        return block

    def begin(self, row: int) -> None:
        """Begins with the block of this row, where it is not in hand or being made already."""
        if self._next is not None and row not in self._next_rows:
            # A reader of slices has gone past it.
            self._next.result()
            self._next = None
        if self._next is None:
            self._begin_at(row)

    def close(self) -> None:
        """Lets go of what is in hand. Nothing may be under way in the pool any more."""
        self._block = self._next = None
        self._blocks = iter(())

    def _begin_at(self, row: int) -> None:
        start, stop = self._order.block_rows(row)
        self._next_rows = range(start, stop)
        self._next = self._pool.submit(self._read, row)

    def _read(self, row: int) -> OrderedBlock:
        block = self._order.block_at(row)
        batch = self._batch_of(block)
        if batch.num_rows != block.stop - block.start:
            raise _other_rows(block, batch.num_rows)
        local = None if self._order.shuffle == "NONE" else block.indices - np.uint32(block.base)
        return ordered_block(block.start, batch, local, self._memory)

    def _batch_of(self, block: Block) -> pa.RecordBatch:
        ordinal = block.base // BLOCK_ROWS_MAX
        if block.place != self._place or ordinal < self._ordinal:
            self._blocks = self._groups.open(block.place)
            self._expect_next(block)
            self._place = block.place
            self._ordinal = 0
        while True:
            batch = next(self._blocks, None)
            if batch is None:
                # Never a StopIteration, which would end whoever reads as if all were there.
                raise _other_rows(block, 0)
            self._ordinal += 1
            if self._ordinal > ordinal:
                return batch

    def _expect_next(self, block: Block) -> None:
        _, stop = self._order.group_rows(block.start)
        if stop < self._end:
            self._groups.expect(self._order.place_at(stop))


def _other_rows(block: Block, found: int) -> IcecoreError:
    return IcecoreError(
        "CONFLICT",
        f"A block of {block.stop - block.start} rows has {found}: a file was changed since the plan was made. "
        "Begin anew.",
    )
