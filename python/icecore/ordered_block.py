"""Rows of a block in the order of an epoch, and batches made of the blocks of several lanes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

_NUMPY_BY_BITS: dict[int, type[np.generic]] = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}


class OrderedColumn(NamedTuple):
    """A column of a block. Numbers are looked at as unsigned ones of their width; others stay with Arrow."""

    values: NDArray[np.generic] | None
    #: 1 where there is a value; None where there always is.
    valid: NDArray[np.uint8] | None
    array: pa.Array | None


class OrderedBlock(NamedTuple):
    """Rows [start, stop) of the sequence of groups, as they follow one another there."""

    start: int
    stop: int
    columns: list[OrderedColumn]


class Piece(NamedTuple):
    """Rows [first, stop) of a block go to the places at, at + stride, ... of what is made."""

    block: OrderedBlock
    first: int
    stop: int
    at: int
    stride: int


def width_of(kind: pa.DataType) -> type[np.generic] | None:
    """How numpy sees a column of the type without a copy; None where it does not."""
    if pa.types.is_boolean(kind) or pa.types.is_nested(kind) or not pa.types.is_primitive(kind):
        return None
    return _NUMPY_BY_BITS.get(kind.bit_width)


def ordered_block(start: int, batch: pa.RecordBatch, indices: NDArray[np.uint32] | None) -> OrderedBlock:
    """The rows `indices` of a batch in their order; all as they stand for None."""
    at = None if indices is None else indices.astype(np.intp)
    picked = None if indices is None else pa.array(indices)
    columns = [_ordered_column(column, at, picked) for column in batch.columns]
    return OrderedBlock(start, start + (batch.num_rows if at is None else len(at)), columns)


def gather(schema: pa.Schema, pieces: Sequence[Piece], row_count: int) -> pa.RecordBatch:
    """One batch of the pieces, which fill all of its places."""
    arrays = [_gather_column(index, field.type, pieces, row_count) for index, field in enumerate(schema)]
    if not arrays:
        # A batch of no column cannot say how many rows it has in any other way.
        return pa.RecordBatch.from_struct_array(pa.array([{}] * row_count, pa.struct([])))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _ordered_column(column: pa.Array, at: NDArray[np.intp] | None, picked: pa.Array | None) -> OrderedColumn:
    width = width_of(column.type)
    if width is None:
        return OrderedColumn(None, None, column if picked is None else column.take(picked))
    values = np.frombuffer(column.buffers()[1], width, len(column), column.offset * np.dtype(width).itemsize)
    valid = _valid(column)
    if at is None:
        return OrderedColumn(values, valid, None)
    target = _numbers(width, len(at))
    np.take(values, at, mode="clip", out=target)
    return OrderedColumn(target, None if valid is None else valid[at], None)


def _gather_column(index: int, kind: pa.DataType, pieces: Sequence[Piece], row_count: int) -> pa.Array:
    width = width_of(kind)
    if width is None:
        return _gather_arrays(index, kind, pieces, row_count)
    target = _numbers(width, row_count)
    valid: NDArray[np.uint8] | None = None
    for block, first, stop, at, stride in pieces:
        column = block.columns[index]
        places = slice(at, at + (stop - first - 1) * stride + 1, stride)
        rows = slice(first - block.start, stop - block.start)
        assert column.values is not None
        target[places] = column.values[rows]
        if column.valid is not None:
            valid = np.ones(row_count, np.uint8) if valid is None else valid
            valid[places] = column.valid[rows]
    bits = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, row_count, [bits, pa.py_buffer(target)])


def _gather_arrays(index: int, kind: pa.DataType, pieces: Sequence[Piece], row_count: int) -> pa.Array:
    places = np.empty(row_count, np.uint32)
    parts, begun = [], 0
    for block, first, stop, at, stride in pieces:
        array = block.columns[index].array
        assert array is not None
        parts.append(array.slice(first - block.start, stop - first))
        places[at : at + (stop - first - 1) * stride + 1 : stride] = np.arange(begun, begun + stop - first)
        begun += stop - first
    if not parts:
        return pa.array([], kind)
    if all(piece.stride == 1 for piece in pieces) and len(parts) == 1:
        return parts[0]
    joined = pa.concat_arrays(parts)
    return joined if all(piece.stride == 1 for piece in pieces) else joined.take(pa.array(places))


def _numbers(width: type[np.generic], count: int) -> NDArray[np.generic]:
    # Arrow's pool keeps its pages; new ones from the system would cost more than what is written to them.
    return np.frombuffer(pa.allocate_buffer(count * np.dtype(width).itemsize), width, count)


def _valid(column: pa.Array) -> NDArray[np.uint8] | None:
    bits = column.buffers()[0]
    if bits is None or column.null_count == 0:
        return None
    first = column.offset // 8
    flags = np.unpackbits(np.frombuffer(bits, np.uint8)[first : first + len(column) // 8 + 2], bitorder="little")
    return flags[column.offset % 8 :][: len(column)]
