"""One reading of an epoch, over the feed or over the plan: the same rows in the same batches either way."""

from collections.abc import Iterator
from typing import Literal, NamedTuple, Protocol

import pyarrow as pa

#: `feed`: decoded by the server, once for all who read. `plan`: decoded here, from the files themselves.
Via = Literal["feed", "plan"]

#: Without a batch, from the first failure on.
PATIENCE_S = 120.0


class TrainingBatch(NamedTuple):
    """Rows of this rank, and where the epoch stands behind them."""

    data: pa.RecordBatch
    #: The end of the global batch: the same on every rank.
    cursor: str
    #: Counted from where reading began, over all connections.
    global_batch: int
    #: True on the rank's final batch of the epoch, which may be empty.
    last: bool


class Reading(Protocol):
    """An iterator over the batches of a rank, used up by one pass."""

    @property
    def schema(self) -> pa.Schema: ...

    @property
    def rows_total(self) -> int:
        """Rows of the whole epoch, over all ranks."""

    @property
    def snapshot_id(self) -> int | None:
        """None for a table without one."""

    @property
    def epoch(self) -> int: ...

    @property
    def cursor(self) -> str | None:
        """Where the epoch stands behind the last batch; the one given before the first."""

    def __iter__(self) -> Iterator[TrainingBatch]: ...

    def __next__(self) -> TrainingBatch: ...

    def close(self) -> None: ...
