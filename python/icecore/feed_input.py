"""What a training feed or plan is asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from icecore.errors import IcecoreError
from icecore.order import Shuffle
from icecore.rank_batches import Tail

Compression = Literal["NONE", "LZ4", "ZSTD"]

#: A snapshot id, a branch or tag, or an instant (with its time zone).
AsOf = int | str | datetime


@dataclass(frozen=True, kw_only=True)
class FeedInput:
    """A source and how it is read; what is None takes the server's default, or what the cursor says.

    Either `training_set`, in its newest `version` where none is given, or `table`, at `as_of`.
    """

    training_set: str | None = None
    version: int | None = None
    table: str | None = None
    as_of: AsOf | None = None
    #: All where left out.
    columns: Sequence[str] | None = None
    where: str | None = None
    split: str | None = None
    #: Rows of every batch but a rank's last.
    batch_size: int = 65_536
    shuffle: Shuffle | None = None
    seed: int | None = None
    epoch: int | None = None
    lanes: int | None = None
    rank: int = 0
    world_size: int = 1
    tail: Tail = "SHORT"
    #: Of the batches on their way; the plan has no use for it.
    compression: Compression = "NONE"
    #: Goes on right after the global batch that it ends.
    cursor: str | None = None

    def __post_init__(self) -> None:
        if (self.training_set is None) == (self.table is None):
            raise _refused("Name either a training set or a table, and not both.")
        if self.version is not None and self.training_set is None:
            raise _refused("A version is one of a training set. Give as_of for a table.")
        if self.as_of is not None and self.table is None:
            raise _refused("as_of is for a table. A training set is pinned: give its version.")
        if isinstance(self.columns, str):
            raise _refused(f"columns is the text {self.columns!r}. Give a list of names.")
        if isinstance(self.as_of, datetime) and self.as_of.tzinfo is None:
            raise _refused(f"as_of is {self.as_of.isoformat()}, of no time zone. Give it one.")

    def on(self, cursor: str | None) -> "FeedInput":
        """The same from another place on; from the beginning for None."""
        return replace(self, cursor=cursor)

    def variables(self) -> dict[str, Any]:
        """As `TrainingFeedInput` of the GraphQL API."""
        given: dict[str, Any] = {
            "source": self._source(),
            "columns": None if self.columns is None else list(self.columns),
            "where": self.where,
            "split": self.split,
            "batchSize": self.batch_size,
            "shuffle": self.shuffle,
            "seed": None if self.seed is None else str(self.seed),
            "epoch": self.epoch,
            "lanes": self.lanes,
            "rank": self.rank,
            "worldSize": self.world_size,
            "tail": self.tail,
            "compression": self.compression,
            "cursor": self.cursor,
        }
        return {name: value for name, value in given.items() if value is not None}

    def _source(self) -> Mapping[str, Any]:
        if self.training_set is not None:
            version = {} if self.version is None else {"version": self.version}
            return {"trainingSet": {"name": self.training_set, **version}}
        if self.as_of is None:
            return {"table": {"name": self.table}}
        return {"table": {"name": self.table, "asOf": _as_of(self.as_of)}}


def _as_of(moment: AsOf) -> Mapping[str, str]:
    if isinstance(moment, int):
        return {"snapshotId": str(moment)}
    if isinstance(moment, datetime):
        return {"timestamp": moment.isoformat()}
    return {"ref": moment}


def _refused(message: str) -> IcecoreError:
    return IcecoreError("BAD_USER_INPUT", message)
