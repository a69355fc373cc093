"""Rows of a block in the order of an epoch."""

from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from icecore.memory import Numbers, Room, room_of
from icecore.order import Block

_NUMPY_BY_BITS: dict[int, type[np.generic]] = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


class OrderedColumn(NamedTuple):
    """A column of a block. Numbers are looked at as unsigned ones of their width; others stay with Arrow."""

    values: NDArray[np.generic] | None
    #: 1 where there is a value; None where there always is.
    valid: NDArray[np.uint8] | None
    #: Where it is neither numbers nor a dictionary's codes.
    array: pa.Array | None
    #: What `values` are the codes of.
    dictionary: pa.Array | None = None


class OrderedBlock(NamedTuple):
    """Rows [start, stop) of the sequence of groups, as they follow one another there."""

    start: int
    stop: int
    columns: list[OrderedColumn]


def width_of(kind: pa.DataType) -> type[np.generic] | None:
    """How numpy sees a column of the type without a copy; None where it does not."""
    if pa.types.is_boolean(kind) or pa.types.is_nested(kind) or not pa.types.is_primitive(kind):
        return None
    return _NUMPY_BY_BITS.get(kind.bit_width)


class Picked(NamedTuple):
    """The rows of a block in their order, as numpy and Arrow want them."""

    at: NDArray[np.intp]
    array: pa.Array

    @staticmethod
    def of(block: Block) -> "Picked":
        return Picked(block.rows, pa.array(block.rows))


def block_room(schema: pa.Schema, row_count: int, memory: Numbers) -> Room:
    """For all columns of a block that numpy sees; texts may be codes."""
    return Room(memory, sum(room_of(width_of(field.type) or np.uint32, row_count) for field in schema))


def ordered_columns(
    batch: pa.RecordBatch, picked: Picked | None, near: NDArray[np.generic], room: Room
) -> list[OrderedColumn]:
    """The columns of a block in its order; as they stand for None. `near` has 8 bytes a row to work in."""
    return [_ordered_column(column, picked, near, room) for column in batch.columns]


def _ordered_column(
    column: pa.Array,
    picked: Picked | None,
    near: NDArray[np.generic],
    room: Room,
) -> OrderedColumn:
    if pa.types.is_dictionary(column.type):
        codes = _ordered_column(column.indices, picked, near, room)
        return codes._replace(dictionary=column.dictionary)
    width = width_of(column.type)
    if width is None:
        return OrderedColumn(None, None, column if picked is None else column.take(picked.array))
    values = np.frombuffer(column.buffers()[1], width, len(column), column.offset * np.dtype(width).itemsize)
    valid = _valid(column)
    if picked is None:
        return OrderedColumn(values, valid, None)
    target = room.numbers(width, len(picked.at))
    # Brought near the processor one after the other, which is quicker than to wait for each where it is picked.
    copy = near.view(width)[: len(values)]
    np.copyto(copy, values)
    np.take(copy, picked.at, mode="clip", out=target)
    return OrderedColumn(target, None if valid is None else np.take(valid, picked.at, mode="clip"), None)


def _valid(column: pa.Array) -> NDArray[np.uint8] | None:
    bits = column.buffers()[0]
    if bits is None or column.null_count == 0:
        return None
    first = column.offset // 8
    flags = np.unpackbits(np.frombuffer(bits, np.uint8)[first : first + len(column) // 8 + 2], bitorder="little")
    return flags[column.offset % 8 :][: len(column)]
