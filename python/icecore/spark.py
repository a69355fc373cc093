"""Training data for Spark: a DataFrame that says where each row stands in the order of an epoch."""

from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from icecore.client import Client
from icecore.epoch_shares import PinnedEpoch, positioned, with_positions
from icecore.errors import IcecoreError
from icecore.feed_input import AsOf, Compression, FeedInput
from icecore.group_positions import GroupPositions
from icecore.order import Shuffle
from icecore.plan import TrainingPlan
from icecore.plan_part import plan_parts, read_part
from icecore.reading import PATIENCE_S, Via
from icecore.spark_types import as_spark, spark_schema

#: Rows of a partition where it is not said how many partitions there are to be.
_PARTITION_ROWS = 1_000_000

_Batches = Iterator[tuple[pa.RecordBatch, NDArray[np.int64]]]


def read_training(
    spark: SparkSession,
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
    via: Via = "plan",
    partitions: int | None = None,
    url: str | None = None,
    key: str | None = None,
    patience_s: float = PATIENCE_S,
) -> DataFrame:
    """The rows of a training set, or of a table, each once, with `icecore_position` as the last column: where a row
    stands in the order of the epoch, from 0, so that ORDER BY it gives the feed's order (README.md).

    The snapshot is settled here: all actions on the DataFrame see the same rows. Over the plan, the default, executors
    read the row groups themselves, each once and in any order, whatever the shuffle: the position of a row follows
    from its group and its place therein. Over the feed they read shares of it, by as many tasks as there are lanes at
    most. Times of day are longs of microseconds, uuids texts. Raises IcecoreError where the server refuses.
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
    client = Client.of(url, key)
    if via == "feed":
        return _over_feed(spark, PinnedEpoch.of(input, client, patience_s=patience_s), partitions)
    if via == "plan":
        return _over_plan(
            spark, TrainingPlan(input, client, patience_s=patience_s), input, client, partitions, patience_s
        )
    raise IcecoreError("BAD_USER_INPUT", f"via is {via!r}, and must be 'feed' or 'plan'.")


def _over_feed(spark: SparkSession, epoch: PinnedEpoch, partitions: int | None) -> DataFrame:
    shares = epoch.shares(partitions or _default_partitions(spark, epoch.rows))
    return _frame(spark, epoch.schema, len(shares), lambda index: epoch.read(shares[index]))


def _over_plan(
    spark: SparkSession,
    plan: TrainingPlan,
    input: FeedInput,
    client: Client,
    partitions: int | None,
    patience_s: float,
) -> DataFrame:
    parts = plan_parts(plan, partitions or _default_partitions(spark, plan.rows_total))
    of, schema, pinned = plan.cursor, plan.schema, input.on(plan.start)
    positions = GroupPositions(plan.rows_total, of.shuffle, of.seed, of.epoch, of.lanes)

    def read(index: int) -> _Batches:
        for placed, blocks in read_part(parts[index], schema, pinned, client, patience_s=patience_s):
            for block, at in zip(blocks, positions.blocks(placed), strict=True):
                yield _from(block, at, of.position)

    return _frame(spark, schema, len(parts), read)


def _from(block: pa.RecordBatch, positions: NDArray[np.int64], start: int) -> tuple[pa.RecordBatch, NDArray[np.int64]]:
    """The rows that stand at a position or behind it."""
    kept = positions >= start
    if start == 0 or kept.all():
        return block, positions
    return block.filter(pa.array(kept)), positions[kept]


def _frame(spark: SparkSession, schema: pa.Schema, parts: int, read: Callable[[int], _Batches]) -> DataFrame:
    """One partition a part."""
    plain = spark_schema(schema)

    def convert(indices: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in indices:
            for index in batch.column(0).to_pylist():
                for data, positions in read(index):
                    yield with_positions(as_spark(data, plain), positions)

    types = from_arrow_schema(positioned(plain), prefer_timestamp_ntz=True)
    return spark.range(0, parts, 1, max(1, parts)).mapInArrow(convert, types)


def _default_partitions(spark: SparkSession, rows: int) -> int:
    """Enough for every core, and of no more than a million rows each."""
    cores = int(spark.conf.get("spark.default.parallelism", None) or 0) or _cores(spark)
    return max(cores, -(-rows // _PARTITION_ROWS))


def _cores(spark: SparkSession) -> int:
    # Spark Connect has no context to ask.
    context = getattr(spark, "_sc", None)
    return 8 if context is None else int(context.defaultParallelism)
