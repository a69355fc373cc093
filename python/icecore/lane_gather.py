"""Batches made of the ordered blocks of several lanes."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from icecore.memory import Numbers, Room, room_of
from icecore.ordered_block import OrderedBlock, OrderedColumn, width_of

#: Of memory that is read and written at once.
_LINE_BYTES = 64


class Piece(NamedTuple):
    """Rows [first, stop) of a block go to the places at, at + stride, ... of what is made."""

    block: OrderedBlock
    first: int
    stop: int
    at: int
    stride: int


class LaneGather:
    """Makes batches of a schema. The columns of numbers of one share one piece of memory."""

    def __init__(self, schema: pa.Schema, memory: Numbers) -> None:
        self._schema = schema
        self._memory = memory
        self._fields = [(field.type, width_of(field.type)) for field in schema]

    def batch(self, pieces: Sequence[Piece], row_count: int) -> pa.RecordBatch:
        """One batch of the pieces, which fill all of its places."""
        if not self._fields:
            # A batch of no column cannot say how many rows it has in any other way.
            return pa.RecordBatch.from_struct_array(pa.array([{}] * row_count, pa.struct([])))
        if row_count == 0:
            return pa.RecordBatch.from_arrays([pa.array([], kind) for kind, _ in self._fields], schema=self._schema)
        places = _Places(pieces, row_count)
        room = Room(self._memory, sum(room_of(width, places.count) for _, width in self._fields if width is not None))
        # For one column at a time.
        near = self._memory.numbers(np.uint64, places.count)
        columns = zip(*(piece.block.columns for piece in pieces), strict=True)
        arrays = [
            _gather_column(parts, kind, width, places, room, near)
            for (kind, width), parts in zip(self._fields, columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=self._schema)


class _Places:
    """Where the rows of each piece go."""

    def __init__(self, pieces: Sequence[Piece], row_count: int) -> None:
        self.pieces = pieces
        self.rows = row_count
        self.stride = pieces[0].stride
        self.turns = -(-row_count // self.stride)
        #: Rows, with those that the last turn lacks.
        self.count = self.turns * self.stride
        #: For each piece its rows in the block, and its lane and turns in what is made.
        self.moves = [
            (
                slice(first - block.start, stop - block.start),
                at % stride,
                slice(at // stride, at // stride + stop - first),
            )
            for block, first, stop, at, stride in pieces
        ]


def _gather_column(
    columns: Sequence[OrderedColumn],
    kind: pa.DataType,
    width: type[np.generic] | None,
    places: _Places,
    room: Room,
    near: NDArray[np.generic],
) -> pa.Array:
    if width is None and all(column.dictionary is not None for column in columns):
        return _gather_codes(columns, places, near)
    if width is None:
        return _gather_arrays([_array_of(column) for column in columns], places.pieces, places.rows)
    target = room.numbers(width, places.count)
    _turn(columns, places, target, near)
    return pa.Array.from_buffers(kind, places.rows, [_valid_bits(columns, places), pa.py_buffer(target)])


def _turn(
    columns: Sequence[OrderedColumn], places: _Places, target: NDArray[np.generic], near: NDArray[np.generic]
) -> None:
    """Values of each piece go to their places in `target`."""
    stride, turns = places.stride, places.turns
    interleaved = target.reshape(turns, stride).T
    # Places that are a cache line apart: rows go there lane after lane at first, and are turned at once.
    far = stride * target.itemsize >= _LINE_BYTES
    lanes = near.view(target.dtype)[: places.count].reshape(stride, turns) if far else interleaved
    for column, (rows, lane, at) in zip(columns, places.moves, strict=True):
        assert column.values is not None
        lanes[lane, at] = column.values[rows]
    if far:
        np.copyto(interleaved, lanes)


def _valid_bits(columns: Sequence[OrderedColumn], places: _Places) -> pa.Buffer | None:
    """A bit a row; None where none is null."""
    if all(column.valid is None for column in columns):
        return None
    valid = np.ones(places.count, np.uint8)
    by_lane = valid.reshape(places.turns, places.stride).T
    for column, (rows, lane, at) in zip(columns, places.moves, strict=True):
        if column.valid is not None:
            by_lane[lane, at] = column.valid[rows]
    return None if valid[: places.rows].all() else pa.py_buffer(np.packbits(valid[: places.rows], bitorder="little"))


def _gather_codes(columns: Sequence[OrderedColumn], places: _Places, near: NDArray[np.generic]) -> pa.Array:
    """The entries that codes of several dictionaries stand for."""
    dictionaries: dict[int, tuple[int, pa.Array]] = {}
    entries = 0
    lanes = near.view(np.uint32)
    target, lanes = lanes[: places.count], lanes[places.count : 2 * places.count]
    by_lane = lanes.reshape(places.stride, places.turns)
    for column, (rows, lane, at) in zip(columns, places.moves, strict=True):
        assert column.dictionary is not None and column.values is not None
        if id(column.dictionary) not in dictionaries:
            dictionaries[id(column.dictionary)] = (entries, column.dictionary)
            entries += len(column.dictionary)
        # Behind those of the dictionaries before it.
        by = dictionaries[id(column.dictionary)][0]
        np.add(column.values[rows], np.uint32(by), out=by_lane[lane, at])
    np.copyto(target.reshape(places.turns, places.stride).T, by_lane)
    codes = pa.Array.from_buffers(pa.int32(), places.rows, [_valid_bits(columns, places), pa.py_buffer(target)])
    return pa.concat_arrays([entry for _, entry in dictionaries.values()]).take(codes)


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
