"""Batches of a training feed as the server sends them, over as many connections as it takes."""

from collections.abc import Iterator

import pyarrow as pa

from icecore.client import ArrowSubscription, Client
from icecore.errors import IcecoreError, unreachable
from icecore.feed_input import FeedInput
from icecore.patience import Patience
from icecore.reading import PATIENCE_S, TrainingBatch

_DOCUMENT = "subscription ($input: TrainingFeedInput!) { trainingBatches(input: $input) { cursor } }"


class TrainingFeed:
    """One reading of a feed, from its cursor to the end of the epoch. An iterator, used up by one pass.

    What breaks is tried again from the last batch's cursor, so that every row comes once and in order: connections
    that are refused, reset or silent, a server that starts anew, one that is overloaded, and a stream that ends
    without a batch marked `last`, which is never taken as whole. Raises IcecoreError for what no other attempt would
    cure, and where nothing came for `patience_s` seconds.
    """

    def __init__(self, input: FeedInput, client: Client | None = None, *, patience_s: float = PATIENCE_S) -> None:
        self._input = input
        self._client = client or Client()
        self._patience = Patience(patience_s)
        self._stream: ArrowSubscription | None = None
        self._schema: pa.Schema | None = None
        self._cursor = input.cursor
        self._batches = 0
        self._done = False

    @property
    def schema(self) -> pa.Schema:
        """With the server's metadata; opens the stream, so it waits until the first batch is ready."""
        while self._schema is None:
            self._open()
        return self._schema

    @property
    def rows_total(self) -> int:
        """Rows of the whole epoch, over all ranks."""
        return int(self._said("icecore.rows-total"))

    @property
    def snapshot_id(self) -> int | None:
        """None for a table without one."""
        said = self._said("icecore.snapshot-id")
        return int(said) if said else None

    @property
    def epoch(self) -> int:
        return int(self._said("icecore.epoch"))

    @property
    def cursor(self) -> str | None:
        """Where the epoch stands behind the last batch; the one given before the first."""
        return self._cursor

    def __iter__(self) -> Iterator[TrainingBatch]:
        return self

    def __next__(self) -> TrainingBatch:
        while not self._done:
            stream = self._stream or self._open()
            if stream is None:
                continue
            try:
                step = stream.next_batch()
                if step is None:
                    raise unreachable("The stream ended before the batch that is marked as the last.")
            except IcecoreError as error:
                self._fail(error)
                continue
            data, metadata = step
            self._patience.progressed()
            self._cursor = metadata["icecore.cursor"]
            self._done = metadata["icecore.last"] == "true"
            self._batches += 1
            if self._done:
                self.close()
            return TrainingBatch(data, self._cursor, self._batches - 1, self._done)
        raise StopIteration

    def close(self) -> None:
        """Leaves the connection; the server frees what it held."""
        if self._stream is not None:
            self._stream.close()
            self._stream = None

    def _open(self) -> ArrowSubscription | None:
        try:
            stream = self._client.subscribe(_DOCUMENT, {"input": self._input.on(self._cursor).variables()})
        except IcecoreError as error:
            self._fail(error)
            return None
        self._stream = stream
        if self._batches == 0:
            self._schema = stream.schema
        elif self._schema is not None and not stream.schema.equals(self._schema):
            self.close()
            raise IcecoreError(
                "CONFLICT", "The columns changed in mid-epoch. Give a snapshot, and begin the epoch anew."
            )
        return stream

    def _fail(self, error: IcecoreError) -> None:
        self.close()
        self._patience.pause(error, f"The training feed, after {self._batches} batches")

    def _said(self, name: str) -> str:
        return str((self.schema.metadata or {})[name.encode()].decode())

    def __enter__(self) -> "TrainingFeed":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
