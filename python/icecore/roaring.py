"""Roaring bitmaps as arrays of numbers (RoaringFormatSpec), in 32 bits and in 64."""

import struct
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

_Number = TypeVar("_Number", np.uint8, np.uint16)

_WITHOUT_RUNS = 12346
_WITH_RUNS = 12347
_ARRAY_CARDINALITY_MAX = 4096
_BITMAP_BYTES = 8192
_OFFSETS_FROM_CONTAINERS = 4


def roaring_positions(data: bytes) -> NDArray[np.int64]:
    """What a bitmap holds, ascending. Takes the portable formats of 32 and of 64 bits, which are told apart by the
    cookie that only the former begins with. Raises ValueError where it is neither, or not all of it."""
    try:
        (cookie,) = struct.unpack_from("<I", data)
        if cookie == _WITHOUT_RUNS or cookie & 0xFFFF == _WITH_RUNS:
            return _bitmap(data, 0)[0]
        (count,) = struct.unpack_from("<Q", data)
        at, parts = 8, []
        for _ in range(count):
            (high,) = struct.unpack_from("<I", data, at)
            low, at = _bitmap(data, at + 4)
            parts.append(low + (high << 32))
        return np.concatenate(parts) if parts else np.empty(0, np.int64)
    except (struct.error, IndexError, OverflowError) as error:
        raise ValueError(f"This is no Roaring bitmap, or not all of it: {error}.") from error


def _bitmap(data: bytes, at: int) -> tuple[NDArray[np.int64], int]:
    """The numbers of a 32-bit bitmap, and where it ends."""
    (cookie,) = struct.unpack_from("<I", data, at)
    at += 4
    if cookie & 0xFFFF == _WITH_RUNS:
        count = (cookie >> 16) + 1
        flags = np.unpackbits(_array(data, at, (count + 7) // 8, np.uint8), bitorder="little")
        at += (count + 7) // 8
        with_offsets = count >= _OFFSETS_FROM_CONTAINERS
    elif cookie == _WITHOUT_RUNS:
        (count,) = struct.unpack_from("<I", data, at)
        at += 4
        flags = np.zeros(count, np.uint8)
        with_offsets = True
    else:
        raise ValueError(f"This is no Roaring bitmap: it begins with {cookie}.")
    heads = _array(data, at, 2 * count, np.uint16).astype(np.int64)
    at += 4 * count + (4 * count if with_offsets else 0)
    parts = []
    for container in range(count):
        values, at = _container(data, at, bool(flags[container]), int(heads[2 * container + 1]) + 1)
        parts.append(values + (heads[2 * container] << 16))
    return (np.concatenate(parts) if parts else np.empty(0, np.int64)), at


def _container(data: bytes, at: int, is_run: bool, cardinality: int) -> tuple[NDArray[np.int64], int]:
    if is_run:
        (count,) = struct.unpack_from("<H", data, at)
        runs = _array(data, at + 2, 2 * count, np.uint16).astype(np.int64)
        starts, lengths = runs[0::2], runs[1::2] + 1
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.repeat(starts, lengths) + within, at + 2 + 4 * count
    if cardinality <= _ARRAY_CARDINALITY_MAX:
        return _array(data, at, cardinality, np.uint16).astype(np.int64), at + 2 * cardinality
    bits = np.unpackbits(_array(data, at, _BITMAP_BYTES, np.uint8), bitorder="little")
    return np.flatnonzero(bits), at + _BITMAP_BYTES


def _array(data: bytes, at: int, count: int, kind: type[_Number]) -> NDArray[_Number]:
    size = count * np.dtype(kind).itemsize
    if at + size > len(data):
        raise ValueError("This is no Roaring bitmap, or not all of it: it ends too early.")
    return np.frombuffer(data, kind, count, at)
