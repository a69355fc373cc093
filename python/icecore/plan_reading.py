"""Batches of a training plan, decoded here from the files themselves: those of the feed, row for row."""

import itertools
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import cast

import numpy as np
import pyarrow as pa

from icecore.client import Client
from icecore.errors import IcecoreError
from icecore.feed_input import FeedInput
from icecore.group_rows import decoded_bytes, group_blocks
from icecore.lane_blocks import LaneBlocks, LaneGroups
from icecore.lane_gather import LaneGather, Piece
from icecore.memory import column_memory
from icecore.order import BLOCK_ROWS_MAX, Block, Span
from icecore.ordered_block import OrderedBlock, Picked, block_room, ordered_columns
from icecore.ordered_group import ordered_group
from icecore.parquet_source import ParquetSource
from icecore.plan import TrainingPlan
from icecore.rank_batches import RankBatch, RankBatches
from icecore.reading import PATIENCE_S, TrainingBatch

#: Small batches are made several at a time: what it costs to look at a block is shared.
_ROWS_AT_ONCE = 65_536

#: Blocks that are being decoded while others are read, over all lanes.
_BLOCKS_AHEAD = 8
#: Groups up to here are decoded whole: one, and those of all lanes.
_WHOLE_BYTES_MAX = 32 * 1024 * 1024
_GROUPS_BYTES_MAX = 256 * 1024 * 1024


