"""Rows of a block in the order of an epoch, and batches made of the blocks of several lanes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from icecore.memory import ColumnMemory

_NUMPY_BY_BITS: dict[int, type[np.generic]] = {8: np.uint8, 16: np.uint16, 32: np.uint32, 64: np.uint64}

#: Of memory that is read and written at once.
_LINE_BYTES = 64


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


def ordered_block(
    start: int, batch: pa.RecordBatch, indices: NDArray[np.uint32] | None, memory: ColumnMemory
) -> OrderedBlock:
    """The rows `indices` of a batch in their order; all as they stand for None."""
    at = None if indices is None else indices.astype(np.intp)
    picked = None if indices is None else pa.array(indices)
    near = memory.numbers(np.uint64, batch.num_rows)
    columns = [_ordered_column(column, at, picked, near, memory) for column in batch.columns]
    return OrderedBlock(start, start + (batch.num_rows if at is None else len(at)), columns)


def gather(schema: pa.Schema, pieces: Sequence[Piece], row_count: int, memory: ColumnMemory) -> pa.RecordBatch:
    """One batch of the pieces, which fill all of its places."""
    arrays = [_gather_column(index, field.type, pieces, row_count, memory) for index, field in enumerate(schema)]
    if not arrays:
        # A batch of no column cannot say how many rows it has in any other way.
        return pa.RecordBatch.from_struct_array(pa.array([{}] * row_count, pa.struct([])))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _ordered_column(
    column: pa.Array,
    at: NDArray[np.intp] | None,
    picked: pa.Array | None,
    near: NDArray[np.generic],
    memory: ColumnMemory,
) -> OrderedColumn:
    if pa.types.is_dictionary(column.type):
        codes = _ordered_column(column.indices, at, picked, near, memory)
        return codes._replace(dictionary=column.dictionary)
    width = width_of(column.type)
    if width is None:
        return OrderedColumn(None, None, column if picked is None else column.take(picked))
    values = np.frombuffer(column.buffers()[1], width, len(column), column.offset * np.dtype(width).itemsize)
    valid = _valid(column)
    if at is None:
        return OrderedColumn(values, valid, None)
    target = memory.numbers(width, len(at))
    # Brought near the processor one after the other, which is quicker than to wait for each where it is picked.
    copy = near.view(width)[: len(values)]
    np.copyto(copy, values)
    np.take(copy, at, mode="clip", out=target)
    return OrderedColumn(target, None if valid is None else valid[at], None)


def _gather_column(
    index: int, kind: pa.DataType, pieces: Sequence[Piece], row_count: int, memory: ColumnMemory
) -> pa.Array:
    if row_count == 0:
        return pa.array([], kind)
    columns = [piece.block.columns[index] for piece in pieces]
    if all(column.dictionary is not None for column in columns):
        return _gather_codes(columns, pieces, row_count, memory)
    width = width_of(kind)
    if width is None:
        return _gather_arrays([_array_of(column) for column in columns], pieces, row_count)
    return _gather_numbers(kind, width, columns, pieces, row_count, memory)


def _gather_numbers(
    kind: pa.DataType,
    width: type[np.generic],
    columns: Sequence[OrderedColumn],
    pieces: Sequence[Piece],
    row_count: int,
    memory: ColumnMemory,
) -> pa.Array:
    stride = pieces[0].stride
    turns = -(-row_count // stride)
    target = memory.numbers(width, stride * turns)
    interleaved = target.reshape(turns, stride).T
    # Places that are a cache line apart: rows go there lane after lane at first, and are turned at once.
    far = stride * target.itemsize >= _LINE_BYTES
    lanes = memory.numbers(width, stride * turns).reshape(stride, turns) if far else interleaved
    valid: NDArray[np.uint8] | None = None
    for column, (block, first, stop, at, _) in zip(columns, pieces, strict=True):
        turn, lane = divmod(at, stride)
        rows = slice(first - block.start, stop - block.start)
        assert column.values is not None
        lanes[lane, turn : turn + stop - first] = column.values[rows]
        if column.valid is not None:
            valid = np.ones(row_count, np.uint8) if valid is None else valid
            valid[at : at + (stop - first - 1) * stride + 1 : stride] = column.valid[rows]
    if far:
        np.copyto(interleaved, lanes)
    target = target[:row_count]
    bits = None if valid is None or valid.all() else pa.py_buffer(np.packbits(valid, bitorder="little"))
    return pa.Array.from_buffers(kind, row_count, [bits, pa.py_buffer(target)])


def _gather_codes(
    columns: Sequence[OrderedColumn], pieces: Sequence[Piece], row_count: int, memory: ColumnMemory
) -> pa.Array:
    """The entries that codes of several dictionaries stand for."""
    dictionaries: dict[int, tuple[int, pa.Array]] = {}
    entries = 0
    moved = []
    for column in columns:
        assert column.dictionary is not None and column.values is not None
        if id(column.dictionary) not in dictionaries:
            dictionaries[id(column.dictionary)] = (entries, column.dictionary)
            entries += len(column.dictionary)
        moved.append(dictionaries[id(column.dictionary)][0])
    shifted = [
        _shifted(column, piece, by) if by > 0 else (column, piece)
        for column, piece, by in zip(columns, pieces, moved, strict=True)
    ]
    codes = _gather_numbers(
        pa.int32(), np.uint32, [column for column, _ in shifted], [piece for _, piece in shifted], row_count, memory
    )
    return pa.concat_arrays([entry for _, entry in dictionaries.values()]).take(codes)


def _shifted(column: OrderedColumn, piece: Piece, by: int) -> tuple[OrderedColumn, Piece]:
    """The part of a column that a piece takes, with codes behind those of the dictionaries before it."""
    assert column.values is not None
    rows = slice(piece.first - piece.block.start, piece.stop - piece.block.start)
    part = OrderedColumn(
        np.add(column.values[rows], by, dtype=np.uint32), None if column.valid is None else column.valid[rows], None
    )
    return part, piece._replace(block=OrderedBlock(piece.first, piece.stop, []))


def _gather_arrays(arrays: Sequence[pa.Array], pieces: Sequence[Piece], row_count: int) -> pa.Array:
    parts = [
        array.slice(first - block.start, stop - first)
        for array, (block, first, stop, _, _) in zip(arrays, pieces, strict=True)
    ]
    joined = parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
    if all(piece.stride == 1 for piece in pieces):
        return joined
    places = np.empty(row_count, np.uint32)
    begun = 0
    for _, first, stop, at, stride in pieces:
        count = stop - first
        places[at : at + (count - 1) * stride + 1 : stride] = np.arange(begun, begun + count)
        begun += count
    return joined.take(pa.array(places))


def _array_of(column: OrderedColumn) -> pa.Array:
    if column.dictionary is None:
        return column.array
    assert column.values is not None
    mask = None if column.valid is None else column.valid == 0
    return column.dictionary.take(pa.array(column.values, pa.int32(), mask=mask))


def _valid(column: pa.Array) -> NDArray[np.uint8] | None:
    bits = column.buffers()[0]
    if bits is None or column.null_count == 0:
        return None
    first = column.offset // 8
    flags = np.unpackbits(np.frombuffer(bits, np.uint8)[first : first + len(column) // 8 + 2], bitorder="little")
    return flags[column.offset % 8 :][: len(column)]
