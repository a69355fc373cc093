"""Memory for columns that comes back when nobody looks at it any more."""

import mmap
import weakref
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

#: Shared memory, the default, is dearer to map.
_PRIVATE = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS

_FREE_BYTES_MAX = 128 * 1024 * 1024
#: Whatever is smaller, the allocator is quick with.
_KEPT_BYTES_MIN = 64 * 1024
#: What is free serves for less than it holds, down to this share of it.
_USED_SHARE_MIN = 0.75

#: Arrays in a room begin at lines of memory of their own.
_LINE_BYTES = 64


class Numbers(Protocol):
    """Where arrays come from."""

    def numbers(self, width: type[np.generic], count: int) -> NDArray[np.generic]:
        """An array of unsigned numbers with anything in it."""


class ColumnMemory:
    """Hands out arrays, and takes their memory back once they, and all that shares it, are gone: pages that are new
    from the system cost more than what is written to them. Holds 128 MB of free memory at most."""

    def __init__(self) -> None:
        # By their identity. Arrays go at any moment, that of another array's coming included: no lock would do.
        self._free: dict[int, NDArray[np.uint8]] = {}

    def numbers(self, width: type[np.generic], count: int) -> NDArray[np.generic]:
        """An array of unsigned numbers with anything in it."""
        size = count * np.dtype(width).itemsize
        if size < _KEPT_BYTES_MIN:
            return np.empty(count, width)
        room = -(-size // _KEPT_BYTES_MIN) * _KEPT_BYTES_MIN
        owner = self._fitting(room)
        if owner is None:
            # Of its own mapping, so that it goes back to the system when it is not kept.
            owner = np.frombuffer(mmap.mmap(-1, room, flags=_PRIVATE), np.uint8)
        array = owner[:size].view(width)
        # What is made of the array holds on to it, not to its owner: `array` is gone when the last of it is.
        shared = np.frombuffer(array.data, width)
        weakref.finalize(shared, self._take_back, owner).atexit = False
        return shared

    def _fitting(self, room: int) -> NDArray[np.uint8] | None:
        """The smallest that is free and neither too small nor far too large."""
        # Not its items: making each may bring the collector in, and others back, in the midst of it.
        free = list(self._free.values())
        fitting = [
            (each.nbytes, id(each)) for each in free if room <= each.nbytes and each.nbytes * _USED_SHARE_MIN <= room
        ]
        for _, key in sorted(fitting):
            owner = self._free.pop(key, None)
            if owner is not None:
                return owner
        return None

    def _take_back(self, owner: NDArray[np.uint8]) -> None:
        if owner.nbytes + sum(each.nbytes for each in list(self._free.values())) <= _FREE_BYTES_MAX:
            self._free[id(owner)] = owner


class Room:
    """One piece of memory for the columns of a block, or of a batch: it goes back when the last of them is gone."""

    def __init__(self, memory: Numbers, size: int) -> None:
        self._bytes = memory.numbers(np.uint8, size)
        self._used = 0

    def numbers(self, width: type[np.generic], count: int) -> NDArray[np.generic]:
        """As `ColumnMemory` gives them. Raises ValueError where the room does not suffice."""
        begin, size = self._used, count * np.dtype(width).itemsize
        if begin + size > self._bytes.size:
            raise ValueError(f"A room of {self._bytes.size} bytes, {begin} of them used, has no {size} more.")
        self._used += room_of(width, count)
        return self._bytes[begin : begin + size].view(width)


def room_of(width: type[np.generic], count: int) -> int:
    """Bytes that an array takes in a room."""
    return -(-count * np.dtype(width).itemsize // _LINE_BYTES) * _LINE_BYTES


#: Of this process: one epoch goes on with what the one before it had.
column_memory = ColumnMemory()
