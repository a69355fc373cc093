"""Training data for PyTorch: an iterable dataset in the order of the epoch, shared out over ranks and workers."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa
import torch
import torch.distributed
from torch.utils.data import IterableDataset, get_worker_info

from icecore.client import Client
from icecore.cursor import Cursor
from icecore.errors import IcecoreError
from icecore.feed_input import AsOf, Compression, FeedInput
from icecore.open_reading import open_reading
from icecore.order import LANES, EpochOrder, Shuffle
from icecore.plan import count_rows
from icecore.rank_batches import RankBatches, Tail
from icecore.reading import PATIENCE_S, Via
from icecore.tensors import batch_tensors, column_tensor, feature_matrix

_log = logging.getLogger("icecore")

#: Of the feed, where none is asked for.
_LANES = 8

#: The member of a state by which `resume_cursor` knows it within that of a whole loader.
_STATE = "icecore"


class IcecoreDataset(IterableDataset):  # type: ignore[misc]
    """The rows of a training set, or of a table, as batches of tensors. Give it to a DataLoader with `batch_size=None`.

    Each item is one batch of `batch_size` rows: a dict of column to tensor; with `features` (and `label`) the matrix
    (rows, features) of `dtype`, or (matrix, label); with `transform` what that makes of the record batch. Nulls become
    NaN among floats, and the value in `fill` elsewhere.

    The epoch is shared out over the ranks of `torch.distributed` (those given here first) and over the workers of the
    DataLoader: worker k of n on rank r of W reads as rank r*n+k of W*n, so nothing is read twice. Where these divide
    `lanes`, each reads its own part of the files alone. Ranks may differ by a batch or so at the end; with
    tail="DROP" none does.

    `set_epoch` chooses the epoch, for workers that persist, too. `state_dict` and `load_state_dict` are what
    torchdata's StatefulDataLoader asks for; `cursor`, and `resume_cursor` of a loader's state, go on with another
    number of ranks or workers. What breaks on the way is tried again for `patience_s` seconds without a batch.
    """

    def __init__(
        self,
        training_set: str | None = None,
        *,
        version: int | None = None,
        table: str | None = None,
        as_of: AsOf | None = None,
        columns: Sequence[str] | None = None,
        where: str | None = None,
        split: str | None = None,
        batch_size: int = 65_536,
        shuffle: Shuffle | None = None,
        seed: int | None = None,
        epoch: int | None = None,
        lanes: int | None = None,
        rank: int | None = None,
        world_size: int | None = None,
        tail: Tail = "SHORT",
        compression: Compression = "NONE",
        cursor: str | None = None,
        via: Via = "feed",
        url: str | None = None,
        key: str | None = None,
        patience_s: float = PATIENCE_S,
        features: Sequence[str] | None = None,
        label: str | None = None,
        dtype: torch.dtype = torch.float32,
        fill: Mapping[str, Any] | None = None,
        transform: Callable[[pa.RecordBatch], Any] | None = None,
    ) -> None:
        if (rank is None) != (world_size is None):
            raise IcecoreError("BAD_USER_INPUT", "Give rank and world_size together, or neither.")
        if label is not None and features is None:
            raise IcecoreError("BAD_USER_INPUT", f"label is {label!r}, and features are not given. Name them.")
        if transform is not None and features is not None:
            raise IcecoreError("BAD_USER_INPUT", "Give either features or transform, and not both.")
        wanted = columns
        if wanted is None and features is not None:
            wanted = [*features, *([] if label is None else [label])]
        self._input = FeedInput(
            training_set=training_set,
            version=version,
            table=table,
            as_of=as_of,
            columns=wanted,
            where=where,
            split=split,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            epoch=epoch,
            lanes=lanes,
            tail=tail,
            compression=compression,
            cursor=cursor,
        )
        self._client = Client.of(url, key)
        self._via: Via = via
        self._patience_s = patience_s
        self._given_share = None if rank is None or world_size is None else (rank, world_size)
        self._features = None if features is None else list(features)
        self._label = label
        self._dtype = dtype
        self._fill = dict(fill or {})
        self._transform = transform
        #: Shared with workers that persist; -1 until an epoch is set.
        self._epoch_set = torch.full((1,), -1, dtype=torch.int64).share_memory_()
        self._resumed: dict[str, Any] | None = None
        self._now: dict[str, Any] | None = None
        self._rows_total: int | None = None

    @property
    def cursor(self) -> str | None:
        """The end of the last batch's global batch, in this process; any number of ranks goes on from it."""
        state = self.state_dict()
        return None if state["cursor"] is None else str(state["cursor"])

    def set_epoch(self, epoch: int) -> None:
        """From the next iteration on. The epoch of a state that was loaded is gone on with, another begins anew."""
        self._epoch_set[0] = epoch

    def state_dict(self) -> dict[str, Any]:
        """Where this process (a worker, where there are any) stands: right behind its last batch."""
        if self._now is not None:
            return dict(self._now)
        return dict(self._resumed or self._state(self._input.cursor, self._epoch(), self._share(), False))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """The next iteration goes on from there."""
        if state.get(_STATE) != 1:
            raise IcecoreError("BAD_USER_INPUT", "This is no state of an IcecoreDataset.")
        self._resumed = dict(state)
        self._now = None

    def __iter__(self) -> Iterator[Any]:
        share = self._share()
        resumed, self._resumed = self._resumed, None
        chosen = int(self._epoch_set[0])
        if resumed is not None and chosen >= 0 and resumed["epoch"] not in (None, chosen):
            _log.warning(
                "A state of epoch %s was loaded, and epoch %s is set: it begins anew.", resumed["epoch"], chosen
            )
            resumed = None
        if resumed is not None and resumed["done"] and resumed["share"] == list(share):
            self._now = resumed
            return
        input = self._input_of(resumed, share)
        reading = open_reading(input, self._client, via=self._via, patience_s=self._patience_s)
        epoch = input.epoch
        self._now = self._state(input.cursor, epoch, share, False)
        try:
            for batch in reading:
                if epoch is None:
                    epoch = reading.epoch
                self._now = self._state(batch.cursor, epoch, share, batch.last)
                if batch.data.num_rows > 0:
                    yield self._item(batch.data)
        finally:
            reading.close()

    def __len__(self) -> int:
        """Batches of this rank in the epoch, by the rows that the server counts; workers may make a few more, shorter
        ones at the end, unless the tail is dropped."""
        if self._rows_total is None:
            self._rows_total = self._count_rows()
        rank, world_size = self._share()
        order = EpochOrder(
            [self._rows_total], lanes=self._input.lanes or _LANES, shuffle=self._input.shuffle or "WINDOWED"
        )
        start = _position(self.state_dict()["cursor"] if self._now is None else self._input.cursor)
        share = RankBatches(
            order,
            batch_size=self._input.batch_size,
            rank=rank,
            world_size=world_size,
            tail=self._input.tail,
            start=min(start, order.rows),
        )
        return len(share) if share.rows > 0 else 0

    def __getstate__(self) -> dict[str, Any]:
        # A worker that is spawned knows nothing of torch.distributed.
        return {**self.__dict__, "_given_share": self._rank_share()}

    def _count_rows(self) -> int:
        try:
            return count_rows(self._input, self._client, patience_s=self._patience_s)
        except IcecoreError as error:
            if error.code != "FAILED_PRECONDITION":
                raise
        # There is no plan of such files, and a feed says it with its first batch.
        reading = open_reading(replace(self._input, batch_size=1), self._client, patience_s=self._patience_s)
        try:
            return reading.rows_total
        finally:
            reading.close()

    def _input_of(self, resumed: Mapping[str, Any] | None, share: tuple[int, int]) -> FeedInput:
        chosen = int(self._epoch_set[0])
        input = self._input if resumed is None else replace(self._input.on(resumed["cursor"]), epoch=resumed["epoch"])
        if resumed is None and chosen >= 0:
            # The constructor's cursor is one of its own epoch.
            here = input.cursor is not None and _epoch(input.cursor) in (None, chosen)
            input = replace(input.on(input.cursor if here else None), epoch=chosen)
        return replace(input, rank=share[0], world_size=share[1])

    def _item(self, data: pa.RecordBatch) -> object:
        if self._transform is not None:
            return self._transform(data)
        if self._features is None:
            return batch_tensors(data, self._fill)
        matrix = feature_matrix(data, self._features, self._fill, self._dtype)
        if self._label is None:
            return matrix
        return matrix, column_tensor(self._label, data.column(self._label), self._fill)

    def _epoch(self) -> int | None:
        chosen = int(self._epoch_set[0])
        return chosen if chosen >= 0 else self._input.epoch

    def _rank_share(self) -> tuple[int, int]:
        if self._given_share is not None:
            return self._given_share
        if torch.distributed.is_available() and torch.distributed.is_initialized():
            return torch.distributed.get_rank(), torch.distributed.get_world_size()
        return 0, 1

    def _share(self) -> tuple[int, int]:
        rank, world_size = self._rank_share()
        worker = get_worker_info()
        if worker is None:
            return rank, world_size
        self._warn_of_lanes(world_size * worker.num_workers, worker.id)
        return rank * worker.num_workers + worker.id, world_size * worker.num_workers

    def _warn_of_lanes(self, readers: int, worker: int) -> None:
        lanes = self._input.lanes or _LANES
        batch_rows = self._input.batch_size * readers
        if worker > 0 or (self._input.shuffle or "WINDOWED") != "WINDOWED":
            return
        if lanes % readers == 0 and batch_rows % lanes == 0:
            return
        enough = [each for each in LANES if each % readers == 0 and batch_rows % each == 0]
        cure = f"lanes={enough[0]}" if enough else "a number of workers that is a power of two"
        warnings.warn(
            f"{lanes} lanes cannot be shared out evenly over {readers} readers (ranks by workers): each reads a slice "
            f"of every batch, out of all files. Take {cure}, and a batch_size that the lanes divide.",
            stacklevel=2,
        )

    @staticmethod
    def _state(cursor: str | None, epoch: int | None, share: tuple[int, int], done: bool) -> dict[str, Any]:
        return {_STATE: 1, "cursor": cursor, "epoch": epoch, "share": list(share), "done": done}


def resume_cursor(state: Mapping[str, Any]) -> str | None:
    """The cursor that all ranks and workers go on from, whatever their number, out of the state of a dataset or of a
    StatefulDataLoader; None where reading had not begun. The smallest one: where workers stood at different steps,
    some rows come twice, and where a multiple of the workers' number of batches was taken, none does."""
    cursors = [found["cursor"] for found in _states(state)]
    if not cursors:
        raise IcecoreError("BAD_USER_INPUT", "There is no state of an IcecoreDataset in this.")
    if any(cursor is None for cursor in cursors):
        return None
    return min((str(cursor) for cursor in cursors), key=_position)


def _states(state: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(state, Mapping):
        if state.get(_STATE) == 1:
            yield state
            return
        for member in state.values():
            yield from _states(member)
    elif isinstance(state, list | tuple):
        for member in state:
            yield from _states(member)


def _position(cursor: str | None) -> int:
    return 0 if cursor is None else Cursor.decode(cursor).position


def _epoch(cursor: str) -> int | None:
    return Cursor.decode(cursor).epoch
