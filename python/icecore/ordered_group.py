"""The blocks of a row group that is read at once: each column is put into the order while it is near the processor."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from icecore.group_rows import group_blocks, live_mask, sources_of
from icecore.memory import Numbers
from icecore.order import BLOCK_ROWS_MAX, Block
from icecore.ordered_block import OrderedBlock, OrderedColumn, Picked, block_room, ordered_columns, width_of
from icecore.parquet_source import OpenFile
from icecore.plain_column import StoredColumn, may_be_plain, plain_values
from icecore.plan import PlanFile, PlanGroup


def ordered_group(
    opened: OpenFile,
    schema: pa.Schema,
    file: PlanFile,
    group: PlanGroup,
    blocks: Sequence[Block],
    memory: Numbers,
    *,
    shuffled: bool,
    use_threads: bool = False,
) -> list[OrderedBlock]:
    """Some blocks of a group, as `group_blocks` has them, in their order where it is `shuffled`. Holds the memory of
    the columns that come out, and that of one more; of those that are not plain numbers, all are held.

    Raises IcecoreError where the group has other rows than the plan says.
    """
    order = _GroupOrder(schema, blocks, memory, shuffled)
    live = live_mask(file, group.first_row, group.row_count)
    for index, (width, stored) in _plain_columns(opened.parquet, schema, group).items():
        values = plain_values(opened.bytes, stored, group.row_count)
        if values is not None:
            order.put(index, values if live is None else values[live], width)
    rest = [index for index in range(len(schema)) if not order.has(index)]
    of_rest = pa.schema([schema.field(index) for index in rest])
    near = memory.numbers(np.uint64, BLOCK_ROWS_MAX)
    wanted = {block.base // BLOCK_ROWS_MAX: at for at, block in enumerate(blocks)}
    read = group_blocks(opened.parquet, of_rest, file, group, use_threads=use_threads, whole=True)
    for ordinal, batch in enumerate(read):
        if ordinal in wanted:
            order.put_batch(wanted[ordinal], rest, batch, near)
    return order.ordered()


class _GroupOrder:
    """Blocks that are filled column by column."""

    def __init__(self, schema: pa.Schema, blocks: Sequence[Block], memory: Numbers, shuffled: bool) -> None:
        self._blocks = blocks
        self._picked = [Picked.of(block) if shuffled else None for block in blocks]
        self._rooms = [block_room(schema, block.stop - block.start, memory) for block in blocks]
        self._columns: list[dict[int, OrderedColumn]] = [{} for _ in blocks]

    def has(self, index: int) -> bool:
        return all(index in columns for columns in self._columns)

    def put(self, index: int, values: NDArray[np.uint8], width: type[np.generic]) -> None:
        """A column of the whole group, of which no row is null, as a row of bytes for each."""
        for block, picked, room, columns in zip(self._blocks, self._picked, self._rooms, self._columns, strict=True):
            rows = block.stop - block.start
            part = values[block.base : block.base + rows]
            target = room.numbers(width, rows)
            target_bytes = target.view(np.uint8).reshape(part.shape)
            if picked is None:
                np.copyto(target_bytes, part)
            else:
                np.take(part, picked.at, axis=0, mode="clip", out=target_bytes)
            columns[index] = OrderedColumn(target, None, None)

    def put_batch(self, block: int, indices: Sequence[int], batch: pa.RecordBatch, near: NDArray[np.generic]) -> None:
        """Columns of one block."""
        ordered = ordered_columns(batch, self._picked[block], near, self._rooms[block])
        self._columns[block].update(zip(indices, ordered, strict=True))

    def ordered(self) -> list[OrderedBlock]:
        return [
            OrderedBlock(block.start, block.stop, [columns[index] for index in range(len(columns))])
            for block, columns in zip(self._blocks, self._columns, strict=True)
        ]


def _plain_columns(
    parquet: pq.ParquetFile, schema: pa.Schema, group: PlanGroup
) -> dict[int, tuple[type[np.generic], StoredColumn]]:
    """Those of a schema that may be read as they stand, by their index in it."""
    footer = parquet.metadata.row_group(group.ordinal)
    paths = [footer.column(index).path_in_schema for index in range(footer.num_columns)]
    uses = Counter(paths)
    # Not those of two columns: "a.b" is one of that name, and the b in a, too.
    chunks = {path: index for index, path in enumerate(paths) if uses[path] == 1}
    sources = sources_of(parquet.schema_arrow, schema)
    plain = {}
    for index, field in enumerate(schema):
        source, width = sources[field.name], width_of(field.type)
        if source is None or width is None or source.type != field.type or source.name not in chunks:
            continue
        at = chunks[source.name]
        stored = StoredColumn(footer.column(at), parquet.metadata.schema.column(at))
        if may_be_plain(stored, width):
            plain[index] = (width, stored)
    return plain
