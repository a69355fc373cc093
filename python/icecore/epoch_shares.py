"""An epoch cut into shares that are read apart from each other, each row in one of them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from icecore.client import Client
from icecore.cursor import Cursor
from icecore.feed_input import FeedInput
from icecore.open_reading import open_reading
from icecore.order import EpochOrder, Span
from icecore.rank_batches import RankBatches
from icecore.reading import PATIENCE_S, Via

#: The name of the column that says where a row stands in the order of the epoch, from 0.
POSITION = "icecore_position"

#: Of a batch while a share is read. All numbers of lanes divide it.
_BATCH_ROWS = 65_536


class Share(NamedTuple):
    """Rows of an epoch that one reader takes, in their order."""

    #: A rank's part; without lanes it begins at the share's first row.
    input: FeedInput
    rows: int


@dataclass(frozen=True)
class PinnedEpoch:
    """What is settled of an epoch once: all who read it from here on see the same rows in the same order."""

    #: Without a rank of its own.
    input: FeedInput
    client: Client
    patience_s: float
    schema: pa.Schema
    #: Of the whole epoch.
    rows_total: int
    #: Where reading begins.
    cursor: Cursor

    @staticmethod
    def of(input: FeedInput, client: Client, *, patience_s: float = PATIENCE_S) -> "PinnedEpoch":
        """Asks the server for one row. Raises IcecoreError as a feed does."""
        start = 0 if input.cursor is None else Cursor.decode(input.cursor).position
        with_one_row = replace(input, batch_size=1, compression="NONE")
        reading = open_reading(with_one_row, client, via="feed", patience_s=patience_s)
        try:
            first = next(iter(reading))
            cursor = replace(Cursor.decode(first.cursor), position=start)
            return PinnedEpoch(
                replace(input, batch_size=_BATCH_ROWS),
                client,
                patience_s,
                reading.schema,
                reading.rows_total,
                cursor,
            )
        finally:
            reading.close()

    @property
    def rows(self) -> int:
        """From where reading begins."""
        return self.rows_total - self.cursor.position

    def shares(self, count: int) -> list[Share]:
        """At most `count` of them, and at least one.

        WINDOWED is shared out by lanes, so that no two shares read the same part of a file; there are as many shares
        as the greatest power of two up to `count` and the number of lanes. NONE and FULL are cut into runs of rows.
        """
        if self.cursor.shuffle == "WINDOWED":
            ranks = 1 << (max(1, min(count, self.cursor.lanes)).bit_length() - 1)
            return [self._lane_share(rank, ranks) for rank in range(ranks)]
        runs = max(1, min(count, self.rows))
        bounds = [self.cursor.position + self.rows * run // runs for run in range(runs + 1)]
        return [Share(self._at(start), stop - start) for start, stop in pairwise(bounds)]

    def read(self, share: Share, *, via: Via = "feed") -> Iterator[tuple[pa.RecordBatch, NDArray[np.int64]]]:
        """Batches of a share, with the positions of their rows in the order of the epoch."""
        if share.rows == 0:
            return
        start = Cursor.decode(share.input.cursor or "").position
        batches = self._batches(share.input, start)
        left = share.rows
        reading = open_reading(share.input, self.client, via=via, patience_s=self.patience_s)
        try:
            for batch in reading:
                positions = span_positions(batches[batch.global_batch].span, self.order.lanes)
                data = batch.data.slice(0, left)
                left -= data.num_rows
                yield data, positions[: data.num_rows]
                if left == 0:
                    return
        finally:
            reading.close()

    @property
    def order(self) -> EpochOrder:
        """By the number of rows alone: good for whose rows are whose, not for where they lie."""
        of = self.cursor
        return EpochOrder([self.rows_total], shuffle=of.shuffle, seed=of.seed, epoch=of.epoch, lanes=of.lanes)

    def _lane_share(self, rank: int, ranks: int) -> Share:
        input = replace(self._at(self.cursor.position), rank=rank, world_size=ranks)
        return Share(input, self._batches(input, self.cursor.position).rows)

    def _at(self, position: int) -> FeedInput:
        return self.input.on(replace(self.cursor, position=position).encode())

    def _batches(self, input: FeedInput, start: int) -> RankBatches:
        return RankBatches(
            self.order, batch_size=_BATCH_ROWS, rank=input.rank, world_size=input.world_size, start=start
        )


def span_positions(span: Span, lanes: int) -> NDArray[np.int64]:
    """The positions of a span's rows, in their order."""
    positions = np.arange(span.start, span.stop, dtype=np.int64)
    if span.end_lane - span.first_lane >= lanes:
        return positions
    lane = positions % lanes
    return positions[(lane >= span.first_lane) & (lane < span.end_lane)]


def with_positions(batch: pa.RecordBatch, positions: NDArray[np.int64]) -> pa.RecordBatch:
    """The batch with `icecore_position` as its last column."""
    schema = positioned(batch.schema)
    return pa.RecordBatch.from_arrays([*batch.columns, pa.array(positions, pa.int64())], schema=schema)


def positioned(schema: pa.Schema) -> pa.Schema:
    """A schema with `icecore_position` as its last column. Raises ValueError where it has one of that name."""
    if POSITION in schema.names:
        raise ValueError(f"The rows have a column {POSITION} themselves. Leave it out by columns=[...].")
    return schema.append(pa.field(POSITION, pa.int64(), nullable=False))