class PlanReading:
    """One reading of a plan, from its cursor to the end of the epoch. An iterator, used up by one pass.

    Holds for each lane that it reads a block and the row group, or the pages, that the next ones come from; decodes in
    `threads` threads (as many as there are processors where left out), ahead of who reads. FULL has no lanes to read
    one after the other: read it by the feed.
    """

    def __init__(
        self,
        input: FeedInput,
        client: Client | None = None,
        *,
        patience_s: float = PATIENCE_S,
        threads: int | None = None,
    ) -> None:
        self._input = input
        self._client = client or Client()
        self._patience_s = patience_s
        self._threads = threads or _processors()
        self._opened: tuple[TrainingPlan, RankBatches] | None = None
        self._source: ParquetSource | None = None
        self._pool: ThreadPoolExecutor | None = None
        self._lanes: dict[int, LaneBlocks] = {}
        self._gathered: LaneGather | None = None
        self._made: deque[TrainingBatch] = deque()
        self._cursor = input.cursor
        self._made_count = 0
        self._closed = False

    @property
    def schema(self) -> pa.Schema:
        return self._plan.schema

    @property
    def rows_total(self) -> int:
        """Rows of the whole epoch, over all ranks."""
        return self._plan.rows_total

    @property
    def snapshot_id(self) -> int | None:
        """None for a table without one."""
        return self._plan.snapshot_id

    @property
    def epoch(self) -> int:
        return self._plan.cursor.epoch

    @property
    def cursor(self) -> str | None:
        """Where the epoch stands behind the last batch; the one given before the first."""
        return self._cursor

    def __iter__(self) -> Iterator[TrainingBatch]:
        return self

    def __next__(self) -> TrainingBatch:
        if not self._made:
            if self._closed or self._made_count == len(self._batches):
                self.close()
                raise StopIteration
            self._made.extend(self._make())
        batch = self._made.popleft()
        self._cursor = batch.cursor
        return batch

    def close(self) -> None:
        """Ends the threads, and closes the files."""
        self._closed = True
        self._made.clear()
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        for lane in self._lanes.values():
            lane.close()
        self._lanes.clear()
        if self._source is not None:
            self._source.close()

    @property
    def _plan(self) -> TrainingPlan:
        return self._open()[0]

    @property
    def _batches(self) -> RankBatches:
        return self._open()[1]

    def _open(self) -> tuple[TrainingPlan, RankBatches]:
        if self._opened is None:
            plan = TrainingPlan(self._input, self._client, patience_s=self._patience_s)
            if plan.order.shuffle == "FULL":
                raise IcecoreError(
                    "FAILED_PRECONDITION",
                    "FULL takes rows from all over the table, which a reader of files cannot. Read via='feed', or take "
                    "WINDOWED with more lanes.",
                )
            batches = RankBatches(
                plan.order,
                batch_size=self._input.batch_size,
                rank=self._input.rank,
                world_size=self._input.world_size,
                tail=self._input.tail,
                start=plan.cursor.position,
            )
            self._source = ParquetSource(plan, self._patience_s)
            self._opened = (plan, batches)
        return self._opened

    def _make(self) -> list[TrainingBatch]:
        """The next batches, which share memory."""
        batches = self._batches
        together = [batches[self._made_count]]
        if batches.owns_lanes:
            # One after the other, they are the rank's rows as they stand.
            while len(together) * self._input.batch_size < _ROWS_AT_ONCE and not together[-1].last:
                together.append(batches[self._made_count + len(together)])
        span = together[0].span._replace(stop=together[-1].span.stop)
        whole = self._gather(span, sum(batch.rows for batch in together))
        made, at = [], 0
        for batch in together:
            made.append(self._finished(batch, whole.slice(at, batch.rows)))
            at += batch.rows
        self._made_count += len(together)
        return made

    def _finished(self, batch: RankBatch, data: pa.RecordBatch) -> TrainingBatch:
        return TrainingBatch(data, self._plan.cursor_at(batch.end), batch.global_batch, batch.last)

    def _gather(self, span: Span, row_count: int) -> pa.RecordBatch:
        runs = list(self._plan.order.lane_runs(span))
        for run in runs:
            self._lane(run.lane, run.first, len(runs))
        pieces = []
        for lane, first, stop, at, stride in runs:
            row = first
            while row < stop:
                block = self._lanes[lane].at(row)
                end = min(block.stop, stop)
                pieces.append(Piece(block, row, end, at + (row - first) * stride, stride))
                row = end
        self._gathered = self._gathered or LaneGather(self.schema, column_memory)
        return self._gathered.batch(pieces, row_count)

    def _lane(self, lane: int, row: int, lanes: int) -> LaneBlocks:
        """All lanes begin before the first is waited for."""
        if lane not in self._lanes:
            source = cast(ParquetSource, self._source)
            if self._pool is None:
                # Those that wait for bytes do not keep others from decoding.
                threads = max(self._threads, lanes) if source.is_remote else self._threads
                self._pool = ThreadPoolExecutor(threads, thread_name_prefix="icecore-plan")
            use_threads = lanes < self._threads
            whole = min(_WHOLE_BYTES_MAX, _GROUPS_BYTES_MAX // lanes)
            groups = LaneGroups(lambda place, rows: self._blocks(place, rows, use_threads, whole), source.expect)
            # Of many lanes, some are always near the end of a block.
            ahead = BLOCK_ROWS_MAX * _BLOCKS_AHEAD // max(lanes, _BLOCKS_AHEAD)
            self._lanes[lane] = LaneBlocks(self._plan.order, lane, groups, self._pool, rows_ahead=ahead)
            source.expect(self._plan.order.place_at(row), twice=self._is_shared(lane, row))
            self._lanes[lane].begin(row)
        return self._lanes[lane]

    def _is_shared(self, lane: int, row: int) -> bool:
        """Whether the lane before, which is read too, ends in the group that this one begins in."""
        order = self._plan.order
        start, stop = order.group_rows(row)
        return lane - 1 in self._lanes and start < order.lane_start(lane) < stop

    def _blocks(self, place: int, rows: range, use_threads: bool, whole_bytes_max: int) -> Iterator[list[OrderedBlock]]:
        """Blocks of a group that hold some rows of the sequence: all at once where the group is small."""
        plan, source = self._plan, cast(ParquetSource, self._source)
        group, schema = plan.groups[place], plan.schema
        file = plan.files[group.file]
        shuffled = plan.order.shuffle != "NONE"
        with source.open(place) as opened:
            is_whole = decoded_bytes(opened.parquet, group, schema) <= whole_bytes_max
            if is_whole:
                blocks = list(plan.order.blocks_of(rows))
                made = ordered_group(
                    opened, schema, file, group, blocks, column_memory, shuffled=shuffled, use_threads=use_threads
                )
            else:
                read = group_blocks(opened.parquet, schema, file, group, use_threads=use_threads)
                yield from _in_order(read, schema, plan.order.blocks_of(rows), shuffled)
        if is_whole:
            # The file is closed: nothing of it is held while they wait.
            yield made

    def __enter__(self) -> "PlanReading":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _in_order(
    read: Iterator[pa.RecordBatch], schema: pa.Schema, blocks: Iterator[Block], shuffled: bool
) -> Iterator[list[OrderedBlock]]:
    ordinal = 0
    for block in blocks:
        batch = next(itertools.islice(read, block.base // BLOCK_ROWS_MAX - ordinal, None), None)
        if batch is None or batch.num_rows != block.stop - block.start:
            return
        ordinal = block.base // BLOCK_ROWS_MAX + 1
        near = column_memory.numbers(np.uint64, batch.num_rows)
        room = block_room(schema, batch.num_rows, column_memory)
        columns = ordered_columns(batch, Picked.of(block) if shuffled else None, near, room)
        del near, room
        yield [OrderedBlock(block.start, block.stop, columns)]


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
