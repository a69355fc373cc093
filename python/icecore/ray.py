"""Training data for Ray: a dataset that is read by many tasks and knows its true number of rows beforehand."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import pyarrow as pa
import ray.data
from ray.data import Datasource
from ray.data.block import BlockMetadata
from ray.data.datasource import ReadTask

from icecore.client import Client
from icecore.epoch_shares import PinnedEpoch, Share, positioned, with_positions
from icecore.feed_input import AsOf, Compression, FeedInput
from icecore.order import Shuffle
from icecore.reading import PATIENCE_S, Via

#: Bytes of a value whose type says nothing of its length; 32 for a short text and its offset.
_VARIABLE_BYTES = 32


def read_training(
    training_set: str | None = None,
    *,
    version: int | None = None,
    table: str | None = None,
    as_of: AsOf | None = None,
    columns: Sequence[str] | None = None,
    where: str | None = None,
    split: str | None = None,
    shuffle: Shuffle | None = None,
    seed: int | None = None,
    epoch: int | None = None,
    lanes: int | None = None,
    compression: Compression = "NONE",
    cursor: str | None = None,
    via: Via = "feed",
    position: bool = False,
    url: str | None = None,
    key: str | None = None,
    patience_s: float = PATIENCE_S,
    override_num_blocks: int | None = None,
    concurrency: int | None = None,
    **ray_options: Any,  # noqa: ANN401 - handed on to Ray
) -> ray.data.Dataset:
    """The rows of a training set, or of a table, each once, as a Ray dataset (README.md).

    The snapshot is settled here: every task reads the same one. WINDOWED is read by as many tasks as there are lanes at
    most, each of which reads its own lanes and no other part of the files; take more `lanes` for more tasks. Within a
    task rows stand in the order of the epoch, and Ray takes tasks as they come; `position` adds the column
    `icecore_position`, which says where a row stands. `count()` reads nothing.

    `override_num_blocks`, `concurrency` and further options, such as `num_cpus`, are those of
    `ray.data.read_datasource`. Raises IcecoreError where the server refuses.
    """
    input = FeedInput(
        training_set=training_set,
        version=version,
        table=table,
        as_of=as_of,
        columns=columns,
        where=where,
        split=split,
        shuffle=shuffle,
        seed=seed,
        epoch=epoch,
        lanes=lanes,
        compression=compression,
        cursor=cursor,
    )
    pinned = PinnedEpoch.of(input, Client.of(url, key), patience_s=patience_s)
    return ray.data.read_datasource(
        IcecoreDatasource(pinned, via=via, position=position),
        override_num_blocks=override_num_blocks,
        concurrency=concurrency,
        **ray_options,
    )


class IcecoreDatasource(Datasource):  # type: ignore[misc]
    """An epoch as Ray reads it: a read task a share."""

    def __init__(self, epoch: PinnedEpoch, *, via: Via, position: bool) -> None:
        super().__init__()
        self._epoch = epoch
        self._via = via
        self._position = position
        self._schema = positioned(epoch.schema) if position else epoch.schema

    def get_name(self) -> str:
        return "Icecore"

    def estimate_inmemory_data_size(self) -> int | None:
        return self._epoch.rows * _row_bytes(self._schema)

    def get_read_tasks(
        self,
        parallelism: int,
        per_task_row_limit: int | None = None,
        data_context: object = None,
    ) -> list[ReadTask]:
        return [self._task(share, per_task_row_limit) for share in self._epoch.shares(parallelism)]

    def _task(self, share: Share, row_limit: int | None) -> ReadTask:
        metadata = BlockMetadata(
            num_rows=share.rows,
            size_bytes=share.rows * _row_bytes(self._schema),
            exec_stats=None,
            input_files=None,
        )
        read = partial(_read_share, self._epoch, share, self._via, self._position)
        return ReadTask(read, metadata, self._schema, row_limit)


def _read_share(epoch: PinnedEpoch, share: Share, via: Via, position: bool) -> Iterator[pa.Table]:
    if share.rows == 0:
        yield (positioned(epoch.schema) if position else epoch.schema).empty_table()
    for batch, positions in epoch.read(share, via=via):
        yield pa.Table.from_batches([with_positions(batch, positions) if position else batch])


def _row_bytes(schema: pa.Schema) -> int:
    return max(1, sum(_value_bytes(field.type) for field in schema))


def _value_bytes(kind: pa.DataType) -> int:
    if isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
    if pa.types.is_nested(kind):
        return sum(_value_bytes(kind.field(index).type) for index in range(kind.num_fields)) + 4
    try:
        return max(1, int(kind.bit_width) // 8)
    except ValueError:
        return _VARIABLE_BYTES
