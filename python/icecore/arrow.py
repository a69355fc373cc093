"""Training data as Arrow record batches, in the order of an epoch."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from icecore.client import Client
from icecore.errors import IcecoreError
from icecore.feed_input import AsOf, Compression, FeedInput
from icecore.open_reading import open_reading
from icecore.order import Shuffle
from icecore.rank_batches import Tail
from icecore.reading import PATIENCE_S, Reading, Via


def read_training(
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
    rank: int = 0,
    world_size: int = 1,
    tail: Tail = "SHORT",
    compression: Compression = "NONE",
    cursor: str | None = None,
    via: Via = "feed",
    url: str | None = None,
    key: str | None = None,
    patience_s: float = PATIENCE_S,
) -> "TrainingReader":
    """The rows of a training set, or of a table, as record batches of `batch_size` rows (docs/feed.md).

    What is left out takes the server's default (WINDOWED, seed 0, epoch 0, 8 lanes), or what `cursor` says. `url` and
    `key` are ICECORE_URL and ICECORE_KEY where left out. Retries and resumes by itself for `patience_s` seconds
    without a batch. Nothing is read yet. Raises IcecoreError where what is asked for contradicts itself.
    """
    input = FeedInput(
        training_set=training_set,
        version=version,
        table=table,
        as_of=as_of,
        columns=columns,
        where=where,
        split=split,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        epoch=epoch,
        lanes=lanes,
        rank=rank,
        world_size=world_size,
        tail=tail,
        compression=compression,
        cursor=cursor,
    )
    return TrainingReader(input, Client.of(url, key), via=via, patience_s=patience_s)


class TrainingReader:
    """Record batches of an epoch, once through. What `state_dict` says, `load_state_dict` of a new one goes on from."""

    def __init__(self, input: FeedInput, client: Client, *, via: Via = "feed", patience_s: float = PATIENCE_S) -> None:
        self._input = input
        self._client = client
        self._via: Via = via
        self._patience_s = patience_s
        self._reading: Reading | None = None
        self._done = False
        self._closed = False

    @property
    def schema(self) -> pa.Schema:
        return self._open().schema

    @property
    def rows_total(self) -> int:
        """Rows of the whole epoch, over all ranks."""
        return self._open().rows_total

    @property
    def snapshot_id(self) -> int | None:
        """None for a table without one."""
        return self._open().snapshot_id

    @property
    def cursor(self) -> str | None:
        """The end of the last batch's global batch, for any world size to go on from; None at the beginning."""
        return self._input.cursor if self._reading is None else self._reading.cursor

    def state_dict(self) -> dict[str, Any]:
        """Where reading stands: right behind the last batch that was handed out."""
        return {"cursor": self.cursor, "done": self._done}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from there. Raises IcecoreError where reading has begun."""
        if self._reading is not None:
            raise IcecoreError("FAILED_PRECONDITION", "Reading has begun. Load the state into a new reader.")
        self._input = self._input.on(state["cursor"])
        self._done = bool(state["done"])

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return self

    def __next__(self) -> pa.RecordBatch:
        if self._done or self._closed:
            raise StopIteration
        batch = next(self._open())
        if batch.last:
            self._done = True
        return batch.data

    def close(self) -> None:
        """Leaves the server. Reading cannot go on with this reader."""
        if self._reading is not None:
            self._reading.close()
        self._closed = True

    def _open(self) -> Reading:
        if self._reading is None:
            self._reading = open_reading(self._input, self._client, via=self._via, patience_s=self._patience_s)
        return self._reading

    def __enter__(self) -> "TrainingReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
